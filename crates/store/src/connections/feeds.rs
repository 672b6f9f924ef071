//! When a connection fed which program: spans of time, kept when a program is let go.

use super::Connection;
use crate::{P, StoreError, Tx};
use std::collections::BTreeMap;

/// Spans of time, from (inclusive) and until (ms UTC).
pub type Spans = Vec<(i64, i64)>;

/// The programs that a connection ever fed, by id, with the spans.
///
/// # Errors
/// The database's.
pub async fn of_connection(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<BTreeMap<String, Spans>, StoreError> {
    let sql = "SELECT program_id, from_ms, until_ms FROM feed_span WHERE workspace_id = $1 AND connection_id = $2 \
         ORDER BY program_id, from_ms";
    spans(tx, sql, workspace_id, connection_id).await
}

/// The connections that ever fed a program, by id, with the spans.
///
/// # Errors
/// The database's.
pub async fn of_program(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<BTreeMap<String, Spans>, StoreError> {
    let sql = "SELECT connection_id, from_ms, until_ms FROM feed_span WHERE workspace_id = $1 AND program_id = $2 \
         ORDER BY connection_id, from_ms";
    spans(tx, sql, workspace_id, program_id).await
}

async fn spans(
    tx: &mut Tx<'_>,
    sql: &'static str,
    workspace_id: &str,
    id: &str,
) -> Result<BTreeMap<String, Spans>, StoreError> {
    let mut found: BTreeMap<String, Spans> = BTreeMap::new();
    for row in tx.settings(sql, &[P::T(workspace_id), P::T(id)]).await?.iter() {
        let span = (row.int(1)?, row.opt_int(2)?.unwrap_or(i64::MAX));
        found.entry(row.text(0)?).or_default().push(span);
    }
    Ok(found)
}

/// The connections that ever fed a program, oldest first. At most 500.
///
/// # Errors
/// The database's.
pub async fn connections_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Vec<Connection>, StoreError> {
    let ever = of_program(tx, workspace_id, program_id).await?;
    let all = super::list(tx, workspace_id).await?;
    Ok(all.into_iter().filter(|one| ever.contains_key(&one.connection_id)).collect())
}

/// A program is fed from an instant (ms UTC) on; for the first time, with all that came before.
///
/// # Errors
/// The database's.
pub(super) async fn begin(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    program_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO feed_span (workspace_id, connection_id, program_id, from_ms, until_ms) \
         VALUES ($1, $2, $3, CASE WHEN EXISTS (SELECT 1 FROM feed_span WHERE workspace_id = $1 AND connection_id = $2 \
         AND program_id = $3) THEN CAST($4 AS BIGINT) ELSE 0 END, NULL) \
         ON CONFLICT (workspace_id, connection_id, program_id, from_ms) DO UPDATE SET until_ms = NULL";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    tx.exec(sql, &[ws, con, P::T(program_id), P::I(now)]).await?;
    Ok(())
}

/// A program is fed no more from an instant (ms UTC) on.
///
/// # Errors
/// The database's.
pub(super) async fn end(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    program_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE feed_span SET until_ms = $4 WHERE workspace_id = $1 AND connection_id = $2 AND program_id = $3 \
         AND until_ms IS NULL";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    tx.exec(sql, &[ws, con, P::T(program_id), P::I(now)]).await?;
    Ok(())
}
