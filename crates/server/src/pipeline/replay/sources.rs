//! Reads every source again, a page at a time, and projects it in the copy.

use super::super::context::Context;
use super::super::project::{People, ingest};
use super::super::world::Source;
use super::super::{fetch, transactions, worker};
use super::{Progress, Report};
use crate::App;
use std::collections::BTreeSet;
use tributary_domain::attribution::is_visit_id;
use tributary_domain::fact::{Fact, Value};
use tributary_store::pipeline::inbox::{self, Observation, StoredEvent};
use tributary_store::pipeline::{objects, visits};
use tributary_store::vault::Key;
use tributary_store::{Db, P, StoreError, Tx, Unit, connections::Connection, workspaces};
use tributary_stripe::facts::Outcome;

/// Sources read at once.
const PAGE: i64 = 256;

/// Where sources are read, and where they are projected.
pub(super) struct Sources<'a> {
    /// Events, observations and what the API wrote.
    pub(super) inbox: &'a Db,
    /// What was understood of those whose payload was purged; and visits, where the copy has none.
    pub(super) facts: &'a Db,
    /// Where everything is derived anew.
    pub(super) copy: &'a App,
    /// Must the visits that a purchase names be brought along?
    pub(super) bring_visits: bool,
}

/// Projects all sources of all workspaces.
pub(super) async fn project(
    from: &Sources<'_>,
    report: &mut Report,
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    let total = from.inbox.read(Count).await?;
    for (workspace_id, ..) in from.inbox.read(Workspaces).await? {
        let data_key = from.copy.data_key(&workspace_id).await?;
        for connection in from.inbox.read(worker::Connections(workspace_id.clone())).await? {
            let place = Place { from, connection, data_key: &data_key, total };
            place.events(report, progress).await?;
            place.observations(report, progress).await?;
        }
        let rows = from.inbox.read(Transactions(workspace_id.clone())).await?;
        report.facts += rows.len() as u64;
        let now = from.copy.now();
        for page in rows.chunks(256) {
            let rows = page.to_vec();
            from.copy.db.write(Project { workspace_id: workspace_id.clone(), rows, now }).await?;
        }
    }
    Ok(())
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

/// One connection's sources.
struct Place<'a> {
    from: &'a Sources<'a>,
    connection: Connection,
    data_key: &'a Key,
    total: u64,
}

impl Place<'_> {
    async fn events(&self, report: &mut Report, progress: Progress<'_>) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let connection = self.connection.clone();
            let page = self.from.inbox.read(EventPage { connection, after: after.clone() }).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after.clone_from(&last.event_id);
            let purged = page.iter().filter(|(event, kept_apart)| event.body.is_none() && !kept_apart);
            let purged: Vec<String> = purged.map(|(event, _)| event.event_id.clone()).collect();
            let mut batch = self.stored(&purged, report).await?;
            for (event, kept_apart) in &page {
                report.events += 1;
                if *kept_apart || event.body.is_none() {
                    continue;
                }
                match worker::understand(self.data_key, &self.connection.connection_id, event) {
                    Ok((source, people, Outcome::Relevant, _)) => batch.add(source, people, report),
                    // What a thin event had fetched is an observation of its own.
                    Ok((_, _, Outcome::Ignored { .. } | Outcome::Fetch { .. }, _)) => {}
                    // It was parked for the same reason when it came.
                    Err(reason) => {
                        tracing::warn!(reason, event = event.event_id, "an event cannot be replayed");
                    }
                }
            }
            self.ingest(batch).await?;
            progress(report.events + report.observations, self.total);
        }
    }

    async fn observations(&self, report: &mut Report, progress: Progress<'_>) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let connection = self.connection.clone();
            let page = self.from.inbox.read(ObservationPage { connection, after: after.clone() }).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.observation_id);
            let purged = page.iter().filter(|row| row.body.is_empty());
            let purged: Vec<String> = purged.map(|row| row.observation_id.clone()).collect();
            let mut batch = self.stored(&purged, report).await?;
            for row in &page {
                report.observations += 1;
                if row.body.is_empty() {
                    continue;
                }
                let place = inbox::observation_place(&self.connection.connection_id, &row.observation_id);
                let body = self.data_key.open(&place, &row.body)?;
                let (source, people) = fetch::understand(self.data_key, row, &body)?;
                batch.add(source, people, report);
            }
            self.ingest(batch).await?;
            progress(report.events + report.observations, self.total);
        }
    }

    /// A batch that begins with what was understood of sources whose payload was purged.
    async fn stored(&self, purged: &[String], report: &mut Report) -> Result<Ingest, StoreError> {
        let connection = self.connection.clone();
        let copy = self.from.copy;
        let (now, link_delay_ms) = (copy.now(), copy.settings.link_delay_ms);
        let mut batch = Ingest { connection, sources: Vec::new(), people: People::new(), now, link_delay_ms };
        if !purged.is_empty() {
            let ask = Stored { connection: self.connection.clone(), source_ids: purged.to_vec() };
            for source in self.from.facts.read(ask).await? {
                report.from_facts += 1;
                batch.add(source, People::new(), report);
            }
        }
        Ok(batch)
    }

    async fn ingest(&self, batch: Ingest) -> Result<(), StoreError> {
        if batch.sources.is_empty() {
            return Ok(());
        }
        if self.from.bring_visits {
            let values =
                batch.sources.iter().flat_map(|source| &source.facts).flat_map(|fact| fact.fields.values());
            let named = values.filter_map(|value| match value {
                Value::Text(text) if is_visit_id(text) => Some(text.clone()),
                _ => None,
            });
            let visit_ids: BTreeSet<String> = named.collect();
            if !visit_ids.is_empty() {
                let workspace_id = self.connection.workspace_id.clone();
                let named = Named { workspace_id: workspace_id.clone(), visit_ids };
                let rows = self.from.facts.read(named).await?;
                self.from.copy.db.write(Bring { workspace_id, rows }).await?;
            }
        }
        self.from.copy.db.write(batch).await
    }
}

