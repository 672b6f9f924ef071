//! `GET /v1/partners/{id}/referral_links`

use super::target::Target;
use super::view::{self, LinkView};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Id;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::partners::{self, Link};

struct Links {
    place: Place,
    target: Target,
}

impl Work for Links {
    type Out = Vec<Link>;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Vec<Link>, ApiError> {
        let partner = self.target.get(tx, &self.place).await?;
        Ok(partners::links(tx, &self.place.workspace_id, &partner.partner_id).await?)
    }
}

/// A partner's links, the default one first; at most 250.
#[utoipa::path(get, path = "/v1/partners/{id}/referral_links", tag = "Partners",
    operation_id = "list_partner_links",
    params(("id" = String, Path, description = "Id, key or e-mail address")),
    responses((status = 200, body = Data<Vec<LinkView>>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn links(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    let work = Links { place: caller.place.clone(), target: Target::Path(id) };
    let links = work::read(&caller.app, work).await?;
    Ok(one(StatusCode::OK, links.iter().map(|link| view::link(&caller, link)).collect::<Vec<_>>()))
}
