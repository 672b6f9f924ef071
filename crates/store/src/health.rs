//! Counts that tell whether a connection lives.

use crate::{P, StoreError, Tx};
use serde::Serialize;

/// What arrived on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Arrivals {
    /// When the last event arrived, ms UTC.
    pub last_received_at: Option<i64>,
    /// Events that wait to be worked on, counted up to 10,000.
    pub pending: i64,
    /// Events that were given up, counted up to 10,000.
    pub parked: i64,
    /// Sales that await a look-up, counted up to 10,000.
    pub awaiting_link: i64,
    /// Since when the one that has waited longest waits, ms UTC.
    pub awaiting_since: Option<i64>,
}

/// Counts what arrived on a connection.
///
/// # Errors
/// The database's.
pub async fn arrivals(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Arrivals, StoreError> {
    let ids = [P::T(workspace_id), P::T(connection_id)];
    let last = "SELECT received_at FROM event WHERE workspace_id = $1 AND connection_id = $2 \
         ORDER BY received_at DESC LIMIT 1";
    let pending = "SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE workspace_id = $1 AND connection_id = $2 \
         AND outcome = 'pending' LIMIT 10000) AS found";
    let parked = "SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE workspace_id = $1 AND connection_id = $2 \
         AND outcome = 'parked' LIMIT 10000) AS found";
    let awaiting = "SELECT COUNT(*) FROM (SELECT 1 FROM sale WHERE workspace_id = $1 AND connection_id = $2 \
         AND awaiting_since IS NOT NULL AND merged_into IS NULL LIMIT 10000) AS found";
    let oldest = "SELECT awaiting_since FROM sale WHERE workspace_id = $1 AND connection_id = $2 \
         AND awaiting_since IS NOT NULL AND merged_into IS NULL ORDER BY awaiting_since LIMIT 1";
    Ok(Arrivals {
        last_received_at: tx.opt(last, &ids).await?.map(|row| row.int(0)).transpose()?,
        pending: count(tx, pending, &ids).await?,
        parked: count(tx, parked, &ids).await?,
        awaiting_link: count(tx, awaiting, &ids).await?,
        awaiting_since: tx.opt(oldest, &ids).await?.map(|row| row.int(0)).transpose()?,
    })
}

async fn count(tx: &mut Tx<'_>, sql: &'static str, ids: &[P<'_>]) -> Result<i64, StoreError> {
    tx.opt(sql, ids).await?.map_or(Ok(0), |row| row.int(0))
}

/// The database's own version, such as `SQLite 3.54.0`.
///
/// # Errors
/// The database's.
pub async fn engine_version(tx: &mut Tx<'_>) -> Result<String, StoreError> {
    let (name, sql) = if tx.is_postgres() {
        ("PostgreSQL", "SHOW server_version")
    } else {
        ("SQLite", "SELECT sqlite_version()")
    };
    let row = tx.opt(sql, &[]).await?.ok_or_else(|| StoreError::Inconsistent("no version".into()))?;
    Ok(format!("{name} {}", row.text(0)?))
}
