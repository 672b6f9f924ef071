//! `GET /v1/partners/{id}` and the older `GET /v1/partner?key|email|id=`

use super::target::Target;
use super::view::{self, Found, PartnerDetail};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::{Id, Params};
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::Place;

struct Get {
    place: Place,
    target: Target,
}

impl Work for Get {
    type Out = Found;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Found, ApiError> {
        let partner = self.target.get(tx, &self.place).await?;
        Ok(view::read(tx, &self.place, partner).await?)
    }
}

async fn answer(caller: &Caller, target: Target) -> Result<Response, ApiError> {
    let found = work::read(&caller.app, Get { place: caller.place.clone(), target }).await?;
    Ok(one(StatusCode::OK, view::detail(caller, &found)?))
}

/// One partner, by id or key.
#[utoipa::path(get, path = "/v1/partners/{id}", tag = "Partners", operation_id = "get_partner",
    params(("id" = String, Path, description = "Id, key or e-mail address")),
    responses((status = 200, body = Data<PartnerDetail>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn get(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    answer(&caller, Target::Path(id)).await
}

/// One partner, by any of its names. Kept for older clients.
#[utoipa::path(get, path = "/v1/partner", tag = "Partners", operation_id = "get_partner_by",
    params(("id" = Option<String>, Query), ("key" = Option<String>, Query), ("email" = Option<String>, Query)),
    responses((status = 200, body = Data<PartnerDetail>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn get_by(caller: Caller, params: Params) -> Result<Response, ApiError> {
    let target = Target::required(&params)?;
    answer(&caller, target).await
}
