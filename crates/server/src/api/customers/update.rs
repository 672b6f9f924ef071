//! `PUT /v1/customers/{id}` and the older `PUT /v1/customers {key, update{}}`

use super::change::{CustomerChange, CustomerInput, hash_of, unknown_partner};
use super::target::{Lookup, Target};
use super::view::{self, CustomerView};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::fields::Fields;
use crate::api::input::{Body, Id};
use crate::api::partners::target::unnamed;
use crate::api::pipeline;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use crate::audit::{Note, note};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::customers::{self, Customer};
use tributary_store::pages::audit::customer_subject;
use tributary_store::vault::Key;
use utoipa::ToSchema;

/// The older form: which customer, and what changes.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CustomerUpdate {
    /// The customer's key.
    pub key: Option<String>,
    /// Or its id.
    pub id: Option<String>,
    /// Or its e-mail address.
    pub email: Option<String>,
    /// What changes.
    pub update: CustomerInput,
}

struct Update {
    place: Place,
    lookup: Lookup,
    change: CustomerChange,
    data_key: Key,
    actor: String,
    now: i64,
}

impl Work for Update {
    type Out = Customer;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Customer, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let before = self.lookup.get(tx, &self.place).await?;
        let mut after = self.changed(tx, &before).await?;
        if before.key != after.key && customers::find_holder(tx, &self.place, &after.key).await?.is_some() {
            return Err(ApiError::field("key", "The key has already been taken."));
        }
        customers::update(tx, &self.place, &before, &after).await?;
        if before.partner_id != after.partner_id || before.partner_by != after.partner_by {
            let place = &self.place;
            let line = Note {
                workspace_id: place.workspace_id.clone(),
                program_id: place.program_id.clone(),
                mode: place.mode.clone(),
                actor: self.actor.clone(),
                action: "attribute",
                subject: customer_subject(&after.key),
                was: partner_words(&before),
                became: partner_words(&after),
                reason: String::new(),
            };
            note(tx, line, self.now).await?;
        }
        let links =
            |c: &Customer| (c.key.clone(), c.email_hash.clone(), c.partner_id.clone(), c.partner_by.clone());
        // One that a purchase made is a source from now on, and may be found by its key.
        if links(&before) != links(&after) || before.origin != "api" {
            let place = &self.place;
            pipeline::customer_changed(tx, &place.workspace_id, &place.mode, &after.customer_id, self.now)
                .await?;
        }
        // A decision outranks what this call says.
        customers::decided(tx, &self.place, std::slice::from_mut(&mut after), self.now).await?;
        Ok(after)
    }
}

/// The partner of a customer as the audit log says it: the merchant's own id.
fn partner_words(customer: &Customer) -> String {
    customer.partner_external_id.clone().unwrap_or_else(|| "nobody".to_owned())
}

impl Update {
    async fn changed(&self, tx: &mut Tx<'_>, before: &Customer) -> Result<Customer, ApiError> {
        let change = self.change.clone();
        let mut after = Customer {
            key: change.key.unwrap_or_else(|| before.key.clone()),
            email: change.email.unwrap_or_else(|| before.email.clone()),
            name: change.name.unwrap_or_else(|| before.name.clone()),
            surname: change.surname.unwrap_or_else(|| before.surname.clone()),
            tags: change.tags.unwrap_or_else(|| before.tags.clone()),
            updated_at: self.now.max(before.updated_at),
            ..before.clone()
        };
        if (&after.key, &after.email) != (&before.key, &before.email) {
            after.email_hash = hash_of(&self.data_key, &after.email, &after.key)?;
        }
        if let Some(target) = &change.partner {
            let partner = target.find(tx, &self.place).await?.ok_or_else(unknown_partner)?;
            after.partner_id = Some(partner.partner_id);
            after.partner_external_id = Some(partner.external_id);
            "api".clone_into(&mut after.partner_by);
        }
        Ok(after)
    }
}

async fn answer(caller: &Caller, target: Target, change: CustomerChange) -> Result<Response, ApiError> {
    let work = Update {
        place: caller.place.clone(),
        lookup: target.ready(caller).await?,
        change,
        data_key: caller.data_key().await?,
        actor: format!("api:{}", caller.key_id),
        now: caller.now,
    };
    let customer = work::write(&caller.app, work).await?;
    Ok(one(StatusCode::OK, view::customer(&customer)))
}

/// The fields as they are, or under `update`.
fn read(body: &[u8]) -> Result<CustomerChange, ApiError> {
    let fields = Fields::read(body)?;
    let change = match fields.object("update") {
        Some(update) => {
            fields.ignore(&["id", "key", "email"]);
            let change = CustomerChange::read(&update);
            update.close();
            change
        }
        None => CustomerChange::read(&fields),
    };
    fields.finish()?;
    Ok(change)
}

fn read_older(body: &[u8]) -> Result<(Target, CustomerChange), ApiError> {
    let fields = Fields::read(body)?;
    let target = Target::of_fields(&fields);
    let update = fields.object("update");
    let change = update.as_ref().map(CustomerChange::read).unwrap_or_default();
    match &update {
        Some(update) => update.close(),
        None => fields.wrong("update", "The update is required: an object with what changes."),
    }
    fields.finish()?;
    Ok((target.ok_or_else(unnamed)?, change))
}

/// Changes a customer. With another partner, its sales are attributed anew.
#[utoipa::path(put, path = "/v1/customers/{id}", tag = "Customers", operation_id = "update_customer",
    params(("id" = String, Path, description = "Key, id or e-mail address")), request_body = CustomerInput,
    responses((status = 200, body = Data<CustomerView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn update(caller: Caller, Id(id): Id, Body(body): Body) -> Result<Response, ApiError> {
    let change = read(&body)?;
    answer(&caller, Target::Path(id), change).await
}

/// Changes the customer that the body names. Kept for older clients.
#[utoipa::path(put, path = "/v1/customers", tag = "Customers", operation_id = "update_customer_by",
    request_body = CustomerUpdate,
    responses((status = 200, body = Data<CustomerView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn update_by(caller: Caller, Body(body): Body) -> Result<Response, ApiError> {
    let (target, change) = read_older(&body)?;
    answer(&caller, target, change).await
}
