//! Group commit on PostgreSQL: small units that came in meanwhile share one transaction, their statements sent
//! together, and its one commit.

use super::crew::Crew;
use super::{Tx, Unit};
use crate::error::{StoreError, with_causes};
use deadpool_postgres::Pool;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// Units that may wait for the next group.
const QUEUE_MAX: usize = 8_192;
/// Units in one group.
const GROUP_MAX: usize = 256;

/// The longest that a group waits for its turn.
const PATIENCE: Duration = Duration::from_millis(100);

/// While the pipeline is behind, a group of those who are waited for and a unit of the background take turns: on the
/// processors of one machine many callers would else leave the pipeline next to nothing.
pub(super) struct Turns {
    behind: Arc<AtomicBool>,
    done: Notify,
}

impl Turns {
    /// Turns that are taken while `behind` says so.
    pub(super) fn new(behind: Arc<AtomicBool>) -> Self {
        Self { behind, done: Notify::new() }
    }

    /// A unit of the background has ended: a group may go.
    pub(super) fn done(&self) {
        self.done.notify_one();
    }

    async fn wait(&self) {
        if self.behind.load(Ordering::Relaxed) {
            // Whoever waits here longer than that goes anyway: the pipeline may have stopped.
            drop(tokio::time::timeout(PATIENCE, self.done.notified()).await);
        }
    }
}

/// The queue of units that share transactions.
pub(super) struct Groups {
    queue: mpsc::Sender<Box<dyn Member>>,
}

/// A unit in a group, its type forgotten.
trait Member: Send + Sync {
    /// Runs it and keeps its answer.
    fn run<'a>(&'a self, tx: Tx<'a>) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Gives the answer after the commit; nothing if the group was lost.
    fn answer(&mut self, committed: bool);
}

struct Waiting<U: Unit> {
    unit: Arc<U>,
    out: Mutex<Option<U::Out>>,
    caller: Option<oneshot::Sender<Option<U::Out>>>,
}

impl<U: Unit> Member for Waiting<U> {
    fn run<'a>(&'a self, mut tx: Tx<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let out = self.unit.run(&mut tx).await?;
            *self.out.lock().unwrap_or_else(PoisonError::into_inner) = Some(out);
            Ok(())
        })
    }

    fn answer(&mut self, committed: bool) {
        let out = self.out.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(caller) = self.caller.take() {
            // The caller may have gone away; the commit stands all the same.
            drop(caller.send(out.filter(|_| committed)));
        }
    }
}

impl Groups {
    /// Starts the task that commits; it ends with the queue.
    pub(super) fn start(pool: Pool, turns: Arc<Turns>) -> Self {
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(commit_all(pool, work, turns));
        Self { queue }
    }

    /// Runs a unit with others. `None` if nothing of its group was kept: it may be run again.
    pub(super) async fn write<U: Unit>(&self, unit: Arc<U>) -> Result<Option<U::Out>, StoreError> {
        let (caller, answered) = oneshot::channel();
        let member = Waiting { unit, out: Mutex::new(None), caller: Some(caller) };
        let closed = || StoreError::Unavailable("the database is closed".into());
        self.queue.send(Box::new(member)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())
    }
}

async fn commit_all(pool: Pool, mut work: mpsc::Receiver<Box<dyn Member>>, turns: Arc<Turns>) {
    let mut group = Vec::new();
    loop {
        turns.wait().await;
        if work.recv_many(&mut group, GROUP_MAX).await == 0 {
            return;
        }
        let committed = commit(&pool, &group).await;
        if let Err(error) = &committed {
            tracing::warn!(%error, units = group.len(), "a group was not committed; each is tried on its own");
        }
        for mut member in group.drain(..) {
            member.answer(committed.is_ok());
        }
    }
}

async fn commit(pool: &Pool, group: &[Box<dyn Member>]) -> Result<(), StoreError> {
    let mut client = pool.get().await.map_err(|e| StoreError::Unavailable(with_causes(&e)))?;
    let transaction = client.transaction().await?;
    let crew = Crew::new(&transaction, None);
    crew.run(group.iter().map(|member| member.run(crew.member()))).await?;
    Ok(transaction.commit().await?)
}
