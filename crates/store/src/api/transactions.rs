//! Transactions as the API shows them: sales of a program in one mode, whoever wrote them, with their rewards.

use super::{Page, Place};
use crate::{P, Row, StoreError, Tx};

/// A sale. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// `sal_…`
    pub sale_id: String,
    /// The connection that brought it, or what stands for the API.
    pub connection_id: String,
    /// The economic root.
    pub root_id: String,
    /// `paid`, `awaiting_link`, …
    pub state: String,
    /// When the money came, ms UTC.
    pub occurred_at: i64,
    /// Lower case.
    pub currency: String,
    /// Total, tax and shipping included.
    pub total: i64,
    /// Tax in it.
    pub tax: i64,
    /// Shipping in it.
    pub shipping: i64,
    /// Discount already taken off.
    pub discount: i64,
    /// Paid of the total.
    pub paid: i64,
    /// Given back of what was captured.
    pub refunded: i64,
    /// Lost in disputes that are over.
    pub lost: i64,
    /// Asked back by open disputes.
    pub disputed: i64,
    /// May it earn?
    pub rewardable: bool,
    /// The customer (our id), once placed.
    pub customer_id: Option<String>,
    /// The customer's key.
    pub customer_key: Option<String>,
    /// The partner of the customer's sign-up, as the merchant knows it.
    pub partner_external_id: Option<String>,
    /// ms UTC.
    pub updated_at: i64,
    /// The sale that this one turned out to be.
    pub merged_into: Option<String>,
}

macro_rules! columns {
    () => {
        "SELECT s.sale_id, s.connection_id, s.root_id, s.state, s.occurred_at, s.currency, s.total, s.tax, \
         s.shipping, s.discount, s.paid, s.refunded, s.rewardable, s.customer_id, c.key, p.external_id, \
         s.updated_at, s.merged_into, s.lost, s.disputed FROM sale s \
         LEFT JOIN customer c ON c.workspace_id = s.workspace_id AND c.customer_id = s.customer_id \
         LEFT JOIN partner p ON p.workspace_id = c.workspace_id AND p.partner_id = c.partner_id "
    };
}

fn sale(row: &Row) -> Result<Sale, StoreError> {
    Ok(Sale {
        sale_id: row.text(0)?,
        connection_id: row.text(1)?,
        root_id: row.text(2)?,
        state: row.text(3)?,
        occurred_at: row.int(4)?,
        currency: row.text(5)?,
        total: row.int(6)?,
        tax: row.int(7)?,
        shipping: row.int(8)?,
        discount: row.int(9)?,
        paid: row.int(10)?,
        refunded: row.int(11)?,
        lost: row.int(18)?,
        disputed: row.int(19)?,
        rewardable: row.flag(12)?,
        customer_id: row.opt_text(13)?,
        customer_key: row.opt_text(14)?,
        partner_external_id: row.opt_text(15)?,
        updated_at: row.int(16)?,
        merged_into: row.opt_text(17)?,
    })
}

/// A transaction as it was written through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its key.
    pub key: String,
    /// The customer (our id).
    pub customer_id: String,
    /// The connection whose objects its sale is among.
    pub connection_id: String,
    /// What happened: `sale` or the merchant's own word.
    pub action: String,
    /// JSON of what was given.
    pub body: String,
    /// ms UTC.
    pub created_at: i64,
}

fn written(row: &Row) -> Result<Written, StoreError> {
    Ok(Written {
        key: row.text(0)?,
        customer_id: row.text(1)?,
        connection_id: row.text(2)?,
        action: row.text(3)?,
        body: row.text(4)?,
        created_at: row.int(5)?,
    })
}

/// A commission of a sale, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reward {
    /// `com_…`
    pub commission_id: String,
    /// The partner as the merchant knows it.
    pub partner_external_id: String,
    /// The customer's key.
    pub customer_key: Option<String>,
    /// Lower case.
    pub currency: String,
    /// What it is now, minor units.
    pub target: i64,
    /// What it was before refunds, minor units.
    pub gross: i64,
    /// When it becomes payable, ms UTC.
    pub payable_at: i64,
    /// When it did, ms UTC.
    pub matured_at: Option<i64>,
    /// Why it is what it is, as settlement says.
    pub outcome: String,
    /// ms UTC.
    pub created_at: i64,
}

fn reward(row: &Row) -> Result<Reward, StoreError> {
    Ok(Reward {
        commission_id: row.text(0)?,
        partner_external_id: row.text(1)?,
        customer_key: row.opt_text(2)?,
        currency: row.text(3)?,
        target: row.int(4)?,
        gross: row.int(5)?,
        payable_at: row.int(6)?,
        matured_at: row.opt_int(7)?,
        outcome: row.text(8)?,
        created_at: row.int(9)?,
    })
}

