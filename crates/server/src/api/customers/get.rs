//! `GET /v1/customers/{id}`

use super::target::{Lookup, Target};
use super::view::{self, CustomerView};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::input::Id;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::customers::{self, Customer};

pub(super) struct Get {
    pub(super) place: Place,
    pub(super) lookup: Lookup,
    pub(super) now: i64,
}

impl Work for Get {
    type Out = Customer;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Customer, ApiError> {
        let mut customer = self.lookup.get(tx, &self.place).await?;
        customers::decided(tx, &self.place, std::slice::from_mut(&mut customer), self.now).await?;
        Ok(customer)
    }
}

/// One customer, by key, id or e-mail address.
#[utoipa::path(get, path = "/v1/customers/{id}", tag = "Customers", operation_id = "get_customer",
    params(("id" = String, Path, description = "Key, id or e-mail address")),
    responses((status = 200, body = Data<CustomerView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn get(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    let lookup = Target::Path(id).ready(&caller).await?;
    let customer =
        work::read(&caller.app, Get { place: caller.place.clone(), lookup, now: caller.now }).await?;
    Ok(one(StatusCode::OK, view::customer(&customer)))
}
