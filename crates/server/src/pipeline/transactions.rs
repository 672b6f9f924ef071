//! Transactions written through the REST API: sources like events, projected like them.

use super::context::{Context, api_connection};
use super::project::{People, ingest};
use super::world::Source;
use tributary_domain::fact::{Fact, Field, Kind};
use tributary_store::{P, StoreError, Tx, connections};

/// A sale as the API gives it.
#[derive(Debug, Clone)]
pub struct ApiSale {
    /// The workspace.
    pub workspace_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// The program.
    pub program_id: String,
    /// The caller's key: a payment id. One that is a Stripe id is an alias of that sale.
    pub key: String,
    /// Our customer.
    pub customer_id: String,
    /// Lower case.
    pub currency: String,
    /// Minor units, ≥ 0.
    pub amount: i64,
    /// A reward set by the caller, minor units.
    pub reward: Option<i64>,
    /// May it earn?
    pub rewardable: bool,
    /// When the sale happened, ms UTC.
    pub created_at: i64,
    /// Such as `sale`.
    pub action: String,
    /// The request as JSON, for the record.
    pub body: String,
}

/// What is kept of an API transaction beside its body, so that replay needs nothing else.
#[derive(serde::Serialize, serde::Deserialize)]
struct Record<'a> {
    currency: &'a str,
    amount: i64,
    reward: Option<i64>,
    rewardable: bool,
    at: i64,
    written_at: i64,
    request: &'a str,
}

/// The object id of an API transaction among the objects of its connection.
#[must_use]
pub fn object_id(program_id: &str, key: &str) -> String {
    format!("api:{program_id}:{key}")
}

/// The connection that a transaction belongs to: the program's own of that mode if the key is a Stripe id.
async fn connection_of(tx: &mut Tx<'_>, sale: &ApiSale) -> Result<String, StoreError> {
    if Kind::of_stripe_id(&sale.key).is_some_and(|kind| kind != Kind::Customer) {
        let all = connections::list_of_program(tx, &sale.workspace_id, &sale.program_id).await?;
        let of_mode: Vec<_> = all.into_iter().filter(|connection| connection.mode == sale.mode).collect();
        for connection in &of_mode {
            let sql = "SELECT 1 FROM alias WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3";
            let params = [P::T(&sale.workspace_id), P::T(&connection.connection_id), P::T(&sale.key)];
            if tx.opt(sql, &params).await?.is_some() {
                return Ok(connection.connection_id.clone());
            }
        }
        if let Some(first) = of_mode.into_iter().next() {
            return Ok(first.connection_id);
        }
    }
    Ok(api_connection(&sale.program_id, &sale.mode))
}

/// Keeps a transaction (or what replaces it) and projects it. Writing the same again changes nothing.
///
/// # Errors
/// The database's.
pub async fn write_transaction(tx: &mut Tx<'_>, sale: &ApiSale, now: i64) -> Result<(), StoreError> {
    let connection_id = connection_of(tx, sale).await?;
    let record = Record {
        currency: &sale.currency,
        amount: sale.amount,
        reward: sale.reward,
        rewardable: sale.rewardable,
        at: sale.created_at,
        written_at: now,
        request: &sale.body,
    };
    let body = serde_json::to_string(&record).map_err(|e| StoreError::Inconsistent(e.to_string()))?;
    let sql = "INSERT INTO api_transaction (workspace_id, mode, program_id, key, customer_id, connection_id, action, \
         body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (workspace_id, mode, program_id, key) DO UPDATE SET customer_id = excluded.customer_id, \
         action = excluded.action, body = excluded.body";
    let params = [
        P::T(&sale.workspace_id),
        P::T(&sale.mode),
        P::T(&sale.program_id),
        P::T(&sale.key),
        P::T(&sale.customer_id),
        P::T(&connection_id),
        P::T(&sale.action),
        P::T(&body),
        P::I(now),
    ];
    tx.exec(sql, &params).await?;
    let sql = "SELECT connection_id FROM api_transaction WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 \
         AND key = $4";
    let row = tx.opt(sql, &params[..4]).await?;
    // The first writing chose the connection for good.
    let connection_id = row.map_or(Ok(connection_id), |row| row.text(0))?;
    project(tx, &sale.workspace_id, &connection_id, &sale.mode, &stored(sale, now), now).await
}

/// A transaction as its row says.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The program.
    pub program_id: String,
    /// The caller's key.
    pub key: String,
    customer_id: String,
    currency: String,
    amount: i64,
    reward: Option<i64>,
    rewardable: bool,
    at: i64,
    written_at: i64,
}

fn stored(sale: &ApiSale, now: i64) -> Stored {
    Stored {
        program_id: sale.program_id.clone(),
        key: sale.key.clone(),
        customer_id: sale.customer_id.clone(),
        currency: sale.currency.clone(),
        amount: sale.amount,
        reward: sale.reward,
        rewardable: sale.rewardable,
        at: sale.created_at,
        written_at: now,
    }
}

impl Stored {
    /// Reads a row's body, for replay.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for a body that is not ours.
    pub fn read(
        program_id: String,
        key: String,
        customer_id: String,
        body: &str,
    ) -> Result<Self, StoreError> {
        #[derive(serde::Deserialize)]
        struct Owned {
            currency: String,
            amount: i64,
            reward: Option<i64>,
            rewardable: bool,
            at: i64,
            written_at: i64,
        }
        let Owned { currency, amount, reward, rewardable, at, written_at } = serde_json::from_str(body)
            .map_err(|e| StoreError::Inconsistent(format!("api_transaction {key}: {e}")))?;
        Ok(Self { program_id, key, customer_id, currency, amount, reward, rewardable, at, written_at })
    }
}

/// Projects a stored transaction.
///
/// # Errors
/// The database's.
pub async fn project(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    mode: &str,
    row: &Stored,
    now: i64,
) -> Result<(), StoreError> {
    let ctx = Context::load(tx, workspace_id, connection_id, mode, now, 0).await?;
    let id = object_id(&row.program_id, &row.key);
    let stripe_id = ctx.is_stripe().then(|| row.key.clone());
    let fact = Fact::new(Kind::ApiTransaction, id.clone(), row.written_at)
        .with(Field::Created, row.at)
        .with(Field::Amount, row.amount)
        .with(Field::Currency, row.currency.as_str())
        .with(Field::ApiCustomer, row.customer_id.as_str())
        .with(Field::ApiReward, row.reward)
        .with(Field::ApiRewardable, row.rewardable)
        .with(Field::ApiStripeId, stripe_id);
    let source = Source { source_id: format!("{id}@{}", row.written_at), facts: vec![fact] };
    ingest(tx, &ctx, &[source], &People::new()).await
}
