//! Transactions written through the REST API: sources like events, projected like them.

use super::adopt;
use super::context::{Context, api_connection};
use super::project::{People, ingest};
use super::world::Source;
use tributary_domain::fact::{Fact, Field, Kind};
use tributary_store::pipeline::objects;
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

/// The connection that a transaction belongs to: if the key is a Stripe id, the one of that mode that has told of the
/// purchase, else the program's first, until another tells of it ([`super::adopt`]).
async fn connection_of(tx: &mut Tx<'_>, sale: &ApiSale) -> Result<String, StoreError> {
    let ws = &sale.workspace_id;
    if adopt::names_purchase(&sale.key) {
        // Nobody files the purchase while its place is looked for.
        objects::lock_program(tx, ws, &sale.program_id).await?;
        if let Some(told) = adopt::told_by(tx, ws, &sale.mode, &sale.program_id, &sale.key).await? {
            return Ok(told);
        }
        let all = connections::list_of_program(tx, ws, &sale.program_id).await?;
        if let Some(first) = all.into_iter().find(|connection| connection.mode == sale.mode) {
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
    // Where it was written first it stays, until a connection tells of its purchase.
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

    /// What it says, as a source. Beside Stripe its key names Stripe's object too.
    #[must_use]
    pub fn source(&self, beside_stripe: bool) -> Source {
        let id = object_id(&self.program_id, &self.key);
        let fact = Fact::new(Kind::ApiTransaction, id.clone(), self.written_at)
            .with(Field::Created, self.at)
            .with(Field::Amount, self.amount)
            .with(Field::Currency, self.currency.as_str())
            .with(Field::ApiCustomer, self.customer_id.as_str())
            .with(Field::ApiReward, self.reward)
            .with(Field::ApiRewardable, self.rewardable)
            .with(Field::ApiStripeId, beside_stripe.then(|| self.key.clone()));
        Source { source_id: format!("{id}@{}", self.written_at), facts: vec![fact] }
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
    let ctx = Context::locked(tx, workspace_id, connection_id, mode, now, 0).await?;
    ingest(tx, &ctx, &[row.source(ctx.is_stripe())], &People::new()).await?;
    adopt::go_home(tx, &ctx, row).await
}
