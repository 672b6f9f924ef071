//! Replay: derives everything again from the sources into a fresh database, and compares. It must find nothing
//! to post.

mod copy;

use super::context::Context;
use super::project::ingest;
use super::verify::{Books, read_books};
use super::{fetch, transactions, worker};
use crate::clock::Clock;
use crate::{App, Settings};
use serde::Serialize;
use std::collections::BTreeSet;
use tributary_store::db::Location;
use tributary_store::pipeline::inbox::{self, Observation, StoredEvent};
use tributary_store::pipeline::objects;
use tributary_store::{Db, P, StoreError, Tx, Unit, connections::Connection, workspaces};
use tributary_stripe::facts::Outcome;

/// Sources read at once.
const PAGE: i64 = 256;

/// The outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Events read.
    pub events: u64,
    /// Answers of Stripe read.
    pub observations: u64,
    /// Facts understood.
    pub facts: u64,
    /// Sources whose raw payload was purged, taken from their facts.
    pub from_facts: u64,
    /// Commissions that would have to be posted anew: must be 0.
    pub posted: u64,
    /// They, by economic key, at most 100.
    pub differences: Vec<String>,
    /// The digest of the replayed books.
    pub digest: String,
}

/// Replays everything. `progress` is told (sources done, sources in all).
///
/// # Errors
/// The database's, or no room for the copy.
pub async fn run(app: &App, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Report, StoreError> {
    // What is waiting in the real database would look like a difference.
    worker::drain(app).await?;
    let folder = Folder::new()?;
    let fresh = Db::open(&Location::Sqlite(folder.0.join("replay.db"))).await?;
    fresh.migrate().await?;
    let settings = Settings { link_delay_ms: i64::MAX, ..(*app.settings).clone() };
    let copy = App::new(fresh, app.master().clone(), Clock::fixed(app.now()), settings);
    let result = replay_into(app, &copy, progress).await;
    copy.db.close().await;
    result
}

/// A folder of its own that goes away with the replay.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Result<Self, StoreError> {
        let name = format!("tributary-replay-{}", hex::encode(tributary_store::vault::random::<8>()?));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .map_err(|e| StoreError::Unavailable(format!("{}: {e}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "the replay's folder could not be removed");
        }
    }
}

async fn replay_into(
    app: &App,
    copy: &App,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Report, StoreError> {
    copy::all(&app.db, &copy.db).await?;
    let mut report = Report::default();
    let total = app.db.read(Count).await?;
    for (workspace_id, ..) in app.db.read(Workspaces).await? {
        for connection in app.db.read(worker::Connections(workspace_id.clone())).await? {
            events(app, copy, &connection, &mut report, progress, total).await?;
            observations(app, copy, &connection, &mut report, progress, total).await?;
        }
        let rows = app.db.read(Transactions(workspace_id.clone())).await?;
        report.facts += rows.len() as u64;
        copy.db.write(Project { workspace_id, rows, now: copy.now() }).await?;
    }
    worker::drain(copy).await?;
    compare(app, copy, &mut report).await?;
    Ok(report)
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<(String, String, Vec<u8>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        workspaces::list_workspaces(tx).await
    }
}

struct Count;
impl Unit for Count {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let sql = "SELECT (SELECT COUNT(*) FROM event) + (SELECT COUNT(*) FROM observation)";
        let count = tx.opt(sql, &[]).await?.map_or(Ok(0), |row| row.int(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

async fn events(
    app: &App,
    copy: &App,
    connection: &Connection,
    report: &mut Report,
    progress: &(dyn Fn(u64, u64) + Sync),
    total: u64,
) -> Result<(), StoreError> {
    let data_key = app.data_key(&connection.workspace_id).await?;
    let mut after = String::new();
    loop {
        let page = app.db.read(EventPage { connection: connection.clone(), after: after.clone() }).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.event.event_id.clone();
        let mut batch = Ingest::new(connection, copy.now());
        for row in page {
            report.events += 1;
            if row.kept_apart {
                continue;
            }
            match worker::understand(&data_key, &connection.connection_id, &row.event) {
                Ok((source, people, Outcome::Relevant, _)) => {
                    report.facts += source.facts.len() as u64;
                    batch.sources.push(source);
                    batch.people.extend(people);
                }
                // What a thin event had fetched is an observation of its own.
                Ok((_, _, Outcome::Ignored { .. } | Outcome::Fetch { .. }, _)) => {}
                Err(_) if row.event.body.is_none() => {
                    report.from_facts += 1;
                    report.facts += row.facts.len() as u64;
                    let source_id = row.event.event_id.clone();
                    batch.sources.push(super::world::Source { source_id, facts: row.facts });
                }
                // It was parked for the same reason when it came.
                Err(reason) => {
                    tracing::warn!(reason, event = row.event.event_id, "an event cannot be replayed")
                }
            }
        }
        copy.db.write(batch).await?;
        progress(report.events + report.observations, total);
    }
}

struct EventRow {
    event: StoredEvent,
    facts: Vec<tributary_domain::fact::Fact>,
    /// Of the other mode or another account: never projected.
    kept_apart: bool,
}

struct EventPage {
    connection: Connection,
    after: String,
}

impl Unit for EventPage {
    type Out = Vec<EventRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        let mut rows = Vec::new();
        for event in inbox::events_after(tx, ws, con, &self.after, PAGE).await? {
            let facts = match event.body {
                Some(_) => Vec::new(),
                None => objects::facts_of_source(tx, ws, con, &event.event_id).await?,
            };
            let sql =
                "SELECT outcome FROM event WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3";
            let row = tx.opt(sql, &[P::T(ws), P::T(con), P::T(&event.event_id)]).await?;
            let outcome = row.map_or(Ok(String::new()), |row| row.text(0))?;
            let kept_apart = outcome != "processed";
            rows.push(EventRow { event, facts, kept_apart });
        }
        Ok(rows)
    }
}

async fn observations(
    app: &App,
    copy: &App,
    connection: &Connection,
    report: &mut Report,
    progress: &(dyn Fn(u64, u64) + Sync),
    total: u64,
) -> Result<(), StoreError> {
    let data_key = app.data_key(&connection.workspace_id).await?;
    let mut after = String::new();
    loop {
        let page =
            app.db.read(ObservationPage { connection: connection.clone(), after: after.clone() }).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.observation_id.clone();
        let mut batch = Ingest::new(connection, copy.now());
        for row in page {
            let place = inbox::observation_place(&connection.connection_id, &row.observation_id);
            let body = data_key.open(&place, &row.body)?;
            let (source, people) = fetch::understand(&data_key, &row, &body)?;
            report.observations += 1;
            report.facts += source.facts.len() as u64;
            batch.sources.push(source);
            batch.people.extend(people);
        }
        copy.db.write(batch).await?;
        progress(report.events + report.observations, total);
    }
}

struct ObservationPage {
    connection: Connection,
    after: String,
}

impl Unit for ObservationPage {
    type Out = Vec<Observation>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let c = &self.connection;
        inbox::observations_after(tx, &c.workspace_id, &c.connection_id, &self.after, PAGE).await
    }
}

/// Sources to be projected in the copy.
struct Ingest {
    connection: Connection,
    sources: Vec<super::world::Source>,
    people: super::project::People,
    now: i64,
}

impl Ingest {
    fn new(connection: &Connection, now: i64) -> Self {
        let people = super::project::People::new();
        Self { connection: connection.clone(), sources: Vec::new(), people, now }
    }
}

impl Unit for Ingest {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let c = &self.connection;
        // The copy asks nobody: look-ups are never due.
        let ctx = Context::load(tx, &c.workspace_id, &c.connection_id, &c.mode, self.now, i64::MAX).await?;
        ingest(tx, &ctx, &self.sources, &self.people).await
    }
}

struct TransactionRow {
    connection_id: String,
    mode: String,
    stored: transactions::Stored,
}

struct Transactions(String);
impl Unit for Transactions {
    type Out = Vec<TransactionRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let sql = "SELECT connection_id, mode, program_id, key, customer_id, body FROM api_transaction \
             WHERE workspace_id = $1 ORDER BY mode, program_id, key";
        let rows = tx.rows(sql, &[P::T(&self.0)]).await?;
        rows.iter()
            .map(|row| {
                let stored =
                    transactions::Stored::read(row.text(2)?, row.text(3)?, row.text(4)?, &row.text(5)?)?;
                Ok(TransactionRow { connection_id: row.text(0)?, mode: row.text(1)?, stored })
            })
            .collect()
    }
}

struct Project {
    workspace_id: String,
    rows: Vec<TransactionRow>,
    now: i64,
}

impl Unit for Project {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for row in &self.rows {
            let (ws, con) = (&self.workspace_id, &row.connection_id);
            transactions::project(tx, ws, con, &row.mode, &row.stored, self.now).await?;
        }
        Ok(())
    }
}

struct ReadBooks;
impl Unit for ReadBooks {
    type Out = Books;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Books, StoreError> {
        let mut books = Books::default();
        for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
            read_books(tx, &workspace_id, &mut books).await?;
        }
        Ok(books)
    }
}

async fn compare(app: &App, copy: &App, report: &mut Report) -> Result<(), StoreError> {
    let (real, replayed) = (app.db.read(ReadBooks).await?, copy.db.read(ReadBooks).await?);
    let keys: BTreeSet<_> = real.targets.keys().chain(replayed.targets.keys()).collect();
    for key in keys {
        let (is, should) = (real.targets.get(key).unwrap_or(&0), replayed.targets.get(key).unwrap_or(&0));
        if is != should {
            report.posted += 1;
            if report.differences.len() < 100 {
                report
                    .differences
                    .push(format!("{}: the ledger has {is}, the sources give {should}", key.join(" ")));
            }
        }
    }
    report.digest = replayed.books.digest();
    Ok(())
}
