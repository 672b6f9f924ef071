//! Arrivals on their way into the database: taken in groups, kept while it is away, dropped when there is no room.
//!
//! One writer takes what has come, at most [`BATCH`] at once, and commits it in one transaction. Where somebody waits
//! for the commit it begins at once, else after [`PAUSE`]. While the database is away the writer tries again and the
//! queue fills up to [`ROOM`]; what comes then is dropped and counted.

use crate::clock::Clock;
use crate::pipeline::visit_recorded;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tributary_store::track::visits::{Arrival, Became, RecordVisits, Sighting, Through};
use tributary_store::{Db, StoreError, Tx, Unit};

/// Arrivals that may wait, some 700 bytes each.
pub const ROOM: usize = 20_000;
/// Arrivals in one transaction.
pub const BATCH: usize = 500;
/// How long queued arrivals may gather: with the commit itself what a crash can lose.
pub const PAUSE: Duration = Duration::from_millis(50);
/// How long a redirect waits for its commit before it leaves without.
const PATIENCE: Duration = Duration::from_millis(800);
/// Pause before a database that was away is tried again.
const AGAIN: Duration = Duration::from_millis(250);
/// A visit written so much later than it was may have been named by a purchase meanwhile, ms.
const LATE_MS: i64 = 5_000;

enum Item {
    Arrival(Arc<Arrival>, Option<oneshot::Sender<Became>>),
    Seen(Sighting),
    /// Answered when all before it is written or the database is away.
    Flush(oneshot::Sender<()>),
}

/// The way in.
pub struct Queue {
    sender: mpsc::Sender<Item>,
    /// Taken by the writer when it starts.
    receiver: Mutex<Option<mpsc::Receiver<Item>>>,
    shared: Arc<Shared>,
}

/// Whose, ms UTC of the first, and how many.
type Owed = (Arc<Through>, i64, i64);

#[derive(Default)]
struct Shared {
    /// Did the last transaction fail because the database is away?
    away: AtomicBool,
    dropped: AtomicU64,
    /// Drops that the counters do not know yet, by program and mode.
    owed: Mutex<HashMap<(String, &'static str), Owed>>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

impl Default for Queue {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(ROOM);
        Self { sender, receiver: Mutex::new(Some(receiver)), shared: Arc::default() }
    }
}

impl Queue {
    /// Starts the writer, once.
    pub(super) fn start(&self, writer: Writer) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(receiver) = receiver {
            tokio::spawn(write(writer, receiver, Arc::clone(&self.shared)));
        }
    }

    /// Was the database away at the last try?
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.shared.away.load(Ordering::Relaxed)
    }

    /// How many arrivals were dropped since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Hands an arrival over and does not wait. False where there was no room.
    pub fn put(&self, arrival: Arc<Arrival>) -> bool {
        match self.sender.try_send(Item::Arrival(arrival, None)) {
            Ok(()) => true,
            Err(error) => {
                if let Item::Arrival(arrival, _) = error.into_inner() {
                    self.shared.drop_one(&arrival);
                }
                false
            }
        }
    }

    /// Hands an arrival over and waits for its commit. `None`: the database is away or slow; the arrival waits in the
    /// queue. An error where there was no room.
    ///
    /// # Errors
    /// There was no room: the arrival was dropped and counted.
    pub async fn commit(&self, arrival: Arc<Arrival>) -> Result<Option<Became>, Full> {
        if self.shared.away.load(Ordering::Relaxed) {
            arrival.promised.store(true, Ordering::Release);
            return if self.put(arrival) { Ok(None) } else { Err(Full) };
        }
        let (answer, answered) = oneshot::channel();
        match self.sender.try_send(Item::Arrival(Arc::clone(&arrival), Some(answer))) {
            Ok(()) => {}
            Err(_) => {
                self.shared.drop_one(&arrival);
                return Err(Full);
            }
        }
        if let Ok(Ok(became)) = tokio::time::timeout(PATIENCE, answered).await {
            return Ok(Some(became));
        }
        arrival.promised.store(true, Ordering::Release);
        // The next ones do not wait until something was committed again.
        self.shared.away.store(true, Ordering::Relaxed);
        Ok(None)
    }

    /// Notes what was seen; left out where there is no room.
    pub fn see(&self, sighting: Sighting) {
        if self.sender.try_send(Item::Seen(sighting)).is_err() {
            tracing::debug!("a sighting was left out");
        }
    }

    /// Waits until all that was handed over before is written, or the database is away.
    pub async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        if self.sender.send(Item::Flush(answer)).await.is_ok() && answered.await.is_err() {
            tracing::warn!("the writer of visits ended early");
        }
    }
}

/// What the writer works with.
pub(super) struct Writer {
    pub(super) db: Db,
    pub(super) clock: Arc<Clock>,
    pub(super) wake: Arc<Notify>,
}

/// Arrivals, and a second look at purchases that named a visit before it was written.
struct Write {
    record: RecordVisits,
    now: i64,
}

impl Unit for Write {
    type Out = Vec<Became>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Became>, StoreError> {
        let became = self.record.run(tx).await?;
        for (arrival, became) in self.record.arrivals.iter().zip(&became) {
            if *became == Became::Counted && self.now.saturating_sub(arrival.at) > LATE_MS {
                let t = &arrival.through;
                let (ws, program) = (&t.workspace_id, &t.program_id);
                visit_recorded(tx, ws, arrival.mode, program, &arrival.visit_id, self.now).await?;
            }
        }
        Ok(became)
    }
}

