//! `POST /v1/customers`

use super::change::{CustomerChange, CustomerInput, hash_of, unknown_partner};
use super::view::{self, CustomerView};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Refusal};
use crate::api::fields::Fields;
use crate::api::input::Body;
use crate::api::pipeline;
use crate::api::transactions::item::Item;
use crate::api::transactions::record;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use crate::state::new_id;
use axum::http::StatusCode;
use axum::response::Response;
use tributary_domain::ids::IdKind;
use tributary_domain::money::Currency;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::customers::{self, Customer};
use tributary_store::vault::Key;

/// A customer to be made.
#[derive(Clone)]
pub(crate) struct NewCustomer {
    pub(crate) key: String,
    pub(crate) change: CustomerChange,
    pub(crate) customer_id: String,
}

impl NewCustomer {
    /// Makes the customer of a known partner. The key must be free.
    pub(crate) async fn insert(
        &self,
        tx: &mut Tx<'_>,
        place: &Place,
        data_key: &Key,
        now: i64,
    ) -> Result<Customer, ApiError> {
        let customer = self.customer(tx, place, data_key, now).await?;
        customers::insert(tx, place, &customer).await?;
        pipeline::customer_changed(tx, &place.workspace_id, &place.mode, &customer.customer_id, now).await?;
        Ok(customer)
    }

    /// Takes the place of a customer that a browser told of: nothing that the browser said is left, but since when
    /// there is such a customer.
    pub(crate) async fn take_over(
        &self,
        tx: &mut Tx<'_>,
        place: &Place,
        data_key: &Key,
        before: &Customer,
        now: i64,
    ) -> Result<Customer, ApiError> {
        let customer = Customer {
            customer_id: before.customer_id.clone(),
            status: before.status.clone(),
            created_at: before.created_at,
            updated_at: now.max(before.updated_at),
            ..self.customer(tx, place, data_key, now).await?
        };
        customers::update(tx, place, before, &customer).await?;
        pipeline::customer_changed(tx, &place.workspace_id, &place.mode, &customer.customer_id, now).await?;
        Ok(customer)
    }

    async fn customer(
        &self,
        tx: &mut Tx<'_>,
        place: &Place,
        data_key: &Key,
        now: i64,
    ) -> Result<Customer, ApiError> {
        let target = self.change.partner.as_ref().ok_or_else(unknown_partner)?;
        let partner = target.find(tx, place).await?.ok_or_else(unknown_partner)?;
        let change = self.change.clone();
        let email = change.email.unwrap_or_default();
        Ok(Customer {
            customer_id: self.customer_id.clone(),
            email_hash: hash_of(data_key, &email, &self.key)?,
            key: self.key.clone(),
            email,
            name: change.name.unwrap_or_default(),
            surname: change.surname.unwrap_or_default(),
            status: "active".into(),
            tags: change.tags.unwrap_or_default(),
            partner_id: Some(partner.partner_id),
            partner_external_id: Some(partner.external_id),
            partner_by: "api".into(),
            origin: "api".into(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        })
    }
}

struct Create {
    place: Place,
    new: NewCustomer,
    transaction: Option<Item>,
    data_key: Key,
    now: i64,
}

impl Work for Create {
    type Out = Customer;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Customer, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let (place, data_key) = (&self.place, &self.data_key);
        let customer = match customers::find_holder(tx, place, &self.new.key).await? {
            None => self.new.insert(tx, place, data_key, self.now).await?,
            Some(holder) if holder.partner_by == "browser" && holder.deleted_at.is_none() => {
                self.new.take_over(tx, place, data_key, &holder, self.now).await?
            }
            Some(holder) => return Err(taken(&holder)),
        };
        if let Some(item) = &self.transaction {
            record::write(tx, &self.place, item, &customer, self.now).await?;
        }
        Ok(customer)
    }
}

/// Why a key cannot be used again.
fn taken(holder: &Customer) -> ApiError {
    let key = &holder.key;
    ApiError::Exists(if holder.deleted_at.is_some() {
        format!("A customer with the key “{key}” was deleted; its key stays taken.")
    } else {
        format!("A customer with the key “{key}” exists already; nothing was changed.")
    })
}

