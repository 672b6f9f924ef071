//! `POST /v1/customers/{id}/archive` and `/revoke-archive`

use super::target::{Lookup, Target};
use super::view::{self, CustomerView};
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
use tributary_store::api::customers::{self, Customer};

/// A change of a customer's status.
pub(super) struct Status {
    pub(super) place: Place,
    pub(super) lookup: Lookup,
    pub(super) status: &'static str,
    pub(super) now: i64,
}

impl Work for Status {
    type Out = Customer;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Customer, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let before = self.lookup.get(tx, &self.place).await?;
        if before.status == self.status {
            return self.told(tx, before).await;
        }
        let at = self.now.max(before.updated_at);
        let after = Customer {
            status: self.status.to_owned(),
            updated_at: at,
            deleted_at: (self.status == "deleted").then_some(at),
            ..before.clone()
        };
        customers::update(tx, &self.place, &before, &after).await?;
        if self.status != "deleted" {
            let archived = self.status == "archived";
            customers::note_archived(tx, &self.place, &after.customer_id, archived, at).await?;
        }
        let place = &self.place;
        pipeline::customer_changed(tx, &place.workspace_id, &place.mode, &after.customer_id, self.now)
            .await?;
        self.told(tx, after).await
    }
}

impl Status {
    /// The customer as the answer tells of it.
    async fn told(&self, tx: &mut Tx<'_>, mut customer: Customer) -> Result<Customer, ApiError> {
        customers::decided(tx, &self.place, std::slice::from_mut(&mut customer), self.now).await?;
        Ok(customer)
    }
}

/// Archives a customer by our id or brings it back: what the merchant's page does.
///
/// # Errors
/// [`ApiError::NotFound`].
pub(crate) async fn set(
    app: &App,
    place: &Place,
    customer_id: String,
    archived: bool,
    now: i64,
) -> Result<(), ApiError> {
    let status = if archived { "archived" } else { "active" };
    let work = Status { place: place.clone(), lookup: Lookup::of_id(customer_id), status, now };
    work::write(app, work).await.map(drop)
}

async fn answer(caller: &Caller, id: String, status: &'static str) -> Result<Response, ApiError> {
    let lookup = Target::Path(id).ready(caller).await?;
    let work = Status { place: caller.place.clone(), lookup, status, now: caller.now };
    let customer = work::write(&caller.app, work).await?;
    Ok(one(StatusCode::OK, view::customer(&customer)))
}

/// Archives a customer: sales dated from now on earn nothing. Once more changes nothing.
#[utoipa::path(post, path = "/v1/customers/{id}/archive", tag = "Customers", operation_id = "archive_customer",
    params(("id" = String, Path, description = "Key, id or e-mail address")),
    responses((status = 200, body = Data<CustomerView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn archive(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    answer(&caller, id, "archived").await
}

/// Makes an archived customer active again: sales dated from now on earn again.
#[utoipa::path(post, path = "/v1/customers/{id}/revoke-archive", tag = "Customers",
    operation_id = "revoke_archive_customer",
    params(("id" = String, Path, description = "Key, id or e-mail address")),
    responses((status = 200, body = Data<CustomerView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal)),
    security(("api_key" = [])))]
pub async fn revoke(caller: Caller, Id(id): Id) -> Result<Response, ApiError> {
    answer(&caller, id, "active").await
}