/// The queue had no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Shared {
    fn drop_one(&self, arrival: &Arrival) {
        let before = self.dropped.fetch_add(1, Ordering::Relaxed);
        if before.is_multiple_of(1_000) {
            tracing::warn!(
                dropped = before + 1,
                "the queue of visits is full: redirects go on, visits are not counted"
            );
        }
        let key = (arrival.through.program_id.clone(), arrival.mode);
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = owed.entry(key).or_insert((Arc::clone(&arrival.through), arrival.at, 0));
        entry.2 = entry.2.saturating_add(1);
    }

    fn take_owed(&self) -> Vec<(Arc<Through>, &'static str, i64, i64)> {
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        owed.drain().map(|((_, mode), (through, at, count))| (through, mode, at, count)).collect()
    }
}

/// What was taken from the queue and is not written yet.
#[derive(Default)]
struct Group {
    arrivals: Vec<(Arc<Arrival>, Option<oneshot::Sender<Became>>)>,
    sightings: Vec<Sighting>,
    flushes: Vec<oneshot::Sender<()>>,
    dropped: Vec<(Arc<Through>, &'static str, i64, i64)>,
}

impl Group {
    fn add(&mut self, item: Item) {
        match item {
            Item::Arrival(arrival, answer) => self.arrivals.push((arrival, answer)),
            Item::Seen(sighting) => self.sightings.push(sighting),
            Item::Flush(answer) => self.flushes.push(answer),
        }
    }

    /// Does somebody wait?
    fn is_urgent(&self) -> bool {
        !self.flushes.is_empty() || self.arrivals.iter().any(|(_, answer)| answer.is_some())
    }

    fn unit(&self, now: i64) -> Write {
        let record = RecordVisits {
            arrivals: self.arrivals.iter().map(|(arrival, _)| Arc::clone(arrival)).collect(),
            sightings: self.sightings.clone(),
            dropped: self.dropped.clone(),
        };
        Write { record, now }
    }

    fn is_empty(&self) -> bool {
        self.arrivals.is_empty() && self.sightings.is_empty() && self.dropped.is_empty()
    }

    fn answer(&mut self, became: Vec<Became>) {
        for ((_, answer), became) in self.arrivals.drain(..).zip(became) {
            if let Some(answer) = answer {
                // The visitor may have gone away; the visit stands all the same.
                drop(answer.send(became));
            }
        }
        self.sightings.clear();
        self.dropped.clear();
    }

    /// Nobody waits any longer: the browsers get the ids, which makes them promises.
    fn let_go(&mut self) {
        for (arrival, answer) in &mut self.arrivals {
            if answer.take().is_some() {
                arrival.promised.store(true, Ordering::Release);
            }
        }
        self.flushes.clear();
    }
}

async fn write(writer: Writer, mut queue: mpsc::Receiver<Item>, shared: Arc<Shared>) {
    let mut items = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut items, BATCH).await > 0 {
        let mut group = Group::default();
        let until = Instant::now() + PAUSE;
        loop {
            items.drain(..).for_each(|item| group.add(item));
            let room = BATCH.saturating_sub(group.arrivals.len() + group.sightings.len());
            if group.is_urgent() || room == 0 {
                break;
            }
            match timeout_at(until, queue.recv_many(&mut items, room)).await {
                Ok(count) if count > 0 => {}
                _ => break,
            }
        }
        group.dropped = shared.take_owed();
        commit(&writer, &mut group, &shared).await;
        for answer in group.flushes {
            // Nobody waits any longer: what was to be written is written all the same.
            let _gone = answer.send(());
        }
    }
}

/// Commits a group, however long the database is away.
async fn commit(writer: &Writer, group: &mut Group, shared: &Shared) {
    while !group.is_empty() {
        match writer.db.write(group.unit(writer.clock.now_ms())).await {
            Ok(became) => {
                if shared.away.swap(false, Ordering::Relaxed) {
                    tracing::info!("visits are written again");
                    writer.wake.notify_one();
                }
                return group.answer(became);
            }
            Err(error) if error.is_unavailable() => {
                if !shared.away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "visits wait in memory until the database is back");
                }
                group.let_go();
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) if group.arrivals.len() > 1 => {
                tracing::error!(%error, "a group of visits was refused; each is tried on its own");
                one_by_one(writer, group).await;
            }
            Err(error) => {
                tracing::error!(%error, "a visit was refused");
                for (arrival, _) in group.arrivals.drain(..) {
                    shared.drop_one(&arrival);
                }
                return group.answer(Vec::new());
            }
        }
    }
}

/// Finds the one that spoils a group. What the database takes is written, the rest is left out and said.
async fn one_by_one(writer: &Writer, group: &mut Group) {
    let arrivals = std::mem::take(&mut group.arrivals);
    for (arrival, answer) in arrivals {
        let record =
            RecordVisits { arrivals: vec![Arc::clone(&arrival)], sightings: Vec::new(), dropped: Vec::new() };
        match writer.db.write(Write { record, now: writer.clock.now_ms() }).await {
            Ok(became) => {
                if let (Some(answer), Some(became)) = (answer, became.into_iter().next()) {
                    drop(answer.send(became));
                }
            }
            Err(error) if error.is_unavailable() => group.arrivals.push((arrival, answer)),
            Err(error) => tracing::error!(%error, visit = arrival.visit_id, "a visit was refused"),
        }
    }
}
