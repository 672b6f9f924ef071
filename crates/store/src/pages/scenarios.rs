//! What the page of test scenarios reads: partners to choose from, and what a purchase brought.

use super::Place;
use super::events::{Touched, touched_by};
use crate::{P, StoreError, Tx};

/// Partners to choose from.
const PARTNERS: i64 = 100;

/// What a purchase brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Minor units of `currency`, of all commissions of the sale in this program.
    pub target: i64,
    /// Lower case; empty where nothing is earned.
    pub currency: String,
    /// Is it still being worked on?
    pub waits: bool,
    /// The sale as the Events page tells it.
    pub touched: Touched,
}

/// Active partners by their names: key and words for a choice.
///
/// # Errors
/// The database's.
pub async fn partners(tx: &mut Tx<'_>, place: &Place) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT key, name, surname FROM partner WHERE workspace_id = $1 AND program_id = $2 \
         AND status = 'active' ORDER BY name, key LIMIT $3";
    let rows = tx.rows(sql, &[P::T(&place.workspace_id), P::T(&place.program_id), P::I(PARTNERS)]).await?;
    rows.iter()
        .map(|row| {
            let (key, name) = (row.text(0)?, format!("{} {}", row.text(1)?, row.text(2)?));
            let name = name.trim();
            let words = if name.is_empty() { key.clone() } else { format!("{name} ({key})") };
            Ok((key, words))
        })
        .collect()
}

/// What the purchase of an object brought; `None` if nothing is known of it.
///
/// # Errors
/// The database's.
pub async fn brought(
    tx: &mut Tx<'_>,
    place: &Place,
    connection_id: &str,
    object_id: &str,
) -> Result<Option<Brought>, StoreError> {
    let Some(touched) = touched_by(tx, place, connection_id, object_id).await? else { return Ok(None) };
    let sql = "SELECT CAST(SUM(m.target) AS BIGINT), MAX(m.currency) FROM alias a \
         JOIN commission m ON m.workspace_id = a.workspace_id AND m.sale_id = a.sale_id AND m.program_id = $4 \
         WHERE a.workspace_id = $1 AND a.connection_id = $2 AND a.object_id = $3";
    let (ws, program) = (P::T(&place.workspace_id), P::T(&place.program_id));
    let sums = tx.opt(sql, &[ws, P::T(connection_id), P::T(object_id), program]).await?;
    let (target, currency) = match sums {
        Some(row) => (row.opt_int(0)?.unwrap_or(0), row.opt_text(1)?.unwrap_or_default()),
        None => (0, String::new()),
    };
    let sql = "SELECT s.unplaced, s.unsettled FROM alias a \
         JOIN sale s ON s.workspace_id = a.workspace_id AND s.sale_id = a.sale_id \
         WHERE a.workspace_id = $1 AND a.connection_id = $2 AND a.object_id = $3";
    let found = tx.opt(sql, &[P::T(&place.workspace_id), P::T(connection_id), P::T(object_id)]).await?;
    let waits = match found {
        Some(row) => row.flag(0)? || row.flag(1)? || touched.state.starts_with("awaiting"),
        None => true,
    };
    Ok(Some(Brought { target, currency, waits, touched }))
}
