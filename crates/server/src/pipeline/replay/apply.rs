//! Puts what was derived anew in the place of what is used, and posts the difference.
//!
//! What was derived lies beside first, in tables of its own, written in small transactions. One transaction then
//! makes sure that no source has changed meanwhile, swaps, and marks everything for settlement, which posts what
//! differs as new journals of the same commissions. A process that ends before the swap has changed nothing; one that
//! ends after it leaves work that any server or command goes on with.

use super::super::post::Poster;
use super::super::worker;
use crate::App;
use tributary_store::pipeline::{commissions, objects, recount};
use tributary_store::whole::fingerprint::Plans;
use tributary_store::whole::shadow::{self, Beside, Clear, Prepare};
use tributary_store::{P, StoreError, Tx, Unit, workspaces};

/// Commissions taken back at once.
const PAGE: i64 = 500;

/// Swaps and posts. `None`: a source has changed since `fingerprint` was read, and nothing was done.
pub(super) async fn apply(
    app: &App,
    copy: &App,
    plans: Plans,
    fingerprint: String,
) -> Result<Option<u64>, StoreError> {
    let beside = Beside::new()?;
    app.db.write(Prepare(beside.clone())).await?;
    shadow::fill(&copy.db, &app.db, &beside).await?;
    let swap = Swap { plans, fingerprint, beside: beside.clone(), now: app.now() };
    let Some(withdrawn) = app.db.write(swap).await? else {
        app.db.write(Clear(beside)).await?;
        return Ok(None);
    };
    let settled = worker::drain(app).await?;
    // A sale that waits for Stripe now and did not before has no look-up yet.
    super::super::waiting::ask_again(app).await?;
    app.wake.notify_one();
    Ok(Some((withdrawn + settled) as u64))
}

struct Swap {
    plans: Plans,
    fingerprint: String,
    beside: Beside,
    now: i64,
}

impl Unit for Swap {
    type Out = Option<usize>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        // Who places or decides has read sales under these locks, and would write over what is put in place here.
        objects::lock_all(tx).await?;
        shadow::lock(tx).await?;
        if self.plans.read(tx).await? != self.fingerprint {
            return Ok(None);
        }
        shadow::swap(tx, &self.beside).await?;
        let mut posted = 0;
        for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
            posted += withdraw(tx, &workspace_id, self.now).await?;
            recount::rebuild(tx, &workspace_id).await?;
        }
        Ok(Some(posted))
    }
}

/// Commissions of sales that are no sales any more, or nobody's: no scope would settle them.
async fn withdraw(tx: &mut Tx<'_>, ws: &str, now: i64) -> Result<usize, StoreError> {
    let sql = "SELECT DISTINCT s.sale_id FROM sale s JOIN commission c ON c.workspace_id = s.workspace_id \
         AND c.sale_id = s.sale_id WHERE s.workspace_id = $1 AND s.sale_id > $2 AND (c.target <> 0 OR c.gross <> 0) \
         AND (s.program_id IS NULL OR s.customer_id IS NULL OR s.merged_into IS NOT NULL OR s.state = 'withdrawn') \
         ORDER BY s.sale_id LIMIT $3";
    let (mut after, mut posted) = (String::new(), 0);
    loop {
        let rows = tx.rows(sql, &[P::T(ws), P::T(&after), P::I(PAGE)]).await?;
        let ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = ids.last() else { return Ok(posted) };
        after.clone_from(last);
        let mut poster = Poster::new(ws, now);
        for commission in commissions::of_sales(tx, ws, &ids).await?.into_iter().flatten() {
            poster.withdraw(&commission, "moved", "no source makes this sale any more, or it is nobody's");
        }
        posted += poster.flush(tx).await?;
    }
}
