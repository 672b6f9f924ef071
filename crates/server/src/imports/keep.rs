//! Keeping a page together with the place where the next one begins.

use super::alone::alone;
use super::read::{Page, Read};
use super::steps::{self, Kind, Step};
use crate::App;
use crate::pipeline::context::Context;
use crate::pipeline::fetch::{self, understand};
use crate::pipeline::project::{People, ingest};
use crate::pipeline::world::Source;
use crate::state::new_id;
use crate::stripe::receive::{Receive, new_event};
use std::collections::BTreeMap;
use tributary_domain::ids::IdKind;
use tributary_store::connections::{self, Connection};
use tributary_store::imports::{self, Run};
use tributary_store::pipeline::inbox::{self, NewEvent, Observation};
use tributary_store::pipeline::jobs;
use tributary_store::vault::Key;
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::facts::{Fetch, alone_body};
use tributary_stripe::lists::List;

/// A look-up that a page asks for waits so long, ms: a later page may answer it. The run's end makes it due.
const LINK_DELAY_MS: i64 = 600_000;

/// What a page holds, sealed and understood.
#[derive(Clone)]
pub(super) enum Held {
    Events(Vec<NewEvent>),
    Objects {
        observation: Observation,
        source: Source,
        people: People,
        count: i64,
    },
    Compared {
        items: Vec<tributary_store::reconcile::Item>,
        count: i64,
    },
    /// The list is left out, with the reason.
    Nothing,
}

/// A page to be kept.
#[derive(Clone)]
pub(super) struct Keep {
    pub(super) connection: Connection,
    pub(super) data_key: Key,
    pub(super) holder: String,
    pub(super) run: Run,
    pub(super) step: Step,
    pub(super) held: Held,
    /// Where the next page begins; `None` at the list's end.
    pub(super) next: Option<String>,
    /// A sentence for the run.
    pub(super) note: Option<String>,
    pub(super) now: i64,
    pub(super) lease_until: i64,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Kept {
    /// It is kept; the run as it stands.
    Kept(Box<Run>),
    /// The run was paused, or is somebody else's by now: nothing was kept.
    Left,
}

/// Seals and understands a page.
///
/// # Errors
/// A sentence about an answer that cannot be read; the database's where the key cannot be had.
pub(super) fn held(
    app: &App,
    data_key: &Key,
    connection: &Connection,
    run: &Run,
    read: &Read,
) -> Result<(Held, Vec<String>), StoreError> {
    let now = app.now();
    match &read.page {
        Page::Events(page) => {
            let seal = |event: &tributary_stripe::client::RawEvent| {
                new_event(data_key, connection, &event.envelope, &event.raw, "backfill", now)
            };
            let kept = page.events.iter().map(seal).collect::<Result<Vec<_>, _>>()?;
            let notes = page.unreadable.iter().map(|odd| format!("An event was left out: {odd}")).collect();
            Ok((Held::Events(kept), notes))
        }
        Page::Objects { list, page } if Kind::of(run) == Kind::Reconcile => {
            let items = crate::reconcile::items(*list, &page.reply.body, run)?;
            Ok((Held::Compared { items, count: count(page.count) }, Vec::new()))
        }
        Page::Objects { list, page } => {
            let place = if run.cursor.is_empty() { "first" } else { &run.cursor };
            let fetch = Fetch::Listed { list: *list, page: format!("{} {place}", run.run_id) };
            let observation =
                observe(data_key, connection, &fetch, &page.reply.body, page.reply.as_of_ms(now))?;
            let (source, people) = understand(data_key, &observation, &page.reply.body)?;
            Ok((Held::Objects { observation, source, people, count: count(page.count) }, Vec::new()))
        }
    }
}

fn count(objects: usize) -> i64 {
    i64::try_from(objects).unwrap_or(i64::MAX)
}

fn observe(
    data_key: &Key,
    connection: &Connection,
    fetch: &Fetch,
    body: &[u8],
    fetched_at: i64,
) -> Result<Observation, StoreError> {
    let observation_id = new_id(IdKind::Observation)?;
    let place = inbox::observation_place(&connection.connection_id, &observation_id);
    Ok(Observation {
        request: fetch.name().to_owned(),
        subject: fetch.id().to_owned(),
        http_status: 200,
        fetched_at,
        body: data_key.seal(&place, body)?,
        observation_id,
    })
}

impl Unit for Keep {
    type Out = Kept;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Kept, StoreError> {
        let c = &self.connection;
        let (ws, con) = (&c.workspace_id, &c.connection_id);
        if !imports::lease(tx, ws, con, &self.holder, self.now, self.lease_until).await? {
            return Ok(Kept::Left);
        }
        let Some(mut run) = imports::lock(tx, ws, con, &self.run.run_id).await? else {
            return Ok(Kept::Left);
        };
        let same = run.step == self.run.step && run.cursor == self.run.cursor && run.pages == self.run.pages;
        if run.state != "running" || !same {
            return Ok(Kept::Left);
        }
        self.keep(tx, &mut run).await?;
        self.advance(tx, &mut run).await?;
        imports::save(tx, &run).await?;
        Ok(Kept::Kept(Box::new(run)))
    }
}

impl Keep {
    async fn keep(&self, tx: &mut Tx<'_>, run: &mut Run) -> Result<(), StoreError> {
        let c = &self.connection;
        let (read, fresh) = match &self.held {
            Held::Events(events) => {
                let mut fresh = 0;
                for event in events {
                    fresh += i64::from(Receive::keep(tx, event).await?);
                }
                (count(events.len()), fresh)
            }
            Held::Objects { observation, source, people, count } => {
                inbox::insert_observation(tx, &c.workspace_id, &c.connection_id, observation).await?;
                let delay = LINK_DELAY_MS;
                let ctx =
                    Context::locked(tx, &c.workspace_id, &c.connection_id, &c.mode, self.now, delay).await?;
                ingest(tx, &ctx, std::slice::from_ref(source), people).await?;
                self.conclude(tx, &ctx, run, observation, source).await?;
                (*count, *count)
            }
            Held::Compared { items, count } => {
                tributary_store::reconcile::insert(tx, &c.workspace_id, &c.connection_id, &run.run_id, items)
                    .await?;
                (*count, i64::try_from(items.len()).unwrap_or(0))
            }
            Held::Nothing => return Ok(()),
        };
        run.done = run.done.saturating_add(read);
        run.fresh = run.fresh.saturating_add(fresh);
        let mut counts: BTreeMap<String, i64> = serde_json::from_str(&run.counts).unwrap_or_default();
        let known = counts.entry(self.step.word()).or_default();
        *known = known.saturating_add(read);
        run.counts = json(&counts)?;
        Ok(())
    }

