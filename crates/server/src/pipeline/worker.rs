//! Drives the way of a payment: woken after a commit that gave it work, and once a second anyway.

use super::context::Context;
use super::fetch::{self, back_off_ms};
use super::mature::Mature;
use super::place::PlaceMarked;
use super::project::{People, ingest};
use super::settle::SettleScopes;
use super::world::Source;
use crate::App;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tributary_store::db::Background;
use tributary_store::pipeline::inbox::{self, EventOutcome, StoredEvent};
use tributary_store::pipeline::jobs;
use tributary_store::pipeline::{objects, sales, scopes};
use tributary_store::vault::Key;
use tributary_store::{StoreError, Tx, Unit, connections, connections::Connection, workspaces};
use tributary_stripe::facts::{Outcome, facts_of_event};

/// Events taken in one transaction: it delays those who wait for SQLite's writer by some 40 ms.
const BATCH: usize = 128;
/// Events read at once.
const AHEAD: i64 = 256;
/// Scopes settled in one transaction.
const SCOPES: i64 = 128;
/// Transactions of settlement before events are looked for again: neither starves the other.
const SETTLEMENTS: usize = 4;
/// How often look-ups at Stripe let the inbox go first, half a second each.
const PATIENCE: usize = 20;
/// How often sales are looked for that wait while nothing asks.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Tries before an event is parked.
const TRIES: i64 = 12;

