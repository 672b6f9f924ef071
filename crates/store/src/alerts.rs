//! What somebody has to be told. A row is written with the change that it tells of, and sent later.

use crate::vault::random;
use crate::{P, StoreError, Tx};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The workspace.
    pub workspace_id: String,
    /// Hex, random.
    pub alert_id: String,
    /// A word: `connection_broken`, `connection_warning`, `connection_mended`.
    pub kind: String,
    /// What it is about: a connection's id.
    pub subject: String,
    /// A sentence.
    pub text: String,
    /// ms UTC.
    pub created_at: i64,
    /// Tries before.
    pub attempts: i64,
}

/// Writes a message in the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    kind: &str,
    subject: &str,
    text: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO alert (workspace_id, alert_id, kind, subject, text, created_at, run_at, attempts, sent_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6, 0, NULL)";
    let id = hex::encode(random::<16>()?);
    let (ws, id) = (P::T(workspace_id), P::T(&id));
    tx.exec(sql, &[ws, id, P::T(kind), P::T(subject), P::T(text), P::I(now)]).await?;
    Ok(())
}

/// Claims due messages until `lease_until`, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn claim(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    now: i64,
    lease_until: i64,
    limit: i64,
) -> Result<Vec<Alert>, StoreError> {
    let sql = "UPDATE alert SET run_at = $3, attempts = attempts + 1 WHERE workspace_id = $1 AND sent_at IS NULL \
         AND run_at <= $2 AND alert_id IN (SELECT alert_id FROM alert WHERE workspace_id = $1 AND sent_at IS NULL \
         AND run_at <= $2 ORDER BY run_at, alert_id LIMIT $4) \
         RETURNING workspace_id, alert_id, kind, subject, text, created_at, attempts";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::I(now), P::I(lease_until), P::I(limit)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Alert {
                workspace_id: row.text(0)?,
                alert_id: row.text(1)?,
                kind: row.text(2)?,
                subject: row.text(3)?,
                text: row.text(4)?,
                created_at: row.int(5)?,
                attempts: row.int(6)? - 1,
            })
        })
        .collect()
}

/// The message was sent.
///
/// # Errors
/// The database's.
pub async fn sent(tx: &mut Tx<'_>, workspace_id: &str, alert_id: &str, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE alert SET sent_at = $3 WHERE workspace_id = $1 AND alert_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(alert_id), P::I(now)]).await?;
    Ok(())
}

/// The message could not be sent; it is due again at `run_at`.
///
/// # Errors
/// The database's.
pub async fn later(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    alert_id: &str,
    run_at: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE alert SET run_at = $3 WHERE workspace_id = $1 AND alert_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(alert_id), P::I(run_at)]).await?;
    Ok(())
}
