//! How a program attributes: dated versions, like terms.

use crate::{P, StoreError, Tx};
use tributary_domain::attribution::{PolicyVersion, policy_at, window_days};

/// All versions of a program's policy; none where the program never set one.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Vec<PolicyVersion>, StoreError> {
    let sql = "SELECT version, from_ms, window_days, code_first, per_sale, match_email FROM policy \
         WHERE workspace_id = $1 AND program_id = $2 ORDER BY version LIMIT 1000";
    let rows = tx.settings(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(PolicyVersion {
                version: row.int(0)?,
                from_ms: row.opt_int(1)?,
                window_days: row.int(2)?,
                code_first: row.flag(3)?,
                per_sale: row.flag(4)?,
                match_email: row.flag(5)?,
            })
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

/// The version in force at an instant (ms UTC).
///
/// # Errors
/// The database's.
pub async fn at(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    at: i64,
) -> Result<PolicyVersion, StoreError> {
    Ok(policy_at(&list(tx, workspace_id, program_id).await?, at))
}

/// Writes how a new program finds customers, where that is not what holds anyway.
///
/// # Errors
/// The database's.
pub async fn begin(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    match_email: bool,
    now: i64,
) -> Result<(), StoreError> {
    let first = PolicyVersion { match_email, ..PolicyVersion::default() };
    if first == PolicyVersion::default() {
        return Ok(());
    }
    insert(tx, workspace_id, program_id, &first, now).await
}

/// Adds a version that holds from `now` on; the versions before it stay as they were. The number and the start of
/// `wanted` do not matter.
///
/// # Errors
/// [`StoreError::Conflict`] if another write was quicker.
pub async fn add(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    wanted: &PolicyVersion,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "SELECT MAX(version) FROM policy WHERE workspace_id = $1 AND program_id = $2";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    let last = row.map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0);
    if last == 0 {
        // What held until now was the default: the first version has no start, so it is written down with it.
        insert(tx, workspace_id, program_id, &PolicyVersion::default(), now).await?;
    }
    let next = PolicyVersion { version: last.max(1) + 1, from_ms: Some(now), ..*wanted };
    insert(tx, workspace_id, program_id, &next, now).await
}

async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    one: &PolicyVersion,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO policy (workspace_id, program_id, version, from_ms, window_days, created_at, code_first, \
         per_sale, match_email) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = [
        P::T(workspace_id),
        P::T(program_id),
        P::I(one.version),
        P::opt_i(one.from_ms),
        P::I(one.window_days),
        P::I(now),
        P::F(one.code_first),
        P::F(one.per_sale),
        P::F(one.match_email),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}
