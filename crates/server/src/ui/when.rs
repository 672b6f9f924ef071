//! Instants: relative in lists with the exact one beside it, exact on detail pages.

use askama::Template;
use jiff::Timestamp;

/// "4 min ago", with the exact instant in a tooltip. The script keeps the words true while the page is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "components/ago.html")]
pub struct Ago {
    /// The instant, ms UTC.
    pub at: i64,
    /// The time of the page, ms UTC.
    pub now: i64,
}
impl askama::filters::HtmlSafe for Ago {}

impl Ago {
    /// The instant for machines.
    #[must_use]
    pub fn machine(&self) -> String {
        machine(self.at)
    }
    /// The instant in full.
    #[must_use]
    pub fn full(&self) -> String {
        full(self.at)
    }
    /// The words.
    #[must_use]
    pub fn words(&self) -> String {
        relative(self.at, self.now)
    }
}

/// "21 Nov 2026, 10:02:41 UTC".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "components/instant.html")]
pub struct Instant {
    /// The instant, ms UTC.
    pub at: i64,
}
impl askama::filters::HtmlSafe for Instant {}

impl Instant {
    /// The instant for machines.
    #[must_use]
    pub fn machine(&self) -> String {
        machine(self.at)
    }
    /// The instant in full.
    #[must_use]
    pub fn full(&self) -> String {
        full(self.at)
    }
}

fn stamp(at: i64) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// RFC 3339 for `datetime`.
#[must_use]
pub fn machine(at: i64) -> String {
    stamp(at).to_string()
}

/// Day and time to the second, in UTC.
#[must_use]
pub fn full(at: i64) -> String {
    stamp(at).strftime("%-d %b %Y, %H:%M:%S UTC").to_string()
}

/// The day alone, in UTC.
#[must_use]
pub fn day(at: i64) -> String {
    stamp(at).strftime("%-d %b %Y").to_string()
}

/// How long ago or how far ahead, in the words that the script uses too.
#[must_use]
pub fn relative(at: i64, now: i64) -> String {
    let seconds = now.saturating_sub(at) / 1000;
    let distance = seconds.unsigned_abs();
    let (count, unit) = match distance {
        0..45 => return "just now".to_owned(),
        45..60 => (distance, "second"),
        60..3_600 => (distance / 60, "min"),
        3_600..86_400 => (distance / 3_600, "hour"),
        86_400..2_592_000 => (distance / 86_400, "day"),
        2_592_000..31_536_000 => (distance / 2_592_000, "month"),
        _ => (distance / 31_536_000, "year"),
    };
    let plural = if count == 1 || unit == "min" { "" } else { "s" };
    if seconds < 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_read_naturally() {
        let now = 1_795_000_000_000;
        for (ago_s, words) in [
            (3, "just now"),
            (50, "50 seconds ago"),
            (130, "2 min ago"),
            (3_700, "1 hour ago"),
            (200_000, "2 days ago"),
            (-90_000, "in 1 day"),
            (40_000_000, "1 year ago"),
        ] {
            assert_eq!(relative(now - ago_s * 1000, now), words);
        }
        assert_eq!(relative(i64::MIN, i64::MAX).split(' ').next_back(), Some("ago"));
    }

    #[test]
    fn instants_are_exact_and_total() {
        assert_eq!(full(1_795_255_361_000), "21 Nov 2026, 10:02:41 UTC");
        assert_eq!(full(i64::MAX), full(0));
        assert!(Instant { at: 0 }.to_string().contains("datetime=\"1970-01-01T00:00:00Z\""));
    }
}
