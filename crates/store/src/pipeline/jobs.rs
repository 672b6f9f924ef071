//! Jobs: one row each kind and dedup key, claimed by a lease.

use crate::{P, StoreError, Tx};

/// A claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What is to be done.
    pub kind: String,
    /// What it is to be done to.
    pub dedup: String,
    /// JSON.
    pub body: String,
    /// Tries before this one.
    pub attempts: i64,
}

/// Enqueues jobs whose bodies are their dedup keys too; one that waits already is left as it is.
///
/// # Errors
/// The database's.
pub async fn enqueue(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    kind: &str,
    bodies: &[String],
    run_at: i64,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO job (workspace_id, kind, dedup, body, state, run_at, attempts, lease_until, last_error, \
         created_at) VALUES ($1, $2, $3, $4, 'ready', $5, 0, 0, '', $6) \
         ON CONFLICT (workspace_id, kind, dedup) DO NOTHING";
    let (ws, kind) = (P::T(workspace_id), P::T(kind));
    let sets: Vec<_> =
        bodies.iter().map(|body| vec![ws, kind, P::T(body), P::T(body), P::I(run_at), P::I(now)]).collect();
    if !sets.is_empty() {
        tx.exec_each(sql, &sets).await?;
    }
    Ok(())
}

/// Makes all waiting jobs of a kind due now, those that failed before not. Returns how many.
///
/// # Errors
/// The database's.
pub async fn hasten(tx: &mut Tx<'_>, workspace_id: &str, kind: &str, now: i64) -> Result<u64, StoreError> {
    let sql = "UPDATE job SET run_at = $3 WHERE workspace_id = $1 AND kind = $2 AND state = 'ready' \
         AND attempts = 0 AND run_at > $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(kind), P::I(now)]).await
}

/// Claims due jobs of a kind until `lease_until`.
///
/// # Errors
/// The database's.
pub async fn claim(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    kind: &str,
    now: i64,
    lease_until: i64,
    limit: i64,
) -> Result<Vec<Job>, StoreError> {
    let sql = "UPDATE job SET lease_until = $4 WHERE workspace_id = $1 AND kind = $2 AND lease_until <= $3 \
         AND dedup IN (SELECT dedup FROM job WHERE workspace_id = $1 AND kind = $2 AND state = 'ready' \
         AND run_at <= $3 AND lease_until <= $3 ORDER BY run_at LIMIT $5) RETURNING kind, dedup, body, attempts";
    let params = [P::T(workspace_id), P::T(kind), P::I(now), P::I(lease_until), P::I(limit)];
    let rows = tx.rows(sql, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Job { kind: row.text(0)?, dedup: row.text(1)?, body: row.text(2)?, attempts: row.int(3)? })
        })
        .collect()
}

/// Is a job of a kind being done now, by whomever?
///
/// # Errors
/// The database's.
pub async fn any_claimed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    kind: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM job WHERE workspace_id = $1 AND kind = $2 AND state = 'ready' AND lease_until > $3 LIMIT 1";
    Ok(tx.opt(sql, &[P::T(workspace_id), P::T(kind), P::I(now)]).await?.is_some())
}

/// Removes a job that is done.
///
/// # Errors
/// The database's.
pub async fn finish(tx: &mut Tx<'_>, workspace_id: &str, kind: &str, dedup: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM job WHERE workspace_id = $1 AND kind = $2 AND dedup = $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(kind), P::T(dedup)]).await?;
    Ok(())
}

/// A claimed job is wanted once more: it is due at once, with all its tries.
///
/// # Errors
/// The database's.
pub async fn again(tx: &mut Tx<'_>, workspace_id: &str, job: &Job, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE job SET state = 'ready', attempts = 0, last_error = '', run_at = $4, lease_until = 0 \
         WHERE workspace_id = $1 AND kind = $2 AND dedup = $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(&job.kind), P::T(&job.dedup), P::I(now)]).await?;
    Ok(())
}

/// Jobs of a connection that wait or were given up are due at once, with all their tries: what they failed for is
/// mended. They name the connection first in their bodies.
///
/// # Errors
/// The database's.
pub async fn resume_of_connection(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    kind: &str,
    connection_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE job SET state = 'ready', run_at = $4, attempts = 0 WHERE workspace_id = $1 AND kind = $2 \
         AND attempts > 0 AND dedup LIKE $3";
    // `_` matches any letter, so an id fits itself and, at worst, jobs that are due a little early.
    let like = format!("{{\"connection_id\":\"{connection_id}\",%");
    tx.exec(sql, &[P::T(workspace_id), P::T(kind), P::T(&like), P::I(now)]).await?;
    Ok(())
}

/// Is there a job, in whatever state?
///
/// # Errors
/// The database's.
pub async fn exists(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    kind: &str,
    dedup: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM job WHERE workspace_id = $1 AND kind = $2 AND dedup = $3";
    Ok(tx.opt(sql, &[P::T(workspace_id), P::T(kind), P::T(dedup)]).await?.is_some())
}

/// Puts a job back for later, or parks it.
///
/// # Errors
/// The database's.
pub async fn fail(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    job: &Job,
    error: &str,
    retry_at: Option<i64>,
) -> Result<(), StoreError> {
    let sql = "UPDATE job SET attempts = $4, last_error = $5, state = $6, run_at = $7, lease_until = 0 \
         WHERE workspace_id = $1 AND kind = $2 AND dedup = $3";
    let state = if retry_at.is_some() { "ready" } else { "parked" };
    let params = [
        P::T(workspace_id),
        P::T(&job.kind),
        P::T(&job.dedup),
        P::I(job.attempts + 1),
        P::T(error),
        P::T(state),
        P::I(retry_at.unwrap_or(0)),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}
