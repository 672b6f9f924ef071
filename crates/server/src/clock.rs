//! The only place that reads the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of the time, so that tests can bring their own.
#[derive(Debug, Default)]
pub struct Clock {
    /// A fixed time (ms UTC), or 0 for the system's.
    fixed_ms: AtomicI64,
}

impl Clock {
    /// A clock that stands at `ms` until it is moved.
    #[must_use]
    pub const fn fixed(ms: i64) -> Self {
        Self { fixed_ms: AtomicI64::new(ms) }
    }

    /// Now, ms UTC.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the edge: everything else takes `now` as a parameter")]
    pub fn now_ms(&self) -> i64 {
        match self.fixed_ms.load(Ordering::Relaxed) {
            0 => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_millis()).ok())
                .unwrap_or(0),
            fixed => fixed,
        }
    }

    /// Moves a fixed clock.
    pub fn set(&self, ms: i64) {
        self.fixed_ms.store(ms, Ordering::Relaxed);
    }
}
