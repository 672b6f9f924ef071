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
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
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
