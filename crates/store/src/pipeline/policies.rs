//! How a program attributes: dated versions, like terms.

use crate::{P, StoreError, Tx};
use tributary_domain::attribution::{PolicyVersion, window_days};

/// All versions of a program's policy; none where the program never set one.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Vec<PolicyVersion>, StoreError> {
    let sql = "SELECT version, from_ms, window_days FROM policy WHERE workspace_id = $1 AND program_id = $2 \
         ORDER BY version LIMIT 1000";
    let rows = tx.settings(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(PolicyVersion { version: row.int(0)?, from_ms: row.opt_int(1)?, window_days: row.int(2)? })
        })
        .collect()
}

/// The days that a click counts at an instant (ms UTC).
///
/// # Errors
/// The database's.
pub async fn window_at(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    at: i64,
) -> Result<i64, StoreError> {
    Ok(window_days(&list(tx, workspace_id, program_id).await?, at))
}

/// Adds a version that holds from `now` on; the versions before it stay as they were.
///
/// # Errors
/// [`StoreError::Conflict`] if another write was quicker.
pub async fn add(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    window_days: i64,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "SELECT MAX(version) FROM policy WHERE workspace_id = $1 AND program_id = $2";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    let last = row.map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0);
    let insert = "INSERT INTO policy (workspace_id, program_id, version, from_ms, window_days, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let (ws, id) = (P::T(workspace_id), P::T(program_id));
    if last == 0 {
        // What held until now was the default: the first version has no start, so it is written down with it.
        let default = tributary_domain::attribution::WINDOW_DAYS;
        tx.exec(insert, &[ws, id, P::I(1), P::opt_i(None), P::I(default), P::I(now)]).await?;
    }
    let version = P::I(last.max(1) + 1);
    tx.exec(insert, &[ws, id, version, P::opt_i(Some(now)), P::I(window_days), P::I(now)]).await?;
    Ok(())
}
