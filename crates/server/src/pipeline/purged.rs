//! Events whose raw payload was purged, run again: from what was understood of them when they came.

use super::context::Context;
use super::project::{People, ingest};
use super::world::Source;
use crate::App;
use tributary_store::db::Background;
use tributary_store::pipeline::inbox::{self, EventOutcome, StoredEvent};
use tributary_store::pipeline::objects;
use tributary_store::{StoreError, Tx, Unit, connections::Connection};

/// Projects each on its own; one that cannot be is parked.
///
/// # Errors
/// The database's, where it is not available.
pub(super) async fn run_again(
    app: &App,
    connection: &Connection,
    events: &[StoredEvent],
) -> Result<(), StoreError> {
    for event in events {
        let again = |parked: Option<String>| Again {
            connection: connection.clone(),
            event_id: event.event_id.clone(),
            attempts: event.attempts.saturating_add(1),
            now: app.now(),
            link_delay_ms: app.settings.link_delay_ms,
            parked,
        };
        match app.db.write(Background(again(None))).await {
            Ok(()) => {}
            Err(error) if error.is_unavailable() => return Err(error),
            Err(error) => app.db.write(again(Some(error.to_string()))).await?,
        }
    }
    Ok(())
}

struct Again {
    connection: Connection,
    event_id: String,
    attempts: i64,
    now: i64,
    link_delay_ms: i64,
    /// Why it cannot be projected.
    parked: Option<String>,
}

impl Unit for Again {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        objects::lock_connection(tx, ws, con).await?;
        let facts = objects::facts_of_source(tx, ws, con, &self.event_id).await?;
        let (outcome, reason) = match &self.parked {
            Some(reason) => ("parked", reason.clone()),
            None if facts.is_empty() => {
                ("ignored", "Its payload was purged, and nothing of it mattered when it came.".to_owned())
            }
            None => {
                ("processed", "Its payload was purged: run again from what was understood of it.".to_owned())
            }
        };
        if outcome == "processed" {
            let mode = &self.connection.mode;
            let ctx = Context::load(tx, ws, con, mode, self.now, self.link_delay_ms).await?;
            let source = Source { source_id: self.event_id.clone(), facts };
            ingest(tx, &ctx, &[source], &People::new()).await?;
        }
        let outcome = EventOutcome {
            event_id: self.event_id.clone(),
            outcome,
            reason,
            attempts: self.attempts,
            run_at: self.now,
        };
        inbox::set_outcomes(tx, ws, con, &[outcome], self.now).await.map(drop)
    }
}
