//! Seals committed journals into the hash chain of their program and mode.
//!
//! Whoever posts a journal puts it on the list of those that wait, in the same commit. The chain's order is the one
//! in which they were sealed; it says that nothing was changed, taken out or swapped since.

use crate::App;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tributary_domain::ledger;
use tributary_store::db::Background;
use tributary_store::pipeline::seals::{self, Chain, Covered, Seal};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Journals sealed in one transaction.
const BATCH: i64 = 250;
/// Transactions a second while the pipeline has work.
const WHILE_BUSY: usize = 4;

/// Seals what waits, each second, until dropped. While `busy` it holds back.
pub async fn run(app: &App, busy: &AtomicBool) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let limit = || busy.load(Ordering::Relaxed).then_some(WHILE_BUSY);
        match seal_all(app, limit).await {
            // The same numbers were given at once on another node.
            Ok(_) | Err(StoreError::Conflict(_)) => {}
            Err(error) => tracing::error!(%error, "journals could not be sealed for a moment"),
        }
    }
}

/// Seals journals until none waits, or until `limit` says that these are enough transactions. Returns how many
/// journals were sealed.
///
/// # Errors
/// The database's; [`StoreError::Conflict`] if another node sealed at the same time. What was committed before stays.
pub async fn seal_all(app: &App, limit: impl Fn() -> Option<usize>) -> Result<usize, StoreError> {
    let (mut sealed, mut turns) = (0, 0);
    for workspace_id in app.db.read(Workspaces).await? {
        let mut after = Chain { program_id: String::new(), mode: String::new() };
        loop {
            let next = Next { workspace_id: workspace_id.clone(), after: after.clone() };
            let Some(chain) = app.db.read(next).await? else { break };
            if limit().is_some_and(|limit| turns >= limit) {
                return Ok(sealed);
            }
            let unit =
                SealJournals { workspace_id: workspace_id.clone(), chain: chain.clone(), now: app.now() };
            let count = app.db.write(Background(unit)).await?;
            (sealed, turns) = (sealed + count, turns + 1);
            // A journal that is gone cannot be sealed and must not hold back the next chain.
            if i64::try_from(count) != Ok(BATCH) {
                after = chain;
            }
        }
    }
    Ok(sealed)
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

struct Next {
    workspace_id: String,
    after: Chain,
}

impl Unit for Next {
    type Out = Option<Chain>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Chain>, StoreError> {
        seals::next_unsealed(tx, &self.workspace_id, &self.after).await
    }
}

/// Seals the oldest journals of a chain that wait; returns how many.
struct SealJournals {
    workspace_id: String,
    chain: Chain,
    now: i64,
}

impl Unit for SealJournals {
    type Out = usize;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let ws = &self.workspace_id;
        let mut waiting = seals::unsealed(tx, ws, &self.chain, BATCH).await?;
        let ids: Vec<&str> = waiting.iter().map(|(_, id)| id.as_str()).collect();
        let covered = seals::covered(tx, ws, &ids).await?;
        let last = seals::last(tx, ws, &self.chain).await?;
        let (mut n, mut hash) = last.map_or((0, String::new()), |last| (last.n, last.hash));
        let mut links = Vec::with_capacity(covered.len());
        for covered in covered.iter().flatten() {
            n += 1;
            hash = hash_of(ws, &self.chain, n, &hash, covered);
            links.push(Seal { n, journal_id: covered.journal_id.clone(), hash: hash.clone() });
        }
        // One that is gone stays on the list: `verify` names it.
        let mut present = covered.iter().map(Option::is_some);
        waiting.retain(|_| present.next().unwrap_or(false));
        if !links.is_empty() {
            seals::add(tx, ws, &self.chain, &links, &waiting, self.now).await?;
        }
        Ok(links.len())
    }
}

/// The hash of one link over the one before it, its place and what it covers.
#[must_use]
pub fn hash_of(workspace_id: &str, chain: &Chain, n: i64, previous: &str, covered: &Covered) -> String {
    let n = n.to_string();
    let place = [workspace_id, &chain.program_id, &chain.mode, &n, &covered.journal_id];
    let fields: Vec<&str> = place.into_iter().chain(covered.fields.iter().map(String::as_str)).collect();
    ledger::seal(previous, &fields)
}
