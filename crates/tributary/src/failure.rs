//! How a command ends.

use tributary_store::StoreError;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: all is well.
    Ok,
    /// 1: problems were found, or the wish was refused.
    Problems,
    /// 2: the command or the configuration is wrong.
    Usage,
    /// 3: the database or Stripe cannot be reached.
    Unavailable,
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Problems => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
        }
    }
}

/// A command that could not do what it should, in a sentence.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    /// Refused, or something is wrong with the data.
    pub(crate) fn problem(message: impl Into<String>) -> Self {
        Self { exit: Exit::Problems, message: message.into() }
    }

    /// The command line or the configuration is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// Something is out of reach.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unavailable, message: message.into() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Unavailable(_) | StoreError::Busy => Exit::Unavailable,
            StoreError::Invalid(_) | StoreError::Secret(_) => Exit::Usage,
            _ => Exit::Problems,
        };
        Self { exit, message: sentence(&error.to_string()) }
    }
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let mut out: String = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    out.push_str(letters.as_str());
    if !out.ends_with(['.', '!', '?', '…', ')', '`']) {
        out.push('.');
    }
    out
}