/// The last word of people and API about a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voided {
    /// `void` or `unvoid`.
    pub kind: String,
    /// `deleted`, `archived`, or the words of a page.
    pub value: String,
    /// ms UTC.
    pub created_at: i64,
}

/// Everything about one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The sale.
    pub sale: Sale,
    /// What the API wrote, if it did.
    pub written: Option<Written>,
    /// Its commissions that are or were above 0, without those that moved to another partner or sale.
    pub rewards: Vec<Reward>,
    /// The last decision about it.
    pub voided: Option<Voided>,
}

/// The API's own row of a key.
///
/// # Errors
/// The database's.
pub async fn find_written(tx: &mut Tx<'_>, place: &Place, key: &str) -> Result<Option<Written>, StoreError> {
    let sql = "SELECT key, customer_id, connection_id, action, body, created_at FROM api_transaction \
         WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 AND key = $4";
    let params = [P::T(&place.workspace_id), P::T(&place.mode), P::T(&place.program_id), P::T(key)];
    tx.opt(sql, &params).await?.map(|row| written(&row)).transpose()
}

/// The sale of a key: the API's own, or any Stripe id of a purchase that was placed in this program.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut Tx<'_>, place: &Place, key: &str) -> Result<Option<Transaction>, StoreError> {
    let sale_id = match find_written(tx, place, key).await? {
        Some(own) => sale_of_written(tx, place, &own).await?,
        None => sale_of_stripe_id(tx, place, key).await?,
    };
    let Some(sale_id) = sale_id else { return Ok(None) };
    let Some(sale) = find_sale(tx, place, sale_id).await? else { return Ok(None) };
    Ok(complete(tx, place, vec![sale]).await?.pop())
}

async fn sale_of_written(
    tx: &mut Tx<'_>,
    place: &Place,
    own: &Written,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT sale_id FROM alias WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3";
    let object = format!("api:{}:{}", place.program_id, own.key);
    let row = tx.opt(sql, &[P::T(&place.workspace_id), P::T(&own.connection_id), P::T(&object)]).await?;
    row.map_or(Ok(None), |row| row.opt_text(0))
}

async fn sale_of_stripe_id(tx: &mut Tx<'_>, place: &Place, key: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT a.sale_id FROM feed_span cp JOIN alias a ON a.workspace_id = cp.workspace_id \
         AND a.connection_id = cp.connection_id AND a.object_id = $3 \
         JOIN sale s ON s.workspace_id = a.workspace_id AND s.sale_id = a.sale_id \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2 AND s.mode = $4 AND s.program_id = $2 \
         ORDER BY a.connection_id LIMIT 1";
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(key), P::T(&place.mode)];
    tx.opt(sql, &params).await?.map_or(Ok(None), |row| row.opt_text(0))
}

/// Follows what turned out to be the same purchase.
async fn find_sale(tx: &mut Tx<'_>, place: &Place, sale_id: String) -> Result<Option<Sale>, StoreError> {
    let sql = concat!(columns!(), "WHERE s.workspace_id = $1 AND s.sale_id = $2 AND s.mode = $3");
    let mut wanted = sale_id;
    for _ in 0..16 {
        let row = tx.opt(sql, &[P::T(&place.workspace_id), P::T(&wanted), P::T(&place.mode)]).await?;
        let Some(found) = row.map(|row| sale(&row)).transpose()? else { return Ok(None) };
        match found.merged_into {
            None => return Ok(Some(found)),
            Some(winner) => wanted = winner,
        }
    }
    Err(StoreError::Inconsistent(format!("sale {wanted} was merged in a circle")))
}

