//! `GET /v1/transactions/{key}`

use super::record;
use super::view::{self, TransactionView};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Id;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::transactions::Transaction;

/// Reads the transactions of keys that exist.
pub(super) struct Get {
    pub(super) place: Place,
    pub(super) keys: Vec<String>,
}

impl Work for Get {
    type Out = Vec<Transaction>;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Self::Out, ApiError> {
        let mut found = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            found.push(record::get(tx, &self.place, key).await?);
        }
        Ok(found)
    }
}

/// The answer with one transaction as it stands now.
pub(super) async fn answer(caller: &Caller, status: StatusCode, key: String) -> Result<Response, ApiError> {
    let work = Get { place: caller.place.clone(), keys: vec![key] };
    let found = work::read(&caller.app, work).await?;
    let found = found.first().ok_or_else(|| ApiError::NotFound("Transaction not found.".into()))?;
    Ok(one(status, view::transaction(found)?))
}

/// One transaction with its rewards, by its key or any Stripe id of the purchase.
#[utoipa::path(get, path = "/v1/transactions/{key}", tag = "Transactions", operation_id = "get_transaction",
    params(("key" = String, Path, description = "Its key, or any Stripe id of the purchase")),
    responses((status = 200, body = Data<TransactionView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn get(caller: Caller, Id(key): Id) -> Result<Response, ApiError> {
    answer(&caller, StatusCode::OK, key).await
}
