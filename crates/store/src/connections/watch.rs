//! Looking after connections: when each was looked at, and which programs it feeds.

use crate::{P, StoreError, Tx};

/// Claims the next look at a connection: `true` for one caller only, if it is due. Pauses double with each failure.
///
/// # Errors
/// The database's.
pub async fn claim_look(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    now: i64,
    every_ms: i64,
) -> Result<bool, StoreError> {
    let sql =
        "SELECT looked_at, look_failures FROM connection WHERE workspace_id = $1 AND connection_id = $2";
    let ids = [P::T(workspace_id), P::T(connection_id)];
    let Some(row) = tx.opt(sql, &ids).await? else { return Ok(false) };
    let (looked_at, failures) = (row.int(0)?, row.int(1)?);
    let pause = every_ms.saturating_mul(1_i64 << failures.clamp(0, 4));
    if now.saturating_sub(looked_at) < pause {
        return Ok(false);
    }
    let sql = "UPDATE connection SET looked_at = $3 WHERE workspace_id = $1 AND connection_id = $2 AND looked_at = $4";
    let params = [P::T(workspace_id), P::T(connection_id), P::I(now), P::I(looked_at)];
    Ok(tx.exec(sql, &params).await? > 0)
}

/// A look was taken just now in another way: the next regular one is due after a whole pause.
///
/// # Errors
/// The database's.
pub async fn looked(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection SET looked_at = $3, look_failures = 0 WHERE workspace_id = $1 AND connection_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::I(now)]).await?;
    Ok(())
}

/// Counts a look at which Stripe could not be reached, or begins anew.
///
/// # Errors
/// The database's.
pub async fn count_look(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    reached: bool,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection SET look_failures = CASE WHEN $3 THEN 0 ELSE look_failures + 1 END \
         WHERE workspace_id = $1 AND connection_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::F(reached)]).await?;
    Ok(())
}

/// Detaches a program from a connection from an instant (ms UTC) on: sales of before stay. `false` if it was not attached.
///
/// # Errors
/// The database's.
pub async fn detach(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    program_id: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let sql =
        "DELETE FROM connection_program WHERE workspace_id = $1 AND connection_id = $2 AND program_id = $3";
    let was = tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::T(program_id)]).await? > 0;
    super::feeds::end(tx, workspace_id, connection_id, program_id, now).await?;
    Ok(was)
}

/// The public ids and names of the programs that a connection feeds, the oldest link first. At most 500.
///
/// # Errors
/// The database's.
pub async fn programs_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT p.public_id, p.name FROM connection_program cp JOIN program p \
         ON p.workspace_id = cp.workspace_id AND p.program_id = cp.program_id \
         WHERE cp.workspace_id = $1 AND cp.connection_id = $2 ORDER BY cp.created_at, p.program_id LIMIT 500";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}