struct Read {
    key: String,
    change: CustomerChange,
    transaction: Option<Item>,
}

/// The flat form, or the older one with the customer's own fields under `customer`.
fn read(body: &[u8], currency: Currency, now: i64) -> Result<Read, ApiError> {
    let fields = Fields::read(body)?;
    if let Some(options) = fields.object("options") {
        options.ignore(&["referral_url"]);
        options.close();
    }
    fields.ignore(&["referral_url"]);
    let transaction = fields.object("transaction").map(|inner| {
        let item = Item::read(&inner, currency, now);
        inner.ignore(&["customer"]);
        inner.close();
        item
    });
    let mut change = CustomerChange::read(&fields);
    let key = match fields.object("customer") {
        Some(nested) => {
            let inner = CustomerChange::read(&nested);
            let key = nested.required("key", 255);
            nested.close();
            change = CustomerChange { partner: inner.partner.clone().or(change.partner), ..inner };
            key
        }
        None => fields.required("key", 255),
    };
    if change.partner.is_none() && !fields.has("partner") {
        fields.wrong("partner", "The partner is required: name it by id, key or email.");
    }
    fields.finish()?;
    let key = key.ok_or_else(|| ApiError::field("key", "The key is required."))?;
    if change.partner.is_none() {
        return Err(unknown_partner());
    }
    Ok(Read { key, change, transaction: transaction.flatten() })
}

/// Creates a customer that a partner brought. A key that is taken answers 409 and changes nothing, unless only a
/// browser told of that customer: then the call takes its place, with its partner.
#[utoipa::path(post, path = "/v1/customers", tag = "Customers", operation_id = "create_customer",
    request_body = CustomerInput,
    responses((status = 201, body = Data<CustomerView>), (status = 401, body = Refusal),
        (status = 409, body = Refusal, description = "The key is taken; nothing was changed."),
        (status = 422, body = Refusal, description = "A field is wrong, or the partner is not known.")),
    security(("api_key" = [])))]
pub async fn create(caller: Caller, Body(body): Body) -> Result<Response, ApiError> {
    let Read { key, change, transaction } = read(&body, caller.currency()?, caller.now)?;
    let settles = transaction.is_some();
    let work = Create {
        place: caller.place.clone(),
        new: NewCustomer { key, change, customer_id: new_id(IdKind::Customer)? },
        transaction,
        data_key: caller.data_key().await?,
        now: caller.now,
    };
    let customer = work::write(&caller.app, work).await?;
    if settles {
        let place = &caller.place;
        pipeline::settle_customer(&caller.app, &place.workspace_id, &place.program_id, &customer.customer_id)
            .await?;
    }
    Ok(one(StatusCode::CREATED, view::customer(&customer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Currency {
        Currency::parse("usd").unwrap()
    }

    #[test]
    fn the_flat_and_the_nested_form_say_the_same() {
        let flat = br#"{"key":"u1","email":"A@b.example","name":"Ida","partner":{"key":"MAYA"}}"#;
        let nested =
            br#"{"customer":{"key":"u1","email":"A@b.example","name":"Ida"},"partner":{"key":"MAYA"}}"#;
        let (a, b) = (read(flat, usd(), 0).unwrap(), read(nested, usd(), 0).unwrap());
        assert_eq!(a.key, b.key);
        assert_eq!(a.change.email.as_deref(), Some("a@b.example"));
        assert_eq!(a.change.partner, b.change.partner);
        assert_eq!((a.change.email, a.change.name), (b.change.email, b.change.name));
    }

    #[test]
    fn key_and_partner_are_required() {
        for (body, field) in [
            (r#"{"partner":{"key":"M"}}"#, "key"),
            (r#"{"key":"u"}"#, "partner"),
            (r#"{"key":"u","partner":{}}"#, "partner"),
            (r#"{"key":"u","partner":"M"}"#, "partner"),
            (r#"{"key":"u","partner":{"key":"M"},"emial":"x"}"#, "emial"),
        ] {
            match read(body.as_bytes(), usd(), 0).err() {
                Some(ApiError::Invalid(problems)) => assert!(problems.contains_key(field), "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
