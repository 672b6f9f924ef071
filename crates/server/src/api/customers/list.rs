//! `GET /v1/customers`

use super::view::{self, CustomerView};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Params;
use crate::api::paging;
use crate::api::partners::target::Target as PartnerTarget;
use crate::api::wire::List;
use crate::api::work::{self, Work};
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::customers::{self, Customer, CustomerFilter};
use tributary_store::api::{Page, Place};

struct Listed {
    place: Place,
    partner: Option<PartnerTarget>,
    filter: CustomerFilter,
    page: Page,
    now: i64,
}

impl Work for Listed {
    type Out = Vec<Customer>;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Self::Out, ApiError> {
        let mut filter = self.filter.clone();
        if let Some(target) = &self.partner {
            let Some(partner) = target.find(tx, &self.place).await? else { return Ok(Vec::new()) };
            filter.partner_id = Some(partner.partner_id);
        }
        Ok(customers::list(tx, &self.place, &filter, self.page, self.now).await?)
    }
}

pub(super) async fn answer(
    caller: &Caller,
    params: &Params,
    partner: Option<PartnerTarget>,
    filter: CustomerFilter,
) -> Result<Response, ApiError> {
    let page = paging::page_of(params)?;
    let work = Listed { place: caller.place.clone(), partner, filter, page, now: caller.now };
    let rows = work::read(&caller.app, work).await?;
    let rows = rows.iter().map(view::customer).collect();
    Ok(paging::list(caller, params, page, rows))
}

/// Lists customers, of one partner or of all.
#[utoipa::path(get, path = "/v1/customers", tag = "Customers", operation_id = "list_customers",
    params(("partner.key" = Option<String>, Query, description = "Also `partner_key` or `partner[key]`"),
        ("partner.email" = Option<String>, Query), ("partner.id" = Option<String>, Query),
        ("limit" = Option<i64>, Query, description = "1 to 250, 15 by default"),
        ("page" = Option<i64>, Query, description = "From 1"),
        ("sort" = Option<String>, Query, description = "`desc` (newest first, the default) or `asc`")),
    responses((status = 200, body = List<CustomerView>), (status = 401, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn list(caller: Caller, params: Params) -> Result<Response, ApiError> {
    params.only(&["limit", "page", "sort", "partner.key", "partner.email", "partner.id"])?;
    let partner = PartnerTarget::of_params(&params, "partner.");
    answer(&caller, &params, partner, CustomerFilter::default()).await
}
