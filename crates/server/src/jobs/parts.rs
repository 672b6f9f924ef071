//! Months of tables that lie in monthly parts on PostgreSQL.

use crate::App;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tributary_store::track::parts::{MakePart, Parted};
use tributary_store::whole::state::Ends;
use tributary_store::{Db, StoreError};

/// Months made ahead of the running one.
const AHEAD: i32 = 2;

/// Makes the parts of this month and the next ones.
pub(super) async fn make_ahead(app: &App, of: Parted) {
    for part in ahead(of, app.now()) {
        let name = part.name.clone();
        match app.db.write(part).await {
            Ok(true) => tracing::info!(part = name, "made room"),
            Ok(false) => {}
            // Rows of that month lie in the default part already: they stay there, and are found there.
            Err(error) => tracing::debug!(%error, part = name, "a part was not made"),
        }
    }
}

/// The parts of this month and the next ones.
fn ahead(of: Parted, now_ms: i64) -> Vec<MakePart> {
    let last = month_of(now_ms).and_then(|month| instant(month.checked_add(AHEAD.months()).ok()?));
    last.map(|last| months(of, now_ms, last)).unwrap_or_default()
}

/// The parts of all months from one instant to another, both ms UTC; none for instants that no calendar knows.
#[must_use]
pub fn months(of: Parted, first_ms: i64, last_ms: i64) -> Vec<MakePart> {
    let (Some(mut month), Some(last)) = (month_of(first_ms), month_of(last_ms)) else { return Vec::new() };
    let mut parts = Vec::new();
    while month <= last {
        let Some((next, from_ms)) = month.checked_add(1.month()).ok().zip(instant(month)) else { break };
        let Some(to_ms) = instant(next) else { break };
        let name = format!("{}_{:04}_{:02}", of.table(), month.year(), month.month());
        parts.push(MakePart { of, name, from_ms, to_ms });
        month = next;
    }
    parts
}

/// Months made at most for rows that come from elsewhere: what is older goes to the part for strays.
const MONTHS_MAX: usize = 240;

/// Makes the monthly parts that the rows of another database will lie in, before they come.
///
/// # Errors
/// The databases'.
pub async fn make_room(from: &Db, to: &Db) -> Result<(), StoreError> {
    for of in [Parted::Visits, Parted::Payloads] {
        if let Some((first, last)) = from.read(Ends(of)).await? {
            for part in months(of, first, last).into_iter().rev().take(MONTHS_MAX) {
                to.write(part).await?;
            }
        }
    }
    Ok(())
}

/// The first instant (ms UTC) of the month of an instant.
#[must_use]
pub fn month_start(at_ms: i64) -> Option<i64> {
    month_of(at_ms).and_then(instant)
}

/// The first day of the month of an instant.
fn month_of(at_ms: i64) -> Option<Date> {
    let at = Timestamp::from_millisecond(at_ms).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date().first_of_month())
}

fn instant(date: Date) -> Option<i64> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_over_the_turn_of_the_year() {
        // 2026-12-31T23:59:59Z
        let parts = ahead(Parted::Visits, 1_798_761_599_000);
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["visit_2026_12", "visit_2027_01", "visit_2027_02"]);
        assert_eq!(parts[0].to_ms, 1_798_761_600_000);
        assert!(parts.windows(2).all(|two| two[0].to_ms == two[1].from_ms));
    }
}
