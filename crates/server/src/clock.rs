//! The only place that reads the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reads an instant as ms UTC: a date stands for its last millisecond, a number is milliseconds since 1970.
#[must_use]
pub fn instant(text: &str) -> Option<i64> {
    if let Ok(ms) = text.parse::<i64>() {
        return Some(ms);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let next = text.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?;
    let midnight = next.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    midnight.timestamp().as_millisecond().checked_sub(1)
}

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

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn instants_are_dates_times_or_numbers() {
        assert_eq!(instant("1700000000123"), Some(1_700_000_000_123));
        assert_eq!(instant("2023-11-14T22:13:20Z"), Some(1_700_000_000_000));
        assert_eq!(instant("2023-11-14"), Some(1_700_006_399_999));
        assert_eq!(instant("soon"), None);
        assert_eq!(instant(""), None);
    }
}
