//! A range of days: presets or from–to, cut into the bars of a chart, with the same number of days before it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const DAY_MS: i64 = 86_400_000;
/// Longest range, days.
const LONGEST: i64 = 1_830;

/// The presets: value in the address, words on the switch, days.
pub const PRESETS: [(&str, &str, i64); 4] =
    [("7d", "7 days", 7), ("30d", "30 days", 30), ("90d", "90 days", 90), ("12m", "12 months", 0)];

/// Days from one up to another that is not included, and how they are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The preset, or `custom`.
    pub chosen: &'static str,
    /// The first day, days since 1970 (UTC).
    pub from: i64,
    /// The day after the last.
    pub to: i64,
    /// The bars: first day, the day after the last, and what the bar is called.
    pub buckets: Vec<(i64, i64, String)>,
    /// What was wrong with the dates that were asked for; empty if nothing was.
    pub problem: String,
}

/// The day of an instant, days since 1970 (UTC).
#[must_use]
pub const fn day_of(ms: i64) -> i64 {
    ms.div_euclid(DAY_MS)
}

/// The first instant of a day, ms UTC.
#[must_use]
pub const fn start_of(day: i64) -> i64 {
    day.saturating_mul(DAY_MS)
}

/// The date of a day.
#[must_use]
pub fn date(day: i64) -> Date {
    let at = Timestamp::from_second(day.saturating_mul(86_400)).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::UTC).date()
}

/// The day of a date as `2026-11-01`; `None` for anything else.
#[must_use]
pub fn parse_day(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    let at = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(at.as_second().div_euclid(86_400))
}

fn named(day: i64, pattern: &str) -> String {
    date(day).strftime(pattern).to_string()
}

/// "1 – 30 Nov 2026", "24 Dec 2025 – 22 Jan 2026", "30 Nov 2026".
#[must_use]
pub fn words(from: i64, to: i64) -> String {
    let last = to.saturating_sub(1).max(from);
    let (a, b) = (date(from), date(last));
    let until = named(last, "%-d %b %Y");
    if a == b {
        until
    } else if (a.year(), a.month()) == (b.year(), b.month()) {
        format!("{} – {until}", a.day())
    } else if a.year() == b.year() {
        format!("{} – {until}", named(from, "%-d %b"))
    } else {
        format!("{} – {until}", named(from, "%-d %b %Y"))
    }
}

impl Period {
    /// What the address asks for; without anything the last 30 days. `today` in days since 1970.
    #[must_use]
    pub fn read(range: Option<&str>, from: Option<&str>, to: Option<&str>, today: i64) -> Self {
        let present =
            |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let (from, to) = (present(from), present(to));
        if from.is_none() && to.is_none() {
            return Self::preset(range.unwrap_or("30d"), today);
        }
        match custom(from.as_deref(), to.as_deref(), today) {
            Ok((from, to)) => Self::cut("custom", from, to, String::new()),
            Err(problem) => Self { problem, ..Self::preset("30d", today) },
        }
    }

    fn preset(range: &str, today: i64) -> Self {
        let preset = PRESETS.iter().find(|(value, _, _)| *value == range).unwrap_or(&PRESETS[1]);
        let from = match preset.2 {
            0 => months_back(today, 11),
            days => today - days + 1,
        };
        Self::cut(preset.0, from, today + 1, String::new())
    }

    fn cut(chosen: &'static str, from: i64, to: i64, problem: String) -> Self {
        let days = to - from;
        let mut buckets = Vec::new();
        let mut at = from;
        while at < to {
            let (end, name) = match days {
                ..=92 => (at + 1, named(at, "%a, %-d %b %Y")),
                93..=200 => ((at + 7).min(to), words(at, (at + 7).min(to))),
                _ => (months_back(at, -1).min(to), named(at, "%b %Y")),
            };
            buckets.push((at, end, name));
            at = end;
        }
        Self { chosen, from, to, buckets, problem }
    }

    /// How many days.
    #[must_use]
    pub const fn days(&self) -> i64 {
        self.to - self.from
    }

    /// The first day of as many days before.
    #[must_use]
    pub const fn before(&self) -> i64 {
        self.from - self.days()
    }

    /// Its days in words.
    #[must_use]
    pub fn words(&self) -> String {
        words(self.from, self.to)
    }

    /// The days before in words.
    #[must_use]
    pub fn before_words(&self) -> String {
        words(self.before(), self.from)
    }

    /// What a bar is called below the chart: short.
    #[must_use]
    pub fn mark(&self, bucket: usize) -> String {
        let Some((from, _, _)) = self.buckets.get(bucket) else { return String::new() };
        named(*from, if self.days() > 200 { "%b" } else { "%-d %b" })
    }

