//! `GET /v1/partners:search`

use super::list;
use super::view::PartnerView;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Params;
use crate::api::wire::List;
use axum::response::Response;
use tributary_store::api::partners::PartnerFilter;

/// Finds partners by id, key, e-mail address or name, exactly. Several must all fit.
#[utoipa::path(get, path = "/v1/partners:search", tag = "Partners", operation_id = "search_partners",
    params(("id" = Option<String>, Query), ("key" = Option<String>, Query), ("email" = Option<String>, Query),
        ("name" = Option<String>, Query, description = "First name, last name, or both"),
        ("limit" = Option<i64>, Query), ("page" = Option<i64>, Query), ("sort" = Option<String>, Query)),
    responses((status = 200, body = List<PartnerView>), (status = 401, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn search(caller: Caller, params: Params) -> Result<Response, ApiError> {
    params.only(&["id", "key", "email", "name", "limit", "page", "sort"])?;
    let get = |name: &str| params.get(name).map(str::to_owned);
    let filter = PartnerFilter {
        id: get("id"),
        key: get("key"),
        email: get("email").map(|email| email.to_lowercase()),
        name: get("name"),
    };
    if filter == PartnerFilter::default() {
        return Err(ApiError::field("email", "Search by id, key, email or name."));
    }
    list::answer(&caller, &params, filter).await
}
