//! Keeps transactions: once per key.

use super::item::Item;
use crate::api::error::ApiError;
use crate::api::pipeline::{self, ApiSale};
use serde::Deserialize;
use tributary_store::api::Place;
use tributary_store::api::customers::Customer;
use tributary_store::api::transactions::{self, Transaction, Written};
use tributary_store::{StoreError, Tx};

/// What the row of a transaction says beside its columns.
#[derive(Deserialize)]
pub(crate) struct Kept {
    /// When the sale happened, ms UTC.
    pub(crate) at: i64,
    /// When the row was written, ms UTC.
    pub(crate) written_at: i64,
    request: String,
}

impl Kept {
    pub(crate) fn read(written: &Written) -> Result<Self, StoreError> {
        serde_json::from_str(&written.body)
            .map_err(|e| StoreError::Inconsistent(format!("api_transaction {}: {e}", written.key)))
    }

    /// What was given.
    pub(crate) fn item(&self) -> Result<Item, StoreError> {
        serde_json::from_str(&self.request)
            .map_err(|e| StoreError::Inconsistent(format!("request of an api_transaction: {e}")))
    }
}

/// Was it deleted by a decision?
pub(crate) fn is_deleted(transaction: &Transaction) -> bool {
    transaction.voided.as_ref().is_some_and(|last| last.kind == "void" && last.value == "deleted")
}

/// Is it out of the reckoning, archived or otherwise voided?
pub(crate) fn is_void(transaction: &Transaction) -> bool {
    transaction.voided.as_ref().is_some_and(|last| last.kind == "void")
}

/// The transaction of a key, unless it was deleted.
pub(crate) async fn get(tx: &mut Tx<'_>, place: &Place, key: &str) -> Result<Transaction, ApiError> {
    let found = transactions::find(tx, place, key).await?;
    found
        .filter(|transaction| !is_deleted(transaction))
        .ok_or_else(|| ApiError::NotFound("Transaction not found.".into()))
}

/// Writes a transaction once. Returns whether it is new; the same again is no mistake, other content is one.
pub(crate) async fn write(
    tx: &mut Tx<'_>,
    place: &Place,
    item: &Item,
    customer: &Customer,
    now: i64,
) -> Result<bool, ApiError> {
    let Some(before) = transactions::find_written(tx, place, &item.key).await? else {
        if transactions::is_anothers(tx, place, &item.key).await? {
            let key = &item.key;
            let message = format!("The payment “{key}” belongs to another program; nothing was changed.");
            return Err(ApiError::Exists(message));
        }
        put(tx, place, item, &customer.customer_id, item.created_at.unwrap_or(now), now).await?;
        return Ok(true);
    };
    let key = &item.key;
    if transactions::find(tx, place, key).await?.is_some_and(|found| is_deleted(&found)) {
        let message = format!("A transaction with the key “{key}” was deleted; its key stays taken.");
        return Err(ApiError::Exists(message));
    }
    let same = before.customer_id == customer.customer_id && item.repeats(&Kept::read(&before)?.item()?);
    if same {
        return Ok(false);
    }
    Err(ApiError::Exists(format!(
        "A transaction with the key “{key}” exists already with other content; nothing was changed. \
         Change it with PUT /v1/transactions/{{key}}."
    )))
}

/// Hands a transaction to the pipeline.
pub(crate) async fn put(
    tx: &mut Tx<'_>,
    place: &Place,
    item: &Item,
    customer_id: &str,
    at: i64,
    now: i64,
) -> Result<(), StoreError> {
    let sale = ApiSale {
        workspace_id: place.workspace_id.clone(),
        mode: place.mode.clone(),
        program_id: place.program_id.clone(),
        key: item.key.clone(),
        customer_id: customer_id.to_owned(),
        currency: item.currency.as_str().to_owned(),
        amount: item.amount,
        reward: item.reward,
        rewardable: item.rewardable,
        created_at: at,
        action: item.action.clone(),
        body: serde_json::to_string(item).map_err(|e| StoreError::Invalid(e.to_string()))?,
    };
    pipeline::write_transaction(tx, &sale, now).await
}
