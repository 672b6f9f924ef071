//! `GET /v1/partners`

use super::view::{self, PartnerView};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Params;
use crate::api::paging;
use crate::api::wire::List;
use crate::api::work::{self, Work};
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::partners::{self, Partner, PartnerFilter};
use tributary_store::api::{Page, Place};

pub(super) struct Listed {
    pub(super) place: Place,
    pub(super) filter: PartnerFilter,
    pub(super) page: Page,
}

impl Work for Listed {
    type Out = Vec<Partner>;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Self::Out, ApiError> {
        Ok(partners::list(tx, &self.place, &self.filter, self.page).await?)
    }
}

pub(super) async fn answer(
    caller: &Caller,
    params: &Params,
    filter: PartnerFilter,
) -> Result<Response, ApiError> {
    let page = paging::page_of(params)?;
    let work = Listed { place: caller.place.clone(), filter, page };
    let rows = work::read(&caller.app, work).await?;
    let rows = rows.iter().map(|row| view::partner(caller, row)).collect();
    Ok(paging::list(caller, params, page, rows))
}

/// Lists partners.
#[utoipa::path(get, path = "/v1/partners", tag = "Partners", operation_id = "list_partners",
    params(("limit" = Option<i64>, Query, description = "1 to 250, 15 by default"),
        ("page" = Option<i64>, Query, description = "From 1"),
        ("sort" = Option<String>, Query, description = "`desc` (newest first, the default) or `asc`")),
    responses((status = 200, body = List<PartnerView>), (status = 401, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn list(caller: Caller, params: Params) -> Result<Response, ApiError> {
    params.only(&paging::PAGING)?;
    answer(&caller, &params, PartnerFilter::default()).await
}
