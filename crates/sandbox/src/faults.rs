//! Faults of the API itself, asked for by `POST /_sandbox/api_faults`.

use serde::{Deserialize, Serialize};

/// Faults that may wait.
pub const MAX_FAULTS: usize = 1_000;

/// What the next fitting request meets.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ApiFault {
    /// Requests whose path begins so; all by default.
    #[serde(default)]
    pub path_prefix: String,
    /// Answers this status instead, for example 429 or 500; without it the answer is made as usual.
    pub status: Option<u16>,
    /// Sets `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// Waits so long before the answer.
    #[serde(default)]
    pub delay_ms: u64,
    /// Cuts the body in its middle.
    #[serde(default)]
    pub truncate: bool,
    /// With `status`: does the work first, as when the answer is lost on its way.
    #[serde(default)]
    pub after_work: bool,
}

impl ApiFault {
    /// Takes the first fault that fits a path.
    pub fn take(faults: &mut std::collections::VecDeque<Self>, path: &str) -> Option<Self> {
        let at = faults.iter().position(|f| path.starts_with(&f.path_prefix))?;
        faults.remove(at)
    }
}
