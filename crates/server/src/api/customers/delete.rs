//! `DELETE /v1/customers/{id}` and the older `DELETE /v1/customers {key|email|id}`

use super::archive::Status;
use super::target::Target;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::{Id, Params};
use crate::api::wire::{Done, done};
use crate::api::work;
use axum::response::Response;

async fn answer(caller: &Caller, target: Target) -> Result<Response, ApiError> {
    let lookup = target.ready(caller).await?;
    let work = Status { place: caller.place.clone(), lookup, status: "deleted", now: caller.now };
    work::write(&caller.app, work).await?;
    Ok(done())
}

/// Deletes a customer. What its sales earned stays; its key stays taken.
#[utoipa::path(delete, path = "/v1/customers/{id}", tag = "Customers", operation_id = "delete_customer",
    params(("id" = String, Path, description = "Key, id or e-mail address")),
    responses((status = 200, body = Done), (status = 401, body = Refusal), (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn delete(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    answer(&caller, Target::Path(id)).await
}

/// Deletes the customer that query or body names. Kept for older clients.
#[utoipa::path(delete, path = "/v1/customers", tag = "Customers", operation_id = "delete_customer_by",
    params(("key" = Option<String>, Query), ("id" = Option<String>, Query), ("email" = Option<String>, Query)),
    responses((status = 200, body = Done), (status = 401, body = Refusal), (status = 404, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn delete_by(caller: Caller, params: Params) -> Result<Response, ApiError> {
    let target = Target::required(&params)?;
    answer(&caller, target).await
}