    /// What a bar stands for: `day`, `week` or `month`.
    #[must_use]
    pub const fn step(&self) -> &'static str {
        match self.days() {
            ..=92 => "day",
            93..=200 => "week",
            _ => "month",
        }
    }

    /// Sums figures by bar: (those of the period, those of the days before). `of` names the day and the figure.
    #[must_use]
    pub fn sums<T>(&self, rows: &[T], of: impl Fn(&T) -> (i64, i64)) -> (Vec<i64>, Vec<i64>) {
        let days = self.days();
        let mut both = (vec![0_i64; self.buckets.len()], vec![0_i64; self.buckets.len()]);
        for (day, figure) in rows.iter().map(of) {
            let (list, day) =
                if day >= self.from { (&mut both.0, day) } else { (&mut both.1, day.saturating_add(days)) };
            let at = self.buckets.partition_point(|(_, end, _)| *end <= day);
            if let Some(sum) = list.get_mut(at).filter(|_| day >= self.from && day < self.to) {
                *sum = sum.saturating_add(figure);
            }
        }
        both
    }

    /// Sums figures of the whole period, and of the days before.
    #[must_use]
    pub fn total<T>(&self, rows: &[T], of: impl Fn(&T) -> (i64, i64)) -> (i64, i64) {
        let (now, before) = self.sums(rows, of);
        let sum = |list: Vec<i64>| list.into_iter().fold(0, i64::saturating_add);
        (sum(now), sum(before))
    }
}

/// The first day of the month that lies so many months before the one of `day` (below zero: after).
fn months_back(day: i64, months: i64) -> i64 {
    let first = date(day).first_of_month();
    let moved = first.checked_sub(jiff::Span::new().months(months)).unwrap_or(first);
    moved.to_zoned(TimeZone::UTC).map_or(day, |at| at.timestamp().as_second().div_euclid(86_400))
}

fn custom(from: Option<&str>, to: Option<&str>, today: i64) -> Result<(i64, i64), String> {
    let day = |text: &str| {
        parse_day(text)
            .ok_or_else(|| "A date is written as 2026-11-30. The last 30 days are shown.".to_owned())
    };
    let last = to.map_or(Ok(today), day)?;
    let first = from.map_or(Ok(last - 29), day)?;
    if first > last {
        return Err("The first day lies after the last one. The last 30 days are shown.".to_owned());
    }
    if last - first >= LONGEST {
        return Err("At most five years are shown at once. The last 30 days are shown.".to_owned());
    }
    Ok((first, last + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> i64 {
        parse_day("2026-11-22").unwrap()
    }

    #[test]
    fn presets_end_today() {
        for (range, from, bars, step) in [
            ("7d", "2026-11-16", 7, "day"),
            ("30d", "2026-10-24", 30, "day"),
            ("90d", "2026-08-25", 90, "day"),
            ("12m", "2025-12-01", 12, "month"),
            ("nonsense", "2026-10-24", 30, "day"),
        ] {
            let period = Period::read(Some(range), None, None, today());
            assert_eq!(
                (period.from, period.to, period.buckets.len(), period.step()),
                (parse_day(from).unwrap(), today() + 1, bars, step),
                "{range}"
            );
        }
    }

    #[test]
    fn dates_that_make_no_range_are_told_and_leave_thirty_days() {
        let read = |from, to| Period::read(None, Some(from), Some(to), today());
        assert_eq!(read("2026-02-01", "2026-02-28").words(), "1 – 28 Feb 2026");
        assert_eq!(read("2026-02-01", "").words(), "1 Feb – 22 Nov 2026");
        assert_eq!(read("", "2026-02-01").words(), "3 Jan – 1 Feb 2026");
        assert_eq!(read("2025-12-24", "2026-05-31").step(), "week");
        for (from, to) in [("2026-02-02", "2026-02-01"), ("x", ""), ("2026-02-30", ""), ("1900-01-01", "")] {
            let period = read(from, to);
            assert!(!period.problem.is_empty(), "{from} {to}");
            assert_eq!(period.days(), 30);
        }
    }

    #[test]
    fn figures_fall_into_their_bars_and_into_those_before() {
        let period = Period::read(Some("7d"), None, None, today());
        let rows = [(today(), 5), (today() - 6, 1), (today() - 7, 9), (today() - 13, 2), (today() - 14, 100)];
        let (now, before) = period.sums(&rows, |row| *row);
        assert_eq!((now, before), (vec![1, 0, 0, 0, 0, 0, 5], vec![2, 0, 0, 0, 0, 0, 9]));
        assert_eq!(period.total(&rows, |row| *row), (6, 11));
    }

    #[test]
    fn days_in_words() {
        let words = |from: &str, to: &str| super::words(parse_day(from).unwrap(), parse_day(to).unwrap());
        assert_eq!(words("2026-11-22", "2026-11-23"), "22 Nov 2026");
        assert_eq!(words("2025-12-24", "2026-01-03"), "24 Dec 2025 – 2 Jan 2026");
    }
}
