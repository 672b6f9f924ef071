//! `GET /v1/customers:search`

use super::list;
use super::view::CustomerView;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Params;
use crate::api::wire::List;
use crate::state::email_hash;
use axum::response::Response;
use tributary_store::api::customers::CustomerFilter;

/// Finds customers by key, id, e-mail address or name, exactly. Several must all fit.
#[utoipa::path(get, path = "/v1/customers:search", tag = "Customers", operation_id = "search_customers",
    params(("key" = Option<String>, Query), ("id" = Option<String>, Query), ("email" = Option<String>, Query),
        ("name" = Option<String>, Query, description = "First name, last name, or both"),
        ("limit" = Option<i64>, Query), ("page" = Option<i64>, Query), ("sort" = Option<String>, Query)),
    responses((status = 200, body = List<CustomerView>), (status = 401, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn search(caller: Caller, params: Params) -> Result<Response, ApiError> {
    params.only(&["id", "key", "email", "name", "limit", "page", "sort"])?;
    let get = |name: &str| params.get(name).map(str::to_owned);
    let email = get("email").map(|email| email.to_lowercase());
    let hash = match &email {
        // A text that is no address has no hash, and fits nobody.
        Some(email) => Some(email_hash(&caller.data_key().await?, email)?.unwrap_or_default()),
        None => None,
    };
    let filter = CustomerFilter {
        partner_id: None,
        id: get("id"),
        key: get("key"),
        email,
        email_hash: hash,
        name: get("name"),
    };
    if filter == CustomerFilter::default() {
        return Err(ApiError::field("key", "Search by key, id, email or name."));
    }
    list::answer(&caller, &params, None, filter).await
}
