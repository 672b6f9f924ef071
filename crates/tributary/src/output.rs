//! What is printed where: with `--json` the answer alone on the standard output, everything else on the other.

use crate::config::Config;
use crate::failure::Failure;
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// The two outputs of a command.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    terminal: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, terminal: std::io::stderr().is_terminal() }
    }

    /// The answer: as JSON on one line, or in words.
    pub(crate) fn answer<T: Serialize>(
        &self,
        value: &T,
        words: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string(value)
                .map_err(|e| Failure::problem(format!("The answer cannot be written: {e}.")))?
        } else {
            words(value)
        };
        self.print(text.trim_end());
        Ok(())
    }

    /// A text that is an answer by itself.
    pub(crate) fn print(&self, text: &str) {
        // A reader that went away (a closed pipe) wants no more; there is nobody to tell.
        drop(writeln!(std::io::stdout(), "{text}"));
    }

    /// A line for the person, never on the standard output.
    pub(crate) fn say(&self, line: &str) {
        drop(writeln!(std::io::stderr(), "{line}"));
    }

    /// How far it is; on a terminal only, always on the same line.
    pub(crate) fn progress(&self, what: &str, done: u64, all: u64) {
        if self.terminal {
            drop(write!(std::io::stderr(), "\r{what}: {done} of {all}\u{1b}[K"));
        }
    }

    /// The same where it is not known how much there is.
    pub(crate) fn progress_line(&self, line: &str) {
        if self.terminal {
            drop(write!(std::io::stderr(), "\r{line}\u{1b}[K"));
        }
    }

    /// Ends the line of [`Output::progress`].
    pub(crate) fn progress_done(&self) {
        if self.terminal {
            drop(write!(std::io::stderr(), "\r\u{1b}[K"));
        }
    }

    /// A failure: the sentence, and as JSON where that was asked for.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.progress_done();
        if self.json {
            let body = serde_json::json!({ "error": failure.message, "exit": failure.exit.code() });
            self.print(&body.to_string());
        }
        self.say(&format!("tributary: {}", failure.message));
    }
}

/// Starts the log on the standard error. Commands that end by themselves only warn, unless told otherwise.
pub(crate) fn start_log(config: &Config, stays: bool) -> Result<(), Failure> {
    let usual = if stays { "info,refinery_core=warn" } else { "warn" };
    let wanted = config.log.as_deref().unwrap_or(usual);
    let filter = tracing_subscriber::EnvFilter::builder().parse(wanted).map_err(|e| {
        Failure::usage(format!("TRIBUTARY_LOG: {wanted:?} is no log filter ({e}). An example: info."))
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if config.log_json {
        log.json().init()
    } else {
        log.init()
    }
    Ok(())
}