struct EventPage {
    connection: Connection,
    after: String,
}

impl Unit for EventPage {
    /// With: was it of the other mode or another account, or ignored? Then it is never projected.
    type Out = Vec<(StoredEvent, bool)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        let events = inbox::events_after(tx, ws, con, &self.after, PAGE).await?;
        let ids: Vec<&str> = events.iter().map(|event| event.event_id.as_str()).collect();
        let outcomes = inbox::outcomes_of(tx, ws, con, &ids).await?;
        Ok(events.into_iter().zip(outcomes).map(|(event, outcome)| (event, outcome != "processed")).collect())
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

/// What was understood of sources when they came.
struct Stored {
    connection: Connection,
    source_ids: Vec<String>,
}

impl Unit for Stored {
    type Out = Vec<Source>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let c = &self.connection;
        let mut sources = Vec::with_capacity(self.source_ids.len());
        for source_id in &self.source_ids {
            let facts: Vec<Fact> =
                objects::facts_of_source(tx, &c.workspace_id, &c.connection_id, source_id).await?;
            sources.push(Source { source_id: source_id.clone(), facts });
        }
        Ok(sources)
    }
}

struct Named {
    workspace_id: String,
    visit_ids: BTreeSet<String>,
}

impl Unit for Named {
    type Out = Vec<visits::Kept>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        visits::kept(tx, &self.workspace_id, &self.visit_ids).await
    }
}

struct Bring {
    workspace_id: String,
    rows: Vec<visits::Kept>,
}

impl Unit for Bring {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        visits::keep(tx, &self.workspace_id, &self.rows).await
    }
}

/// Sources to be projected in the copy.
struct Ingest {
    connection: Connection,
    sources: Vec<Source>,
    people: People,
    now: i64,
    link_delay_ms: i64,
}

impl Ingest {
    fn add(&mut self, source: Source, people: People, report: &mut Report) {
        report.facts += source.facts.len() as u64;
        self.sources.push(source);
        self.people.extend(people);
    }
}

impl Unit for Ingest {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let c = &self.connection;
        let (ws, con) = (&c.workspace_id, &c.connection_id);
        let ctx = Context::locked(tx, ws, con, &c.mode, self.now, self.link_delay_ms).await?;
        ingest(tx, &ctx, &self.sources, &self.people).await
    }
}

#[derive(Clone)]
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
