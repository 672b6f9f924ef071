//! Connections without a webhook endpoint: `GET /v1/events` into the same inbox, with a cursor and an overlap.

use crate::App;
use crate::connect::credential::NoClient;
use crate::pipeline::fetch::set_status;
use crate::pipeline::worker::Connections;
use crate::stripe::receive::{Receive, new_event};
use std::time::Duration;
use tributary_store::pipeline::objects;
use tributary_store::{StoreError, Tx, Unit, connections, connections::Connection, workspaces};
use tributary_stripe::client::{ApiError, EventsQuery};

/// How far behind the cursor a poll looks again, ms: events may become visible late.
pub(crate) const OVERLAP_MS: i64 = 3_600_000;
/// Pages read in one poll.
const PAGES: usize = 200;
/// Further back than this a poll does not look, ms: what a longer pause left out is the backfill's, which goes on where
/// it was broken off.
const REACH_MS: i64 = 2 * OVERLAP_MS;

/// Polls until dropped.
pub async fn run(app: &App) {
    loop {
        if let Err(error) = poll_all(app).await {
            tracing::error!(%error, "polling stopped for a moment");
        }
        tokio::time::sleep(Duration::from_secs(app.settings.poll_seconds.max(1))).await;
    }
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

async fn poll_all(app: &App) -> Result<(), StoreError> {
    for workspace_id in app.db.read(Workspaces).await? {
        let all = app.db.read(Connections(workspace_id.clone())).await?;
        for connection in all.iter().filter(|c| c.polling && c.status != "disconnected") {
            if let Err(error) = poll(app, connection).await? {
                tracing::warn!(%error, connection = connection.connection_id, "Stripe's events could not be read");
                note(app, connection, &error).await?;
            } else if connection.status == "broken" {
                set_status(app, connection, "connected", "").await?;
            }
        }
    }
    Ok(())
}

/// Why a poll came to nothing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Stripe(#[from] ApiError),
    /// There is nothing to ask with.
    #[error("{0}")]
    Refused(String),
}

async fn note(app: &App, connection: &Connection, error: &Failed) -> Result<(), StoreError> {
    match error {
        Failed::Refused(_) | Failed::Stripe(ApiError::Unauthorised { .. } | ApiError::Forbidden { .. }) => {
            set_status(app, connection, "broken", &error.to_string()).await
        }
        _ => Ok(()),
    }
}

/// Reads the events since the cursor, newest page first, and moves the cursor once all of them are kept.
async fn poll(app: &App, connection: &Connection) -> Result<Result<(), Failed>, StoreError> {
    let started = app.now();
    let data_key = app.data_key(&connection.workspace_id).await?;
    let client = match app.clients.of(app, connection).await {
        Ok(client) => client,
        Err(NoClient::Store(error)) => return Err(error),
        Err(NoClient::Refused(words)) => return Ok(Err(Failed::Refused(words))),
        Err(NoClient::Unavailable(reason)) => {
            return Ok(Err(Failed::Stripe(ApiError::Unavailable { reason })));
        }
    };
    let since = connection.cursor_at.saturating_sub(OVERLAP_MS).max(0);
    let reach = started.saturating_sub(REACH_MS);
    let since_s = since.max(reach).div_euclid(1000);
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let query = EventsQuery {
            created_gte_s: Some(since_s),
            starting_after: after.as_deref(),
            ..EventsQuery::default()
        };
        let page = match client.events(&query).await {
            Ok(page) => page,
            Err(error) => return Ok(Err(Failed::Stripe(error))),
        };
        for odd in &page.unreadable {
            tracing::warn!(odd, connection = connection.connection_id, "an unreadable event was left out");
        }
        let mut kept = Vec::with_capacity(page.events.len());
        for event in &page.events {
            kept.push(new_event(&data_key, connection, &event.envelope, &event.raw, "poll", app.now())?);
        }
        let next = page.events.last().map(|event| event.envelope.id.clone());
        let keep = KeepAll { connection: connection.clone(), events: kept };
        match app.db.write(keep).await? {
            // Wiped while Stripe answered: the next poll begins anew.
            None => return Ok(Ok(())),
            Some(0) => {}
            Some(_) => app.wake.notify_one(),
        }
        if !page.has_more || next.is_none() || next == after {
            if since < reach {
                return Ok(Ok(()));
            }
            let unit = MoveCursor { connection: connection.clone(), to: started };
            app.db.write(unit).await?;
            return Ok(Ok(()));
        }
        after = next;
    }
    tracing::warn!(
        connection = connection.connection_id,
        "more events than one poll reads; the rest comes with the next"
    );
    Ok(Ok(()))
}

/// Keeps a page; answers how many of it are new, or that the connection was wiped since it was read: then nothing is kept.
struct KeepAll {
    connection: Connection,
    events: Vec<tributary_store::pipeline::inbox::NewEvent>,
}

impl Unit for KeepAll {
    type Out = Option<usize>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        objects::lock_connection(tx, ws, con).await?;
        if connections::is_wiped_since(tx, &self.connection).await? {
            return Ok(None);
        }
        let mut new = 0;
        for event in &self.events {
            new += usize::from(Receive::keep(tx, event).await?);
        }
        Ok(Some(new))
    }
}

struct MoveCursor {
    connection: Connection,
    to: i64,
}

impl Unit for MoveCursor {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let c = &self.connection;
        connections::move_cursor(tx, &c.workspace_id, &c.connection_id, self.to).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::tests::harness::{Api, START};

    #[tokio::test]
    async fn a_page_that_was_asked_for_before_a_wipe_is_not_kept() {
        let api = Api::new().await;
        let connection = api.connection().await;
        let raw = br#"{"id":"evt_1","object":"event","created":1800000000,"type":"charge.succeeded","data":{"object":{"id":"ch_1"}}}"#;
        let envelope = tributary_stripe::event::Envelope::parse(raw).unwrap();
        let data_key = api.app.data_key(&connection.workspace_id).await.unwrap();
        let page = |connection: &Connection| KeepAll {
            connection: connection.clone(),
            events: vec![new_event(&data_key, connection, &envelope, raw, "poll", START).unwrap()],
        };
        assert_eq!(api.app.db.write(page(&connection)).await.unwrap(), Some(1));
        crate::connect::wipe::test_data(&api.app, &connection.workspace_id, "somebody").await.unwrap();
        assert_eq!(api.app.db.write(page(&connection)).await.unwrap(), None);
        assert_eq!(api.number("SELECT COUNT(*) FROM event WHERE workspace_id = $1").await, 0);
        assert_eq!(api.app.db.write(page(&api.connection().await)).await.unwrap(), Some(1));
    }
}
