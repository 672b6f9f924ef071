//! Raw payloads that hold a person: every kept one is opened and searched.

use super::super::worker;
use super::Erased;
use super::person::Person;
use crate::App;
use tributary_store::pipeline::inbox::{self, Observation, StoredEvent};
use tributary_store::pipeline::purge;
use tributary_store::{StoreError, Tx, Unit, connections::Connection};

/// Payloads opened at once.
const PAGE: i64 = 256;

/// Takes away the payloads of events and the bodies of answers that name the person, of those that came at or after an
/// instant (ms UTC).
pub(super) async fn drop_those_of(
    app: &App,
    workspace_id: &str,
    person: &Person,
    since: i64,
    erased: &mut Erased,
) -> Result<(), StoreError> {
    let data_key = app.data_key(workspace_id).await?;
    for connection in app.db.read(worker::Connections(workspace_id.to_owned())).await? {
        let con = connection.connection_id.clone();
        let needles = person.needles(&con);
        if needles.is_empty() {
            continue;
        }
        let mut after = String::new();
        loop {
            let page = app.db.read(Events { connection: connection.clone(), after: after.clone() }).await?;
            let Some((last, _)) = page.last() else { break };
            after.clone_from(&last.event_id);
            let mut keys = Vec::new();
            for (event, _) in page.iter().filter(|(event, waits)| event.received_at >= since && !waits) {
                let Some(body) = &event.body else { continue };
                let raw = data_key.open(&inbox::payload_place(&con, &event.event_id), body)?;
                if names(&raw, &needles) {
                    keys.push((con.clone(), event.event_id.clone()));
                }
            }
            erased.payloads += keys.len() as u64;
            drop_keys(app, workspace_id, keys, Kind::Event).await?;
        }
        let mut after = String::new();
        loop {
            let page = app.db.read(Answers { connection: connection.clone(), after: after.clone() }).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.observation_id);
            let mut keys = Vec::new();
            for answer in page.iter().filter(|row| row.fetched_at >= since && !row.body.is_empty()) {
                let place = inbox::observation_place(&con, &answer.observation_id);
                let raw = data_key.open(&place, &answer.body)?;
                if names(&raw, &needles) {
                    keys.push((con.clone(), answer.observation_id.clone()));
                }
            }
            erased.observations += keys.len() as u64;
            drop_keys(app, workspace_id, keys, Kind::Observation).await?;
        }
    }
    Ok(())
}

/// Does a payload contain one of the texts? They are in lower case.
pub(super) fn names(raw: &[u8], needles: &[String]) -> bool {
    let text = String::from_utf8_lossy(raw).to_ascii_lowercase();
    needles.iter().any(|needle| text.contains(needle.as_str()))
}

async fn drop_keys(
    app: &App,
    workspace_id: &str,
    keys: Vec<(String, String)>,
    kind: Kind,
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    app.db.write(Drop { workspace_id: workspace_id.to_owned(), keys, kind, now: app.now() }).await
}

#[derive(Clone, Copy)]
enum Kind {
    Event,
    Observation,
}

struct Drop {
    workspace_id: String,
    keys: Vec<(String, String)>,
    kind: Kind,
    now: i64,
}

impl Unit for Drop {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        match self.kind {
            Kind::Event => purge::drop_payloads(tx, &self.workspace_id, &self.keys, self.now).await,
            Kind::Observation => purge::empty_bodies(tx, &self.workspace_id, &self.keys, self.now).await,
        }
    }
}

struct Events {
    connection: Connection,
    after: String,
}

impl Unit for Events {
    /// With: does it wait? Then it needs its payload, and loses it when it was understood.
    type Out = Vec<(StoredEvent, bool)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        let events = inbox::events_after(tx, ws, con, &self.after, PAGE).await?;
        let ids: Vec<&str> = events.iter().map(|event| event.event_id.as_str()).collect();
        let outcomes = inbox::outcomes_of(tx, ws, con, &ids).await?;
        Ok(events.into_iter().zip(outcomes).map(|(event, outcome)| (event, outcome == "pending")).collect())
    }
}

struct Answers {
    connection: Connection,
    after: String,
}

impl Unit for Answers {
    type Out = Vec<Observation>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let c = &self.connection;
        inbox::observations_after(tx, &c.workspace_id, &c.connection_id, &self.after, PAGE).await
    }
}