    /// Keeps what follows for PaymentIntents that no session and no invoice named.
    async fn conclude(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Context,
        run: &Run,
        page: &Observation,
        source: &Source,
    ) -> Result<(), StoreError> {
        if !matches!(self.step, Step::List(List::PaymentIntents | List::Charges)) {
            return Ok(());
        }
        let ids = alone(tx, ctx, run, &source.facts).await?;
        if ids.is_empty() {
            return Ok(());
        }
        let body = alone_body(&ids);
        let fetch = Fetch::Alone { page: page.subject.clone() };
        let observation =
            observe(&self.data_key, &self.connection, &fetch, body.as_bytes(), page.fetched_at)?;
        let (source, people) = understand(&self.data_key, &observation, body.as_bytes())?;
        let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
        inbox::insert_observation(tx, ws, con, &observation).await?;
        ingest(tx, ctx, std::slice::from_ref(&source), &people).await
    }

    async fn advance(&self, tx: &mut Tx<'_>, run: &mut Run) -> Result<(), StoreError> {
        (run.attempts, run.updated_at, run.run_at) = (0, self.now, self.now);
        run.last_error.clear();
        if let Some(note) = &self.note {
            let mut notes: Vec<String> = serde_json::from_str(&run.notes).unwrap_or_default();
            if notes.len() < 20 && !notes.contains(note) {
                notes.push(note.clone());
            }
            run.notes = json(&notes)?;
        }
        if let Some(next) = &self.next {
            (run.step, run.cursor) = (self.step.word(), next.clone());
            run.pages = run.pages.saturating_add(1);
            return Ok(());
        }
        (run.cursor, run.pages) = (String::new(), 0);
        match steps::after(run, self.step) {
            Some(step) => run.step = step.word(),
            None => self.finish(tx, run).await?,
        }
        Ok(())
    }

    /// The last page of the last list: only now the cursor moves.
    async fn finish(&self, tx: &mut Tx<'_>, run: &mut Run) -> Result<(), StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        run.step = String::new();
        run.state = "done".to_owned();
        run.finished_at = Some(self.now);
        run.total = Some(run.done);
        match Kind::of(run) {
            Kind::Events => connections::move_cursor(tx, ws, con, run.until_at).await?,
            Kind::Objects => {
                jobs::hasten(tx, ws, fetch::KIND, self.now).await?;
            }
            Kind::Reconcile => {}
        }
        Ok(())
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Inconsistent(e.to_string()))
}
