//! `DELETE /v1/transactions/{key}` and the older `DELETE /v1/transactions {key}`

use super::archive::Void;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::{Id, Params};
use crate::api::wire::{Done, done};
use axum::response::Response;

/// Deletes a transaction: a decision that takes its rewards back, whatever Stripe says later.
#[utoipa::path(delete, path = "/v1/transactions/{key}", tag = "Transactions", operation_id = "delete_transaction",
    params(("key" = String, Path, description = "Its key, or any Stripe id of the purchase")),
    responses((status = 200, body = Done), (status = 401, body = Refusal), (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn delete(caller: Caller, Id(key): Id) -> Result<Response, ApiError> {
    Void { void: true, value: "deleted" }.apply(&caller, key).await?;
    Ok(done())
}

/// Deletes the transaction that query or body names. Kept for older clients.
#[utoipa::path(delete, path = "/v1/transactions", tag = "Transactions", operation_id = "delete_transaction_by",
    params(("key" = String, Query)),
    responses((status = 200, body = Done), (status = 401, body = Refusal), (status = 404, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn delete_by(caller: Caller, params: Params) -> Result<Response, ApiError> {
    params.only(&["key"])?;
    let key = params.get("key").ok_or_else(|| ApiError::field("key", "The key is required."))?;
    Void { void: true, value: "deleted" }.apply(&caller, key.to_owned()).await?;
    Ok(done())
}
