//! Months of the calendar as whole numbers: months since January 1970, UTC. In whole numbers alone, so that SQL and
//! Rust count the same.

/// The month of a day, both since 1970, as an expression over a column `day`; not before the year 0.
macro_rules! month_of_day {
    () => {
        "((100 * ((4 * (day + 719468) + 3) / 146097) \
         + (4 * (((4 * (day + 719468) + 3) % 146097) / 4) + 3) / 1461) * 12 \
         + (5 * (((4 * (((4 * (day + 719468) + 3) % 146097) / 4) + 3) % 1461) / 4) + 2) / 153 - 23638)"
    };
}
pub(crate) use month_of_day;

/// The month of a day, both since 1970.
#[must_use]
pub const fn month_of(day: i64) -> i64 {
    // Years begin in March, so that the day that some years have more is their last.
    let quarters = 4 * (day + 719_468) + 3;
    let (century, day_of_century) = (quarters.div_euclid(146_097), quarters.rem_euclid(146_097) / 4);
    let quarters = 4 * day_of_century + 3;
    let (year, day_of_year) = (quarters / 1_461, quarters % 1_461 / 4);
    (100 * century + year) * 12 + (5 * day_of_year + 2) / 153 - 23_638
}

/// The first day of a month, both since 1970.
#[must_use]
pub const fn first_day_of(month: i64) -> i64 {
    let months = month + 23_638;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5
        - 719_468
}

/// The days from one up to another that is not included, as whole months and the days before and after them: months,
/// days, days, each from one up to another that is not included.
#[must_use]
pub const fn parts_of(from: i64, to: i64) -> [(i64, i64); 3] {
    let first = month_of(from - 1) + 1;
    let end = month_of(to);
    if first >= end {
        return [(0, 0), (from, to), (to, to)];
    }
    [(first, end), (from, first_day_of(first)), (first_day_of(end), to)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        for (day, month) in [(0, 0), (30, 0), (31, 1), (58, 1), (59, 2), (364, 11), (365, 12), (-1, -1)] {
            assert_eq!(month_of(day), month, "day {day}");
        }
        // 29 February and 1 March of 2000 and 2024; 28 February and 1 March of 2100, which has no 29th.
        for (day, month) in [(11_016, 361), (11_017, 362), (19_782, 649), (19_783, 650)] {
            assert_eq!(month_of(day), month, "day {day}");
        }
        for (day, month) in [(47_540, 1_561), (47_541, 1_562)] {
            assert_eq!(month_of(day), month, "day {day}");
        }
        for month in -500..3_000 {
            let first = first_day_of(month);
            assert_eq!((month_of(first - 1), month_of(first)), (month - 1, month));
            assert!((28..=31).contains(&(first_day_of(month + 1) - first)));
        }
    }

    #[test]
    fn sql_counts_the_same() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        let sql = concat!("SELECT ", month_of_day!(), " FROM (SELECT ?1 AS day)");
        let mut statement = db.prepare(sql).unwrap();
        for day in (-20_000..60_000).step_by(7) {
            let month: i64 = statement.query_row([day], |row| row.get(0)).unwrap();
            assert_eq!(month, month_of(day), "day {day}");
        }
    }

    #[test]
    fn a_period_is_its_months_and_the_days_around_them() {
        for (from, to) in [(0, 31), (0, 30), (1, 59), (5, 20), (10, 400), (31, 31), (19_700, 20_065)] {
            let [(first, end), (a, b), (c, d)] = parts_of(from, to);
            let mut days: Vec<i64> = (a..b).chain(c..d).collect();
            days.extend((first..end).flat_map(|month| first_day_of(month)..first_day_of(month + 1)));
            days.sort_unstable();
            assert_eq!(days, (from..to).collect::<Vec<_>>(), "{from} to {to}");
        }
        assert_eq!(parts_of(0, 59), [(0, 2), (0, 0), (59, 59)]);
    }
}
