//! What is known of one customer of Stripe, for the app in Stripe's Dashboard: which customers of which programs it is, and
//! what was earned of them.

use super::Place;
use crate::{P, StoreError, Tx};

/// Programs in which one customer of Stripe is looked for.
pub const PROGRAMS: i64 = 10;
/// Currencies of one customer.
const CURRENCIES: i64 = 20;

/// A customer of a program that a customer of Stripe is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The program, our id.
    pub program_id: String,
    /// The program's public id.
    pub public_id: String,
    /// The program's name.
    pub name: String,
    /// The program's site.
    pub website: String,
    /// The parameter of its referral links.
    pub parameter: String,
    /// `ctm_…`
    pub customer_id: String,
}

/// What was earned in one currency. Minor units; the four do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Lower case.
    pub currency: String,
    /// In the hold.
    pub pending: i64,
    /// Payable, not yet paid.
    pub payable: i64,
    /// Earned once and taken back by refunds, lost disputes or a void.
    pub reversed: i64,
}

/// Is this account connected in this mode, now or once? Its connection's id.
///
/// # Errors
/// The database's.
pub async fn connection_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    account_id: &str,
    mode: &str,
) -> Result<Option<String>, StoreError> {
    let sql =
        "SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = $2 AND account_id = $3";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(mode), P::T(account_id)]).await?;
    row.map(|row| row.text(0)).transpose()
}

/// Which customers a customer of Stripe is, the program that knew it first in front. At most [`PROGRAMS`].
///
/// # Errors
/// The database's.
pub async fn known(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
) -> Result<Vec<Known>, StoreError> {
    let sql = "SELECT b.program_id, g.public_id, g.name, g.website, b.customer_id, g.parameter FROM buyer_customer b \
         JOIN program g ON g.workspace_id = b.workspace_id AND g.program_id = b.program_id \
         WHERE b.workspace_id = $1 AND b.connection_id = $2 AND b.buyer_id = $3 \
         ORDER BY b.effective_at, b.program_id LIMIT $4";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id), P::I(PROGRAMS)];
    let rows = tx.rows(sql, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                program_id: row.text(0)?,
                public_id: row.text(1)?,
                name: row.text(2)?,
                website: row.text(3)?,
                customer_id: row.text(4)?,
                parameter: row.text(5)?,
            })
        })
        .collect()
}

/// What partners earn of one customer, by currency.
///
/// # Errors
/// The database's.
pub async fn totals(tx: &mut Tx<'_>, place: &Place, customer_id: &str) -> Result<Vec<Totals>, StoreError> {
    let sql = "SELECT m.currency, \
         CAST(SUM(CASE WHEN m.matured_at IS NULL THEN m.target ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN m.matured_at IS NULL THEN 0 ELSE m.target END) AS BIGINT), \
         CAST(SUM(m.gross - m.target) AS BIGINT) FROM sale s JOIN commission m ON m.workspace_id = s.workspace_id \
         AND m.sale_id = s.sale_id WHERE s.workspace_id = $1 AND s.program_id = $2 AND s.customer_id = $3 \
         AND s.mode = $4 AND s.merged_into IS NULL AND m.outcome NOT IN ('merged', 'moved') \
         GROUP BY m.currency ORDER BY COUNT(*) DESC, m.currency LIMIT $5";
    let (ws, program) = (P::T(&place.workspace_id), P::T(&place.program_id));
    let params = [ws, program, P::T(customer_id), P::T(&place.mode), P::I(CURRENCIES)];
    let rows = tx.rows(sql, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Totals {
                currency: row.text(0)?,
                pending: row.int(1)?,
                payable: row.int(2)?,
                reversed: row.int(3)?,
            })
        })
        .collect()
}
