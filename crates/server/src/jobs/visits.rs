//! Room for visits: monthly parts made ahead, and visitors forgotten once it no longer matters when they came.

use crate::App;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::time::Duration;
use tributary_store::track::parts::{ForgetVisitors, MakePart};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Months made ahead of the running one.
const AHEAD: i32 = 2;
/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(600);

/// Works at once and every ten minutes, until dropped.
pub async fn run(app: &App) {
    loop {
        for part in parts(app.now()) {
            let name = part.name.clone();
            match app.db.write(part).await {
                Ok(true) => tracing::info!(part = name, "made room for visits"),
                Ok(false) => {}
                // Visits of that month lie in the default part already: they stay there, and are found there.
                Err(error) => tracing::debug!(%error, part = name, "a part was not made"),
            }
        }
        if let Err(error) = forget(app).await {
            tracing::debug!(%error, "visitors are forgotten later");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The parts of this month and the next ones.
fn parts(now_ms: i64) -> Vec<MakePart> {
    let Ok(now) = Timestamp::from_millisecond(now_ms) else { return Vec::new() };
    let first = now.to_zoned(TimeZone::UTC).date().first_of_month();
    let start =
        |month: i32| first.checked_add(month.months()).ok().and_then(|date| Some((date, instant(date)?)));
    (0..=AHEAD)
        .filter_map(|month| {
            let ((date, from_ms), (_, to_ms)) = (start(month)?, start(month.saturating_add(1))?);
            Some(MakePart { name: format!("visit_{:04}_{:02}", date.year(), date.month()), from_ms, to_ms })
        })
        .collect()
}

fn instant(date: Date) -> Option<i64> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

async fn forget(app: &App) -> Result<(), StoreError> {
    for workspace_id in app.db.read(Workspaces).await? {
        let unit = || ForgetVisitors { workspace_id: workspace_id.clone(), now: app.now() };
        while app.db.write(unit()).await? > 0 {}
    }
    Ok(())
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_over_the_turn_of_the_year() {
        // 2026-12-31T23:59:59Z
        let parts = parts(1_798_761_599_000);
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["visit_2026_12", "visit_2027_01", "visit_2027_02"]);
        assert_eq!(parts[0].to_ms, 1_798_761_600_000);
        assert!(parts.windows(2).all(|two| two[0].to_ms == two[1].from_ms));
    }
}
