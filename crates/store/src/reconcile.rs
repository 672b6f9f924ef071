//! What Stripe listed for a comparison.

use crate::{P, Row, StoreError, Tx};

/// One object of Stripe's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its Stripe id.
    pub object_id: String,
    /// `invoices`, `charges`, `refunds` or `disputes`.
    pub list: String,
    /// Lower case.
    pub currency: String,
    /// Paid, captured, given back or disputed, minor units; 0 for what came to nothing.
    pub amount: i64,
    /// When that was, ms UTC.
    pub at: i64,
    /// What it came to where the amount does not show it; of a dispute `open`, `lost` or `over`.
    pub state: String,
    /// The Stripe customer, or nothing.
    pub customer: String,
    /// The PaymentIntent, or nothing.
    pub payment_intent: String,
}

fn item(row: &Row) -> Result<Item, StoreError> {
    Ok(Item {
        object_id: row.text(0)?,
        list: row.text(1)?,
        currency: row.text(2)?,
        amount: row.int(3)?,
        at: row.int(4)?,
        state: row.text(5)?,
        customer: row.text(6)?,
        payment_intent: row.text(7)?,
    })
}

/// Keeps items of a run; one that is there already is left as it is.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    run_id: &str,
    items: &[Item],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO reconcile_item (workspace_id, connection_id, run_id, object_id, list, currency, amount, at, \
         state, customer, payment_intent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (workspace_id, connection_id, run_id, object_id) DO NOTHING";
    let sets: Vec<_> = items
        .iter()
        .map(|i| {
            let ids = [P::T(workspace_id), P::T(connection_id), P::T(run_id), P::T(&i.object_id)];
            let rest = [P::T(&i.list), P::T(&i.currency), P::I(i.amount), P::I(i.at), P::T(&i.state)];
            let by = [P::T(&i.customer), P::T(&i.payment_intent)];
            ids.into_iter().chain(rest).chain(by).collect()
        })
        .collect();
    if !sets.is_empty() {
        tx.exec_each(sql, &sets).await?;
    }
    Ok(())
}

/// Items of a run in order of their ids, after a given one.
///
/// # Errors
/// The database's.
pub async fn after(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    run_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Item>, StoreError> {
    let sql = "SELECT object_id, list, currency, amount, at, state, customer, payment_intent FROM reconcile_item WHERE workspace_id = $1 \
         AND connection_id = $2 AND run_id = $3 AND object_id > $4 ORDER BY object_id LIMIT $5";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(run_id), P::T(after), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(item).collect()
}

/// Which of the ids the run has listed.
///
/// # Errors
/// The database's.
pub async fn listed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    run_id: &str,
    ids: &[String],
) -> Result<Vec<bool>, StoreError> {
    let sql = "SELECT 1 FROM reconcile_item WHERE workspace_id = $1 AND connection_id = $2 AND run_id = $3 \
         AND object_id = $4";
    let sets: Vec<_> =
        ids.iter().map(|id| vec![P::T(workspace_id), P::T(connection_id), P::T(run_id), P::T(id)]).collect();
    Ok(tx.rows_each(sql, &sets).await?.iter().map(|rows| !rows.is_empty()).collect())
}

/// Live sales of a connection that were paid in a period, in order of their ids, after a given one.
///
/// # Errors
/// The database's.
pub async fn sales_between(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    from: i64,
    until: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT sale_id FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND merged_into IS NULL \
         AND occurred_at >= $3 AND occurred_at < $4 AND sale_id > $5 ORDER BY sale_id LIMIT $6";
    let params = [P::T(workspace_id), P::T(connection_id), P::I(from), P::I(until), P::T(after), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(|row| row.text(0)).collect()
}

/// A commission's figures: (sale, program, target in minor units, currency).
pub type Earned = (String, String, i64, String);

/// The commissions of sales.
///
/// # Errors
/// The database's.
pub async fn commissions(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sale_ids: &[String],
) -> Result<Vec<Earned>, StoreError> {
    let sql = "SELECT sale_id, program_id, target, currency FROM commission WHERE workspace_id = $1 AND sale_id = $2 \
         AND target > 0 ORDER BY commission_id LIMIT 100";
    let sets: Vec<_> = sale_ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    let rows = tx.rows_each(sql, &sets).await?;
    rows.iter().flatten().map(|row| Ok((row.text(0)?, row.text(1)?, row.int(2)?, row.text(3)?))).collect()
}

/// Removes the items of all comparisons of a connection but the last five.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut Tx<'_>, workspace_id: &str, connection_id: &str) -> Result<u64, StoreError> {
    let sql = "DELETE FROM reconcile_item WHERE workspace_id = $1 AND connection_id = $2 AND run_id NOT IN \
         (SELECT run_id FROM import_run WHERE workspace_id = $1 AND connection_id = $2 AND kind = 'reconcile' \
         ORDER BY started_at DESC, run_id DESC LIMIT 5)";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id)]).await
}
