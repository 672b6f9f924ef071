//! `GET /v1/transactions`

use super::view::{self, TransactionView};
use crate::api::auth::Caller;
use crate::api::customers::target::{Lookup, Target as CustomerTarget};
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Params;
use crate::api::paging;
use crate::api::partners::target::Target as PartnerTarget;
use crate::api::wire::List;
use crate::api::work::{self, Work};
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::transactions::{self, Transaction, TransactionFilter};
use tributary_store::api::{Page, Place};

pub(crate) struct Listed {
    pub(crate) place: Place,
    pub(crate) key: Option<String>,
    pub(crate) partner: Option<PartnerTarget>,
    pub(crate) customer: Option<Lookup>,
    pub(crate) customer_must_exist: bool,
    pub(crate) page: Page,
}

impl Work for Listed {
    type Out = Vec<Transaction>;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Self::Out, ApiError> {
        let mut filter = TransactionFilter::default();
        if let Some(customer) = &self.customer {
            let found = match self.customer_must_exist {
                true => Some(customer.get(tx, &self.place).await?),
                false => customer.find(tx, &self.place).await?,
            };
            let Some(found) = found else { return Ok(Vec::new()) };
            filter.customer_id = Some(found.customer_id);
        }
        if let Some(partner) = &self.partner {
            let Some(found) = partner.find(tx, &self.place).await? else { return Ok(Vec::new()) };
            filter.partner_id = Some(found.partner_id);
        }
        if let Some(key) = &self.key {
            let Some(found) = transactions::find(tx, &self.place, key).await? else {
                return Ok(Vec::new());
            };
            filter.sale_id = Some(found.sale.sale_id);
        }
        Ok(transactions::list(tx, &self.place, &filter, self.page).await?)
    }
}

pub(crate) fn shown(rows: &[Transaction]) -> Result<Vec<TransactionView>, ApiError> {
    rows.iter().map(view::transaction).collect()
}

/// Lists transactions, by key, partner or customer.
#[utoipa::path(get, path = "/v1/transactions", tag = "Transactions", operation_id = "list_transactions",
    params(("key" = Option<String>, Query, description = "The key, or any Stripe id of the purchase"),
        ("partner.key" = Option<String>, Query, description = "Also `partner_key` or `partner[key]`"),
        ("partner.email" = Option<String>, Query), ("partner.id" = Option<String>, Query),
        ("customer.key" = Option<String>, Query, description = "Also `customer_key` or `customer[key]`"),
        ("customer.email" = Option<String>, Query), ("customer.id" = Option<String>, Query),
        ("limit" = Option<i64>, Query, description = "1 to 250, 15 by default"),
        ("page" = Option<i64>, Query, description = "From 1"),
        ("sort" = Option<String>, Query, description = "`desc` (newest first, the default) or `asc`")),
    responses((status = 200, body = List<TransactionView>), (status = 401, body = Refusal),
        (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn list(caller: Caller, params: Params) -> Result<Response, ApiError> {
    params.only(&[
        "limit",
        "page",
        "sort",
        "key",
        "partner.key",
        "partner.email",
        "partner.id",
        "customer.key",
        "customer.email",
        "customer.id",
    ])?;
    let page = paging::page_of(&params)?;
    let customer = match CustomerTarget::of_params(&params, "customer.") {
        Some(target) => Some(target.ready(&caller).await?),
        None => None,
    };
    let work = Listed {
        place: caller.place.clone(),
        key: params.get("key").map(str::to_owned),
        partner: PartnerTarget::of_params(&params, "partner."),
        customer,
        customer_must_exist: false,
        page,
    };
    let rows = work::read(&caller.app, work).await?;
    Ok(paging::list(&caller, &params, page, shown(&rows)?))
}
