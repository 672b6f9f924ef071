//! The sandbox's time: the wall clock, or one that stands still, both moved forward on request.

use std::time::{SystemTime, UNIX_EPOCH};

/// Gives Unix seconds.
#[derive(Debug, Clone)]
pub struct Clock {
    frozen_at: Option<i64>,
    offset: i64,
}

/// Furthest the clock may be moved: a hundred years of seconds.
const FURTHEST: i64 = 100 * 366 * 86_400;

impl Clock {
    /// The wall clock, or a clock that stands at `frozen_at` (Unix seconds).
    pub fn new(frozen_at: Option<i64>) -> Self {
        Self { frozen_at, offset: 0 }
    }

    /// Now, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.frozen_at.unwrap_or_else(wall_seconds).saturating_add(self.offset)
    }

    /// Moves the clock forward by `seconds`; false if that is backwards or beyond a hundred years.
    pub fn advance(&mut self, seconds: i64) -> bool {
        let offset = self.offset.saturating_add(seconds);
        let allowed = seconds >= 0 && offset <= FURTHEST;
        if allowed {
            self.offset = offset;
        }
        allowed
    }

    /// Moves the clock forward to a moment; a moment in the past changes nothing.
    pub fn advance_to(&mut self, moment: i64) -> bool {
        self.advance(moment.saturating_sub(self.now()).max(0))
    }
}

/// Real Unix seconds. Signatures carry them even if the sandbox's clock was moved, because the receiver compares them
/// with its own clock.
#[expect(clippy::disallowed_methods, reason = "this is the sandbox's one clock at the edge")]
pub fn wall_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}

/// The same day of the month `months` later, or the last day of a shorter month, at the same time of day (UTC).
pub fn add_months(moment: i64, months: i64) -> i64 {
    let day = moment.div_euclid(86_400);
    let (year, month, of_month) = civil(day);
    let count = year * 12 + (month - 1) + months;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    let day = days_from_civil(year, month, of_month.min(length_of(year, month)));
    day * 86_400 + moment.rem_euclid(86_400)
}

/// A day as a receipt shows it: `22 Nov 2026` (UTC).
pub fn shown_day(moment: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(moment.div_euclid(86_400));
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
    format!("{day} {name} {year}")
}

fn length_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_where_the_month_ends() {
        let jan_31 = 1_769_860_800; // 2026-01-31T12:00:00Z
        assert_eq!(add_months(jan_31, 1), 1_772_280_000); // 2026-02-28T12:00:00Z
        assert_eq!(add_months(jan_31, 12), 1_801_396_800); // 2027-01-31T12:00:00Z
        assert_eq!(shown_day(jan_31), "31 Jan 2026");
    }

    #[test]
    fn the_clock_never_goes_back() {
        let mut clock = Clock::new(Some(100));
        assert!(!clock.advance(-1));
        assert!(clock.advance_to(50));
        assert_eq!(clock.now(), 100);
        assert!(clock.advance(10));
        assert_eq!(clock.now(), 110);
    }
}
