//! `DELETE /v1/partners/{id}` and the older `DELETE /v1/partners {key|email|id}`

use super::target::Target;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::{Id, Params};
use crate::api::pipeline;
use crate::api::wire::{Done, done};
use crate::api::work::{self, Work};
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::partners::{self, Partner};

struct Delete {
    place: Place,
    target: Target,
    now: i64,
}

impl Work for Delete {
    type Out = ();
    async fn go(&self, tx: &mut Tx<'_>) -> Result<(), ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let before = self.target.get(tx, &self.place).await?;
        let at = self.now.max(before.updated_at);
        let after =
            Partner { status: "deleted".into(), updated_at: at, deleted_at: Some(at), ..before.clone() };
        partners::update(tx, &self.place, &before, &after).await?;
        pipeline::partner_changed(tx, &self.place.workspace_id, &before.partner_id, self.now).await?;
        Ok(())
    }
}

async fn answer(caller: &Caller, target: Target) -> Result<Response, ApiError> {
    let work = Delete { place: caller.place.clone(), target, now: caller.now };
    work::write(&caller.app, work).await?;
    Ok(done())
}

/// Deletes a partner for good. Its id and key stay taken; its e-mail address is free again.
#[utoipa::path(delete, path = "/v1/partners/{id}", tag = "Partners", operation_id = "delete_partner",
    params(("id" = String, Path, description = "Id, key or e-mail address")),
    responses((status = 200, body = Done), (status = 401, body = Refusal), (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn delete(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    answer(&caller, Target::Path(id)).await
}

/// Deletes the partner that query or body names. Kept for older clients.
#[utoipa::path(delete, path = "/v1/partners", tag = "Partners", operation_id = "delete_partner_by",
    params(("id" = Option<String>, Query), ("key" = Option<String>, Query), ("email" = Option<String>, Query)),
    responses((status = 200, body = Done), (status = 401, body = Refusal), (status = 404, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn delete_by(caller: Caller, params: Params) -> Result<Response, ApiError> {
    let target = Target::required(&params)?;
    answer(&caller, target).await
}
