//! The lease of a run, kept alive while Stripe is asked.

use crate::App;
use std::future::Future;
use std::time::Duration;
use tributary_store::imports;
use tributary_store::{StoreError, Tx, Unit};

/// How long a lease holds, ms: after a crash another process goes on so much later.
pub(super) const LEASE_MS: i64 = 10_000;
/// How often it is renewed meanwhile.
const BEAT: Duration = Duration::from_secs(3);

/// A connection's lease in the name of one process.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) workspace_id: String,
    pub(super) connection_id: String,
    pub(super) holder: String,
}

struct Take(Lease, i64);

impl Unit for Take {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let Self(l, now) = self;
        let until = now.saturating_add(LEASE_MS);
        imports::lease(tx, &l.workspace_id, &l.connection_id, &l.holder, *now, until).await
    }
}

struct Give(Lease);

impl Unit for Give {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let l = &self.0;
        imports::release(tx, &l.workspace_id, &l.connection_id, &l.holder).await
    }
}

impl Lease {
    /// Takes or renews it; `false` while somebody else holds it.
    pub(super) async fn take(&self, app: &App) -> Result<bool, StoreError> {
        app.db.write(Take(self.clone(), app.now())).await
    }

    /// Gives it back, so that nobody waits for its end.
    pub(super) async fn give(&self, app: &App) -> Result<(), StoreError> {
        app.db.write(Give(self.clone())).await
    }

    /// Renews it while something takes its time; `None` if it was lost meanwhile.
    pub(super) async fn hold<T>(
        &self,
        app: &App,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, StoreError> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(Some(done)),
                () = tokio::time::sleep(BEAT) => {
                    if !self.take(app).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }
}
