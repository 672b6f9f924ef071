//! Sales: one row a purchase.

use crate::{P, Row, StoreError, Tx};

/// A sale as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// `sal_…`
    pub sale_id: String,
    /// The connection it came through.
    pub connection_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// The sale that it turned out to be.
    pub merged_into: Option<String>,
    /// The economic key.
    pub root_id: String,
    /// [`tributary_domain::sale::SaleState`] as text, or `merged`.
    pub state: String,
    /// ms UTC.
    pub occurred_at: i64,
    /// Lower case, or empty while unknown.
    pub currency: String,
    /// Minor units, as all that follow.
    pub total: i64,
    /// Tax in the total.
    pub tax: i64,
    /// Shipping in the total, without tax.
    pub shipping: i64,
    /// Discount already taken off.
    pub discount: i64,
    /// Paid of the total.
    pub paid: i64,
    /// Captured.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Lost in disputes that are over.
    pub lost: i64,
    /// Asked back by open disputes.
    pub disputed: i64,
    /// [`tributary_domain::sale::Detail`] as JSON.
    pub detail: String,
    /// A bare charge: it does not say what tax it holds.
    pub tax_unknown: bool,
    /// May it earn?
    pub rewardable: bool,
    /// A reward set by the API.
    pub fixed_reward: Option<i64>,
    /// Who bought.
    pub buyer_id: String,
    /// HMAC of the buyer's e-mail.
    pub email_hash: Option<String>,
    /// Since when it waits for an answer of Stripe, ms UTC.
    pub awaiting_since: Option<i64>,
    /// The program it earns in.
    pub program_id: Option<String>,
    /// Our customer.
    pub customer_id: Option<String>,
    /// Why it has (no) customer.
    pub place_reason: String,
    /// Must its customer be looked for again?
    pub unplaced: bool,
    /// Must its commission be computed again?
    pub unsettled: bool,
    /// What settlement said last ([`tributary_domain::settlement::Outcome`] as text), or empty.
    pub outcome: String,
}

impl Sale {
    /// It turned out to be part of another sale: settlement takes back what it earned by itself.
    pub fn merge_into(&mut self, winner: &str) {
        self.merged_into = Some(winner.to_owned());
        self.state = "merged".to_owned();
        self.awaiting_since = None;
        (self.unplaced, self.unsettled) = (false, true);
    }
}

macro_rules! columns {
    () => {
        "sale_id, connection_id, mode, merged_into, root_id, state, occurred_at, currency, total, tax, shipping, \
         discount, paid, captured, refunded, tax_unknown, rewardable, fixed_reward, buyer_id, email_hash, \
         awaiting_since, program_id, customer_id, place_reason, unplaced, unsettled, outcome, lost, disputed, detail"
    };
}

fn sale(row: &Row) -> Result<Sale, StoreError> {
    Ok(Sale {
        sale_id: row.text(0)?,
        connection_id: row.text(1)?,
        mode: row.text(2)?,
        merged_into: row.opt_text(3)?,
        root_id: row.text(4)?,
        state: row.text(5)?,
        occurred_at: row.int(6)?,
        currency: row.text(7)?,
        total: row.int(8)?,
        tax: row.int(9)?,
        shipping: row.int(10)?,
        discount: row.int(11)?,
        paid: row.int(12)?,
        captured: row.int(13)?,
        refunded: row.int(14)?,
        tax_unknown: row.flag(15)?,
        rewardable: row.flag(16)?,
        fixed_reward: row.opt_int(17)?,
        buyer_id: row.text(18)?,
        email_hash: row.opt_text(19)?,
        awaiting_since: row.opt_int(20)?,
        program_id: row.opt_text(21)?,
        customer_id: row.opt_text(22)?,
        place_reason: row.text(23)?,
        unplaced: row.flag(24)?,
        unsettled: row.flag(25)?,
        outcome: row.text(26)?,
        lost: row.int(27)?,
        disputed: row.int(28)?,
        detail: row.text(29)?,
    })
}

