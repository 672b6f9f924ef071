//! Room for raw payloads, and their end: after so many days what was understood of them is enough.
//!
//! On PostgreSQL a month goes as a whole, once its last day is old enough: its events are marked, then the part is
//! dropped. Elsewhere, and where something in the month must stay, payloads go row by row in small batches. What
//! still waits or is parked keeps its payload.

use super::parts::{make_ahead, month_start};
use crate::App;
use std::time::Duration;
use tributary_store::db::Background;
use tributary_store::pipeline::purge::{DropPart, Key, Observations, Parts, Payloads};
use tributary_store::track::parts::Parted;
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(3_600);
/// Pause between two batches: a purge is never in a hurry.
const PAUSE: Duration = Duration::from_millis(20);
/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// Works at once and every hour, until dropped.
pub async fn run(app: &App) {
    loop {
        make_ahead(app, Parted::Payloads).await;
        match purge(app).await {
            Ok(0) => {}
            Ok(purged) => tracing::info!(purged, "raw payloads were purged by age"),
            Err(error) => tracing::warn!(%error, "raw payloads are purged later"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Purges what is older than the setting says; returns how many payloads.
///
/// # Errors
/// The database's. What was purged before stays so.
pub async fn purge(app: &App) -> Result<u64, StoreError> {
    let (days, now) = (app.settings.raw_payload_days, app.now());
    if days == 0 {
        return Ok(0);
    }
    let cutoff = now.saturating_sub(days.saturating_mul(DAY_MS));
    let mut purged = 0;
    let parts = app.db.read(Parts).await?;
    let whole = match &parts {
        None => cutoff,
        Some(parts) => {
            for part in parts.iter().filter(|part| part.to_ms <= cutoff) {
                purged += walk(app, (part.from_ms, part.to_ms), false, now).await?;
                if !app.db.write(DropPart(part.name.clone())).await? {
                    walk(app, (part.from_ms, part.to_ms), true, now).await?;
                }
            }
            // The running month of the cut goes later, as a whole.
            month_start(cutoff).unwrap_or(i64::MIN)
        }
    };
    purged += walk(app, (i64::MIN, whole), true, now).await?;
    Ok(purged + answers(app, cutoff, now).await?)
}

/// Marks the events of a span of time (their own), and deletes their payloads if told to.
async fn walk(app: &App, span: (i64, i64), delete: bool, now: i64) -> Result<u64, StoreError> {
    let (mut after, mut purged): (Option<Key>, u64) = (None, 0);
    loop {
        let batch = Payloads { from_ms: span.0, to_ms: span.1, after, delete, now };
        let (count, last) = app.db.write(Background(batch)).await?;
        purged += count;
        if last.is_none() {
            return Ok(purged);
        }
        after = last;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn answers(app: &App, cutoff: i64, now: i64) -> Result<u64, StoreError> {
    let mut purged = 0;
    for workspace_id in app.db.read(Workspaces).await? {
        let mut after = (String::new(), String::new());
        loop {
            let workspace_id = workspace_id.clone();
            let batch = Observations { workspace_id, before: cutoff, after, now };
            let Some((count, last)) = app.db.write(Background(batch)).await? else { break };
            (purged, after) = (purged + count, last);
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(purged)
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}
