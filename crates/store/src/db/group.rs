//! Group commit on PostgreSQL: small units that came in meanwhile share one transaction, their statements in flight
//! together, and its one commit.

use super::{Tx, Unit};
use crate::error::StoreError;
use deadpool_postgres::{Pool, Transaction};
use futures_util::future::{BoxFuture, try_join_all};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Units that may wait for the next group.
const QUEUE_MAX: usize = 8_192;
/// Units in one group.
const GROUP_MAX: usize = 256;

/// The queue of units that share transactions.
pub(super) struct Groups {
    queue: mpsc::Sender<Box<dyn Member>>,
}

/// A unit in a group, its type forgotten.
trait Member: Send + Sync {
    /// Runs it and keeps its answer.
    fn run<'a>(&'a self, tx: &'a Transaction<'a>) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Gives the answer after the commit; nothing if the group was lost.
    fn answer(&mut self, committed: bool);
}

struct Waiting<U: Unit> {
    unit: Arc<U>,
    out: Mutex<Option<U::Out>>,
    caller: Option<oneshot::Sender<Option<U::Out>>>,
}

impl<U: Unit> Member for Waiting<U> {
    fn run<'a>(&'a self, tx: &'a Transaction<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let out = self.unit.run(&mut Tx::pg(tx)).await?;
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
    pub(super) fn start(pool: Pool) -> Self {
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(commit_all(pool, work));
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

async fn commit_all(pool: Pool, mut work: mpsc::Receiver<Box<dyn Member>>) {
    let mut group = Vec::new();
    while work.recv_many(&mut group, GROUP_MAX).await > 0 {
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
    let mut client = pool.get().await.map_err(|e| StoreError::Unavailable(e.to_string()))?;
    let transaction = client.transaction().await?;
    try_join_all(group.iter().map(|member| member.run(&transaction))).await?;
    Ok(transaction.commit().await?)
}