/// Runs until `stop`: projects, places, settles and matures, and asks Stripe what is missing.
pub async fn run(app: App, stop: impl Future<Output = ()> + Send) {
    let busy = AtomicBool::new(false);
    let pipeline = async {
        loop {
            busy.store(true, Ordering::Relaxed);
            if let Err(error) = drain(&app).await {
                app.db.set_behind(false);
                tracing::error!(%error, "the pipeline stopped for a moment");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            busy.store(false, Ordering::Relaxed);
            drop(tokio::time::timeout(Duration::from_secs(1), app.wake.notified()).await);
        }
    };
    let look_ups = async {
        let mut turns = 0;
        let mut looked: Option<Instant> = None;
        loop {
            // The inbox may hold the answer already: while there is much in it, Stripe is asked less often.
            if app.db.is_behind() && turns < PATIENCE {
                turns += 1;
                tokio::time::sleep(Duration::from_millis(500)).await;
                continue;
            }
            turns = 0;
            if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
                looked = Some(Instant::now());
                if let Err(error) = super::waiting::ask_again(&app).await {
                    tracing::error!(%error, "sales that wait could not be looked through");
                }
            }
            match fetch_all(&app).await {
                Ok(0) => tokio::time::sleep(Duration::from_millis(500)).await,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "look-ups at Stripe stopped for a moment");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
    };
    tokio::select! {
        () = pipeline => {}
        () = look_ups => {}
        () = super::seal::run(&app, &busy) => {}
        () = statistics(&app, &busy) => {}
        () = super::super::jobs::poll::run(&app) => {}
        () = super::super::jobs::backfill::run(&app) => {}
        () = super::super::jobs::health::run(&app) => {}
        () = super::super::jobs::alerts::run(&app) => {}
        () = stop => {}
    }
}

/// While there is work, lets the database know how its tables have grown.
async fn statistics(app: &App, busy: &AtomicBool) {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if busy.load(Ordering::Relaxed)
            && let Err(error) = app.db.count_grown().await
        {
            // Plans are worse then, and the database counts by itself later.
            tracing::warn!(%error, "the database could not be told to count its tables");
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }
}

/// Does every look-up at Stripe that is due, in all workspaces. Returns how many.
///
/// # Errors
/// The database's; an error of Stripe is kept with its job.
pub async fn fetch_all(app: &App) -> Result<usize, StoreError> {
    let mut count = 0;
    for workspace_id in app.db.read(Workspaces).await? {
        count += fetch::run_due(app, &app.clients, &workspace_id).await?;
    }
    Ok(count)
}

/// Does somebody hold a look-up at Stripe, in any workspace? A running server may have taken one before [`fetch_all`].
///
/// # Errors
/// The database's.
pub async fn fetching(app: &App) -> Result<bool, StoreError> {
    for workspace_id in app.db.read(Workspaces).await? {
        if fetch::under_way(app, &workspace_id).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Works until nothing is left that can be done without asking Stripe. Returns how many journals were posted.
///
/// # Errors
/// The database's. What was committed before stays.
pub async fn drain(app: &App) -> Result<usize, StoreError> {
    let mut posted = 0;
    for workspace_id in app.db.read(Workspaces).await? {
        loop {
            let (mut worked, mut behind) = (0, false);
            for connection in app.db.read(Connections(workspace_id.clone())).await? {
                let events = project_due(app, &connection).await?;
                behind |= i64::try_from(events) == Ok(AHEAD);
                worked += events;
            }
            app.db.set_behind(behind);
            worked += place_marked(app, &workspace_id).await?;
            for _ in 0..SETTLEMENTS {
                let (scopes, journals) = settle_dirty(app, &workspace_id).await?;
                (worked, posted) = (worked + scopes, posted + journals);
                if scopes == 0 {
                    break;
                }
            }
            if worked == 0 {
                break;
            }
        }
        while app.db.write(Background(mature(app, &workspace_id))).await? == 200 {}
    }
    Ok(posted)
}

fn mature(app: &App, workspace_id: &str) -> Mature {
    Mature { workspace_id: workspace_id.to_owned(), now: app.now(), limit: 200 }
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

pub(crate) struct Connections(pub(crate) String);
impl Unit for Connections {
    type Out = Vec<Connection>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Connection>, StoreError> {
        connections::list(tx, &self.0).await
    }
}

/// Takes due events of a connection, a few batches. Returns how many events.
async fn project_due(app: &App, connection: &Connection) -> Result<usize, StoreError> {
    let data_key = app.data_key(&connection.workspace_id).await?;
    let due = Due { connection: connection.clone(), now: app.now() };
    let events = app.db.read(due).await?;
    let count = events.len();
    let (purged, events): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.body.is_none());
    super::purged::run_again(app, connection, &purged).await?;
    let mut slices = events.chunks(BATCH);
    let mut next = slices.next().map(|slice| Batch::read(app, connection, &data_key, slice));
    while let Some(batch) = next.take() {
        // The next is read while this one is written.
        let ahead = async { slices.next().map(|slice| Batch::read(app, connection, &data_key, slice)) };
        let (written, ahead) = tokio::join!(app.db.write(Background(batch.clone())), ahead);
        next = ahead;
        match written {
            Ok(()) => {}
            Err(error) if error.is_unavailable() => return Err(error),
            Err(_) => project_apart(app, batch, &events).await?,
        }
    }
    super::erase::redact::drop_ignored(app, connection, &events).await?;
    Ok(count)
}

/// One event spoils the batch: each on its own, and the guilty one waits or is parked.
async fn project_apart(app: &App, mut batch: Batch, events: &[StoredEvent]) -> Result<(), StoreError> {
    for one in batch.split() {
        let failed = app.db.write(Background(one.clone())).await.err();
        if let Some(error) = failed {
            if error.is_unavailable() {
                return Err(error);
            }
            app.db.write(one.failed(&error.to_string(), events, app.now())).await?;
        }
    }
    Ok(())
}

struct Due {
    connection: Connection,
    now: i64,
}

impl Unit for Due {
    type Out = Vec<StoredEvent>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<StoredEvent>, StoreError> {
        let c = &self.connection;
        inbox::due_events(tx, &c.workspace_id, &c.connection_id, self.now, AHEAD).await
    }
}

/// Events that were read, to be projected in one transaction.
#[derive(Clone)]
struct Batch {
    connection: Connection,
    sources: Vec<Source>,
    people: People,
    outcomes: Vec<EventOutcome>,
    /// Jobs that thin events ask for: (event, body).
    asks: Vec<(String, String)>,
    /// When the account withdrew its authorisation, by the events of this batch, ms UTC.
    withdrawn: Option<i64>,
    now: i64,
    link_delay_ms: i64,
}

/// What one stored event says, and remarks on odd fields.
///
/// # Errors
/// A sentence: the payload is purged, cannot be opened, or is no event.
pub fn understand(
    data_key: &Key,
    connection_id: &str,
    event: &StoredEvent,
) -> Result<(Source, People, Outcome, Vec<String>), String> {
    let Some(body) = &event.body else { return Err("its payload was purged".to_owned()) };
    let place = inbox::payload_place(connection_id, &event.event_id);
    let raw = data_key.open(&place, body).map_err(|e| e.to_string())?;
    let hash = |email: &str| data_key.keyed_hash("email", email).unwrap_or_default();
    let understood = facts_of_event(&raw, &hash).map_err(|e| e.to_string())?;
    let people = fetch::people_of(data_key, understood.people).map_err(|e| e.to_string())?;
    let source = Source { source_id: event.event_id.clone(), facts: understood.facts };
    Ok((source, people, understood.outcome, understood.notes))
}

/// When an account withdrew its authorisation, if the event says so. Read again, because it says nothing of sales.
fn withdrawn(data_key: &Key, connection: &Connection, event: &StoredEvent) -> Option<i64> {
    if connection.auth == "key" {
        return None;
    }
    let body = event.body.as_ref()?;
    let raw = data_key.open(&inbox::payload_place(&connection.connection_id, &event.event_id), body).ok()?;
    let envelope = tributary_stripe::event::Envelope::parse(&raw).ok()?;
    (envelope.type_ == tributary_stripe::events::DEAUTHORIZED).then_some(envelope.created_ms)
}

impl Batch {
    fn read(app: &App, connection: &Connection, data_key: &Key, events: &[StoredEvent]) -> Self {
        let now = app.now();
        let mut batch = Self {
            connection: connection.clone(),
            sources: Vec::new(),
            people: People::new(),
            outcomes: Vec::new(),
            asks: Vec::new(),
            withdrawn: None,
            now,
            link_delay_ms: app.settings.link_delay_ms,
        };
        for event in events {
            let (outcome, reason) = match understand(data_key, &connection.connection_id, event) {
                Ok((_, _, Outcome::Ignored { reason }, _)) => {
                    batch.withdrawn = batch.withdrawn.max(withdrawn(data_key, connection, event));
                    ("ignored", reason)
                }
                Ok((source, people, Outcome::Relevant, notes)) => {
                    batch.sources.push(source);
                    batch.people.extend(people);
                    // What was odd about it is told, though the rest was understood.
                    ("processed", notes.join(" "))
                }
                Ok((_, _, Outcome::Fetch { id, .. }, _)) => batch.ask(&event.event_id, &id),
                Err(reason) => ("parked", reason),
            };
            let attempts = event.attempts + 1;
            let event_id = event.event_id.clone();
            batch.outcomes.push(EventOutcome { event_id, outcome, reason, attempts, run_at: now });
        }
        batch
    }

    /// A thin event: its object is fetched once this batch is written.
    fn ask(&mut self, event_id: &str, id: &str) -> (&'static str, String) {
        match fetch::body_of_object(&self.connection.connection_id, id, event_id) {
            Ok(Some(body)) => {
                self.asks.push((event_id.to_owned(), body));
                ("processed", format!("A thin event: {id} is fetched from Stripe."))
            }
            Ok(None) => {
                ("ignored", "A thin event about an object that Tributary does not follow.".to_owned())
            }
            Err(error) => ("parked", error.to_string()),
        }
    }

    /// One batch for each event.
    fn split(&mut self) -> Vec<Self> {
        let outcomes = std::mem::take(&mut self.outcomes);
        let of = |outcome: EventOutcome| {
            let mine = |source: &&Source| source.source_id == outcome.event_id;
            let sources = self.sources.iter().filter(mine).cloned().collect();
            let asks = self.asks.iter().filter(|(event, _)| *event == outcome.event_id).cloned().collect();
            Self { sources, asks, outcomes: vec![outcome], ..self.clone() }
        };
        outcomes.into_iter().map(of).collect()
    }

    /// The same event, to be tried later or parked.
    fn failed(mut self, error: &str, events: &[StoredEvent], now: i64) -> Self {
        self.sources.clear();
        self.asks.clear();
        for outcome in &mut self.outcomes {
            let before = events.iter().find(|event| event.event_id == outcome.event_id);
            let tries = before.map_or(0, |event| event.attempts);
            let park = tries + 1 >= TRIES;
            outcome.outcome = if park { "parked" } else { "pending" };
            outcome.reason = error.to_owned();
            outcome.run_at = now.saturating_add(back_off_ms(tries));
        }
        self
    }
}

impl Unit for Batch {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        tx.remember_settings();
        objects::lock_connection(tx, ws, con).await?;
        // Test data may have been wiped since the events were read: of what is gone, nothing is written.
        if inbox::set_outcomes(tx, ws, con, &self.outcomes, self.now).await? < self.outcomes.len() {
            return match self.outcomes.len() {
                1 => Ok(()),
                _ => Err(StoreError::NotFound("an event of the batch was wiped meanwhile".to_owned())),
            };
        }
        if !self.sources.is_empty() {
            let mode = &self.connection.mode;
            let ctx = Context::load(tx, ws, con, mode, self.now, self.link_delay_ms).await?;
            ingest(tx, &ctx, &self.sources, &self.people).await?;
        }
        let asks: Vec<String> = self.asks.iter().map(|(_, body)| body.clone()).collect();
        jobs::enqueue(tx, ws, fetch::KIND, &asks, self.now, self.now).await?;
        if let Some(at) = self.withdrawn {
            crate::connect::credential::withdrawn(tx, ws, con, at, self.now).await?;
        }
        Ok(())
    }
}

struct Marked(String);
impl Unit for Marked {
    type Out = Vec<(String, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let mut marked = Vec::new();
        for connection_id in sales::connections_with_unplaced(tx, &self.0).await? {
            let mode = match connections::find(tx, &self.0, &connection_id).await? {
                Some(connection) => connection.mode,
                None => connection_id.rsplit_once(':').map_or("test", |(_, mode)| mode).to_owned(),
            };
            marked.push((connection_id, mode));
        }
        Ok(marked)
    }
}

async fn place_marked(app: &App, workspace_id: &str) -> Result<usize, StoreError> {
    let mut count = 0;
    for (connection_id, mode) in app.db.read(Marked(workspace_id.to_owned())).await? {
        let unit = PlaceMarked {
            workspace_id: workspace_id.to_owned(),
            connection_id,
            mode,
            now: app.now(),
            limit: super::settle::CHUNK,
        };
        count += app.db.write(Background(unit)).await?;
    }
    Ok(count)
}

struct Dirty(String);
impl Unit for Dirty {
    type Out = Vec<(String, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        scopes::dirty(tx, &self.0, SCOPES).await
    }
}

async fn settle_dirty(app: &App, workspace_id: &str) -> Result<(usize, usize), StoreError> {
    let scopes = app.db.read(Dirty(workspace_id.to_owned())).await?;
    if scopes.is_empty() {
        return Ok((0, 0));
    }
    let settle = |scopes: Vec<(String, String)>| SettleScopes {
        workspace_id: workspace_id.to_owned(),
        scopes,
        now: app.now(),
    };
    let count = scopes.len();
    match app.db.write(Background(settle(scopes.clone()))).await {
        Ok(posted) => Ok((count, posted)),
        Err(error) if error.is_unavailable() => Err(error),
        // One scope spoils the batch: the others must not wait for it.
        Err(_) => {
            let (mut done, mut posted, mut last) = (0, 0, None);
            for scope in scopes {
                let name = format!("{scope:?}");
                match app.db.write(Background(settle(vec![scope]))).await {
                    Ok(journals) => (done, posted) = (done + 1, posted + journals),
                    Err(error) => {
                        tracing::error!(%error, scope = name, "a scope cannot be settled");
                        last = Some(error);
                    }
                }
            }
            last.filter(|_| done == 0).map_or(Ok((done, posted)), Err)
        }
    }
}

/// Puts an event back into the queue. `false` if there is no such event.
///
/// # Errors
/// The database's.
pub async fn rerun_event(
    app: &App,
    workspace_id: &str,
    connection_id: &str,
    event_id: &str,
) -> Result<bool, StoreError> {
    let unit = Rerun {
        workspace_id: workspace_id.to_owned(),
        connection_id: connection_id.to_owned(),
        event_id: event_id.to_owned(),
        now: app.now(),
    };
    let found = app.db.write(unit).await?;
    app.wake.notify_one();
    Ok(found)
}

struct Rerun {
    workspace_id: String,
    connection_id: String,
    event_id: String,
    now: i64,
}

impl Unit for Rerun {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        inbox::requeue_event(tx, &self.workspace_id, &self.connection_id, &self.event_id, self.now).await
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