/// The given sales, those that exist.
///
/// # Errors
/// The database's.
pub async fn load(tx: &mut Tx<'_>, workspace_id: &str, ids: &[String]) -> Result<Vec<Sale>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM sale WHERE workspace_id = $1 AND sale_id = $2");
    let sets: Vec<_> = ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    tx.rows_each(sql, &sets).await?.iter().flatten().map(sale).collect()
}

/// The live sale that an object id belongs to, in any connection of the workspace.
///
/// # Errors
/// The database's.
pub async fn find_by_object(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    object_id: &str,
) -> Result<Option<Sale>, StoreError> {
    let sql = "SELECT sale_id FROM alias WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3 \
         AND sale_id IS NOT NULL";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(connection_id), P::T(object_id)]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(load(tx, workspace_id, &[row.text(0)?]).await?.into_iter().next())
}

/// Writes sales, whole.
///
/// # Errors
/// [`StoreError::Conflict`] if a root would have two live sales.
pub async fn upsert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sales: &[&Sale],
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO sale (workspace_id, sale_id, connection_id, mode, merged_into, root_id, state, occurred_at, \
         currency, total, tax, shipping, discount, paid, captured, refunded, tax_unknown, rewardable, fixed_reward, \
         buyer_id, email_hash, awaiting_since, program_id, customer_id, place_reason, unplaced, unsettled, outcome, \
         updated_at, lost, disputed, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32) ON CONFLICT (workspace_id, sale_id) DO UPDATE SET \
         merged_into = excluded.merged_into, root_id = excluded.root_id, state = excluded.state, \
         occurred_at = excluded.occurred_at, currency = excluded.currency, total = excluded.total, \
         tax = excluded.tax, shipping = excluded.shipping, discount = excluded.discount, paid = excluded.paid, \
         captured = excluded.captured, refunded = excluded.refunded, tax_unknown = excluded.tax_unknown, \
         rewardable = excluded.rewardable, fixed_reward = excluded.fixed_reward, buyer_id = excluded.buyer_id, \
         email_hash = excluded.email_hash, awaiting_since = excluded.awaiting_since, \
         program_id = excluded.program_id, customer_id = excluded.customer_id, \
         place_reason = excluded.place_reason, unplaced = excluded.unplaced, unsettled = excluded.unsettled, \
         outcome = excluded.outcome, updated_at = excluded.updated_at, lost = excluded.lost, \
         disputed = excluded.disputed, detail = excluded.detail";
    let sets: Vec<_> = sales
        .iter()
        .map(|s| {
            vec![
                P::T(workspace_id),
                P::T(&s.sale_id),
                P::T(&s.connection_id),
                P::T(&s.mode),
                P::opt_t(s.merged_into.as_deref()),
                P::T(&s.root_id),
                P::T(&s.state),
                P::I(s.occurred_at),
                P::T(&s.currency),
                P::I(s.total),
                P::I(s.tax),
                P::I(s.shipping),
                P::I(s.discount),
                P::I(s.paid),
                P::I(s.captured),
                P::I(s.refunded),
                P::F(s.tax_unknown),
                P::F(s.rewardable),
                P::opt_i(s.fixed_reward),
                P::T(&s.buyer_id),
                P::opt_t(s.email_hash.as_deref()),
                P::opt_i(s.awaiting_since),
                P::opt_t(s.program_id.as_deref()),
                P::opt_t(s.customer_id.as_deref()),
                P::T(&s.place_reason),
                P::F(s.unplaced),
                P::F(s.unsettled),
                P::T(&s.outcome),
                P::I(now),
                P::I(s.lost),
                P::I(s.disputed),
                P::T(&s.detail),
            ]
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// Marks all live sales of a buyer: their customer must be looked for again.
///
/// # Errors
/// The database's.
pub async fn mark_unplaced(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
) -> Result<u64, StoreError> {
    let sql = "UPDATE sale SET unplaced = TRUE WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 \
         AND merged_into IS NULL AND NOT unplaced";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::T(buyer_id)]).await
}

