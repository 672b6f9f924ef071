//! `POST /v1/partners/{id}/archive` and `/revoke-archive`

use super::target::Target;
use super::view::{self, Found, PartnerDetail};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Id;
use crate::api::pipeline;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use crate::state::App;
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::partners::{self, Partner};

struct Archive {
    place: Place,
    target: Target,
    archived: bool,
    now: i64,
}

impl Work for Archive {
    type Out = Found;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Found, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let before = self.target.get(tx, &self.place).await?;
        if (before.status == "archived") == self.archived {
            return Ok(view::read(tx, &self.place, before).await?);
        }
        let status = if self.archived { "archived" } else { "active" };
        let at = self.now.max(before.updated_at);
        let after = Partner { status: status.into(), updated_at: at, ..before.clone() };
        partners::update(tx, &self.place, &before, &after).await?;
        pipeline::partner_changed(tx, &self.place.workspace_id, &before.partner_id, self.now).await?;
        Ok(view::read(tx, &self.place, after).await?)
    }
}

/// Archives a partner or brings it back: what the endpoint and the merchant's page share.
///
/// # Errors
/// [`ApiError::NotFound`].
pub(crate) async fn set(
    app: &App,
    place: &Place,
    target: Target,
    archived: bool,
    now: i64,
) -> Result<Found, ApiError> {
    work::write(app, Archive { place: place.clone(), target, archived, now }).await
}

async fn answer(caller: &Caller, id: String, archived: bool) -> Result<Response, ApiError> {
    let found = set(&caller.app, &caller.place, Target::Path(id), archived, caller.now).await?;
    Ok(one(StatusCode::OK, view::detail(caller, &found)?))
}

/// Archives a partner. Once more changes nothing.
#[utoipa::path(post, path = "/v1/partners/{id}/archive", tag = "Partners", operation_id = "archive_partner",
    params(("id" = String, Path, description = "Id, key or e-mail address")),
    responses((status = 200, body = Data<PartnerDetail>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn archive(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    answer(&caller, id, true).await
}

/// Makes an archived partner active again.
#[utoipa::path(post, path = "/v1/partners/{id}/revoke-archive", tag = "Partners",
    operation_id = "revoke_archive_partner",
    params(("id" = String, Path, description = "Id, key or e-mail address")),
    responses((status = 200, body = Data<PartnerDetail>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn revoke(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    answer(&caller, id, false).await
}
