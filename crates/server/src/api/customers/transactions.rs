//! `GET /v1/customers/{id}/transactions`

use super::target::Target;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::{Id, Params};
use crate::api::paging;
use crate::api::transactions::list::{Listed, shown};
use crate::api::transactions::view::TransactionView;
use crate::api::wire::List;
use crate::api::work;
use axum::response::Response;

/// The transactions of one customer.
#[utoipa::path(get, path = "/v1/customers/{id}/transactions", tag = "Customers",
    operation_id = "list_customer_transactions",
    params(("id" = String, Path, description = "Key, id or e-mail address"),
        ("limit" = Option<i64>, Query), ("page" = Option<i64>, Query), ("sort" = Option<String>, Query)),
    responses((status = 200, body = List<TransactionView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn transactions(caller: Caller, Id(id): Id, params: Params) -> Result<Response, ApiError> {
    params.only(&paging::PAGING)?;
    let page = paging::page_of(&params)?;
    let work = Listed {
        place: caller.place.clone(),
        key: None,
        partner: None,
        customer: Some(Target::Path(id).ready(&caller).await?),
        customer_must_exist: true,
        page,
    };
    let rows = work::read(&caller.app, work).await?;
    Ok(paging::list(&caller, &params, page, shown(&rows)?))
}