/// Marks the live sales of a connection from an instant (ms UTC) on: their customer must be looked for again.
///
/// # Errors
/// The database's.
pub async fn mark_unplaced_from(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    from: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE sale SET unplaced = TRUE WHERE workspace_id = $1 AND connection_id = $2 AND occurred_at >= $3 \
         AND merged_into IS NULL AND NOT unplaced";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::I(from)]).await?;
    Ok(())
}

/// Has a buyer a live sale of a span of time, from (inclusive) and until (ms UTC)?
///
/// # Errors
/// The database's.
pub async fn any_within(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    (connection_id, buyer_id): (&str, &str),
    (from, until): (i64, i64),
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 \
         AND occurred_at >= $4 AND occurred_at < $5 AND merged_into IS NULL LIMIT 1";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id), P::I(from), P::I(until)];
    Ok(tx.opt(sql, &params).await?.is_some())
}

/// Marks one sale: its customer must be looked for again.
///
/// # Errors
/// The database's.
pub async fn mark_sale_unplaced(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sale_id: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE sale SET unplaced = TRUE WHERE workspace_id = $1 AND sale_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(sale_id)]).await?;
    Ok(())
}

/// Connections that have unplaced sales. At most 100.
///
/// # Errors
/// The database's.
pub async fn connections_with_unplaced(
    tx: &mut Tx<'_>,
    workspace_id: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT connection_id FROM sale WHERE workspace_id = $1 AND unplaced LIMIT 100";
    tx.rows(sql, &[P::T(workspace_id)]).await?.iter().map(|row| row.text(0)).collect()
}

/// Unplaced sales of a connection.
///
/// # Errors
/// The database's.
pub async fn unplaced(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    limit: i64,
) -> Result<Vec<Sale>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND unplaced ORDER BY sale_id LIMIT $3"
    );
    tx.rows(sql, &[P::T(workspace_id), P::T(connection_id), P::I(limit)]).await?.iter().map(sale).collect()
}

/// Unsettled sales of a scope in order of (occurred_at, root id), merged ones too.
///
/// # Errors
/// The database's.
pub async fn unsettled(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
    limit: i64,
) -> Result<Vec<Sale>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM sale WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3 AND unsettled \
         ORDER BY occurred_at, root_id LIMIT $4"
    );
    let params = [P::T(workspace_id), P::T(program_id), P::T(customer_id), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(sale).collect()
}

/// Marks every sale of a scope unsettled.
///
/// # Errors
/// The database's.
pub async fn unsettle_scope(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE sale SET unsettled = TRUE WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3 \
         AND NOT unsettled";
    tx.exec(sql, &[P::T(workspace_id), P::T(program_id), P::T(customer_id)]).await?;
    Ok(())
}

/// The instant of the first paid sale of a scope, ms UTC.
///
/// # Errors
/// The database's.
pub async fn first_paid_at(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT occurred_at FROM sale WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3 \
         AND state = 'paid' ORDER BY occurred_at, root_id LIMIT 1";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(program_id), P::T(customer_id)]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// All live paid sales of a scope from its beginning, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn paid_from_start(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
    limit: i64,
) -> Result<Vec<Sale>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM sale WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3 AND state = 'paid' \
         ORDER BY occurred_at, root_id LIMIT $4"
    );
    let params = [P::T(workspace_id), P::T(program_id), P::T(customer_id), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(sale).collect()
}

/// Writes what settlement said of sales and clears their mark.
///
/// # Errors
/// The database's.
pub async fn set_settled(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    outcomes: &[(&str, &str)],
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE sale SET unsettled = FALSE, outcome = $3, updated_at = $4 \
         WHERE workspace_id = $1 AND sale_id = $2";
    let sets: Vec<_> = outcomes
        .iter()
        .map(|(sale_id, outcome)| vec![P::T(workspace_id), P::T(sale_id), P::T(outcome), P::I(now)])
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}