/// Adds what the API wrote, rewards and decisions, in three flights for the whole page.
async fn complete(tx: &mut Tx<'_>, place: &Place, sales: Vec<Sale>) -> Result<Vec<Transaction>, StoreError> {
    let ids: Vec<String> = sales.iter().map(|sale| sale.sale_id.clone()).collect();
    let sets: Vec<Vec<P<'_>>> =
        ids.iter().map(|id| vec![P::T(&place.workspace_id), P::T(id), P::T(&place.program_id)]).collect();
    let sql = "SELECT t.key, t.customer_id, t.connection_id, t.action, t.body, t.created_at FROM alias a \
         JOIN api_transaction t ON t.workspace_id = a.workspace_id AND t.connection_id = a.connection_id \
         AND a.object_id = 'api:' || t.program_id || ':' || t.key WHERE a.workspace_id = $1 AND a.sale_id = $2 AND t.program_id = $3 \
         AND SUBSTR(a.object_id, 1, 4) = 'api:' ORDER BY t.key LIMIT 1";
    let own = tx.rows_each(sql, &sets).await?;
    let sql = "SELECT m.commission_id, p.external_id, c.key, m.currency, m.target, m.gross, m.payable_at, \
         m.matured_at, m.outcome, m.created_at FROM commission m \
         JOIN partner p ON p.workspace_id = m.workspace_id AND p.partner_id = m.partner_id \
         LEFT JOIN customer c ON c.workspace_id = m.workspace_id AND c.customer_id = m.customer_id \
         WHERE m.workspace_id = $1 AND m.sale_id = $2 AND m.program_id = $3 AND m.last_seq > 0 \
         AND m.outcome NOT IN ('moved', 'merged') \
         ORDER BY m.created_at, m.commission_id LIMIT 100";
    let rewards = tx.rows_each(sql, &sets).await?;
    let sql = "SELECT d.kind, d.value, d.created_at FROM alias a JOIN decision d ON d.workspace_id = a.workspace_id \
         AND d.connection_id = a.connection_id AND d.subject = a.object_id \
         WHERE a.workspace_id = $1 AND a.sale_id = $2 AND d.program_id = $3 AND d.kind IN ('void', 'unvoid') \
         ORDER BY d.created_at DESC, d.decision_id DESC LIMIT 1";
    let decisions = tx.rows_each(sql, &sets).await?;
    let mut out = Vec::with_capacity(sales.len());
    for (((sale, own), rewards), decisions) in sales.into_iter().zip(own).zip(rewards).zip(decisions) {
        out.push(Transaction {
            sale,
            written: own.first().map(written).transpose()?,
            rewards: rewards.iter().map(reward).collect::<Result<_, _>>()?,
            voided: match decisions.first() {
                Some(row) => {
                    Some(Voided { kind: row.text(0)?, value: row.text(1)?, created_at: row.int(2)? })
                }
                None => None,
            },
        });
    }
    Ok(out)
}

/// What a list of transactions is narrowed to; each empty filter lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// One sale.
    pub sale_id: Option<String>,
    /// The partner (our id) who earned.
    pub partner_id: Option<String>,
    /// The customer (our id).
    pub customer_id: Option<String>,
}

// A deleted transaction is out of every list; an archived one stays and says so.
macro_rules! filtered {
    ($order:literal) => {
        concat!(
            columns!(),
            "WHERE s.workspace_id = $1 AND s.program_id = $2 AND s.mode = $3 AND s.merged_into IS NULL \
             AND (s.state = 'paid' OR SUBSTR(s.root_id, 1, 4) = 'api:') \
             AND (CAST($4 AS TEXT) IS NULL OR s.sale_id = $4) \
             AND (CAST($5 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM commission m \
             WHERE m.workspace_id = s.workspace_id AND m.sale_id = s.sale_id AND m.partner_id = $5 \
             AND m.outcome NOT IN ('moved', 'merged'))) \
             AND (CAST($6 AS TEXT) IS NULL OR s.customer_id = $6) \
             AND NOT EXISTS (SELECT 1 FROM alias a JOIN decision d ON d.workspace_id = a.workspace_id \
             AND d.connection_id = a.connection_id AND d.subject = a.object_id \
             WHERE a.workspace_id = s.workspace_id AND a.sale_id = s.sale_id AND d.program_id = $2 \
             AND d.kind = 'void' AND d.value = 'deleted') ORDER BY ",
            $order,
            " LIMIT $7 OFFSET $8"
        )
    };
}

/// A page of transactions that are not deleted, and one more.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &TransactionFilter,
    page: Page,
) -> Result<Vec<Transaction>, StoreError> {
    let sql = if page.newest_first {
        filtered!("s.occurred_at DESC, s.root_id DESC")
    } else {
        filtered!("s.occurred_at, s.root_id")
    };
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&place.mode),
        P::opt_t(filter.sale_id.as_deref()),
        P::opt_t(filter.partner_id.as_deref()),
        P::opt_t(filter.customer_id.as_deref()),
        P::I(page.wanted()),
        P::I(page.offset),
    ];
    let sales = tx.rows(sql, &params).await?.iter().map(sale).collect::<Result<Vec<_>, _>>()?;
    complete(tx, place, sales).await
}

/// Is the purchase that a key names, by any of its objects' ids, placed in another program?
///
/// # Errors
/// The database's.
pub async fn is_anothers(tx: &mut Tx<'_>, place: &Place, key: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM connection c JOIN alias a ON a.workspace_id = c.workspace_id \
         AND a.connection_id = c.connection_id AND a.object_id = $3 \
         JOIN sale s ON s.workspace_id = a.workspace_id AND s.sale_id = a.sale_id \
         WHERE c.workspace_id = $1 AND c.mode = $2 AND s.program_id <> $4 LIMIT 1";
    let params = [P::T(&place.workspace_id), P::T(&place.mode), P::T(key), P::T(&place.program_id)];
    Ok(tx.opt(sql, &params).await?.is_some())
}
