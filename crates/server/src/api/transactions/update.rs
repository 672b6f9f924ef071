//! `PUT /v1/transactions/{key}` and the collection form `PUT /v1/transactions {key, update{}}`

use super::get;
use super::item::{Item, Parts};
use super::record::{self, Kept};
use super::view::TransactionView;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Problems, Refusal};
use crate::api::fields::Fields;
use crate::api::input::{Body, Id};
use crate::api::pipeline;
use crate::api::wire::Data;
use crate::api::work::{self, Work};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_domain::money::Currency;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::transactions::Transaction;
use utoipa::ToSchema;

/// What may be replaced in a transaction that the API wrote.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TransactionChange {
    /// What was paid, in major units.
    #[schema(value_type = Option<String>, format = "decimal")]
    pub amount: Option<String>,
    /// ISO 4217; needs `amount` beside it, and `reward` where one was given.
    pub amount_units: Option<String>,
    /// Sets the commission directly, in major units.
    #[schema(value_type = Option<String>, format = "decimal")]
    pub reward: Option<String>,
    /// What happened.
    pub action: Option<String>,
    /// Product ids.
    pub product_id: Option<Vec<String>>,
    /// Product types.
    pub product_type: Option<Vec<String>>,
    /// May it earn?
    pub rewardable: Option<bool>,
    /// Seconds since 1970, or a date.
    pub created_at: Option<String>,
    /// Before discounts, for the record.
    #[schema(value_type = Option<String>, format = "decimal")]
    pub gross_amount: Option<String>,
    /// Discount, for the record.
    #[schema(value_type = Option<String>, format = "decimal")]
    pub discount_amount: Option<String>,
    /// Code of the discount, for the record.
    pub discount_code: Option<String>,
}

/// The collection form.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TransactionUpdate {
    /// Which transaction.
    pub key: String,
    /// What changes.
    pub update: TransactionChange,
}

struct Update {
    place: Place,
    key: String,
    body: Vec<u8>,
    now: i64,
}

impl Work for Update {
    type Out = Option<String>;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Self::Out, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let found = record::get(tx, &self.place, &self.key).await?;
        let Some(written) = &found.written else {
            return Err(ApiError::field(
                "key",
                "This transaction comes from Stripe; its money and its time are what Stripe says. \
                 Delete or archive it to void it.",
            ));
        };
        let kept = Kept::read(written)?;
        let before = kept.item()?;
        let parts = read(&self.body, before.currency, self.now)?;
        check(&found, &parts, &before)?;
        let item = before.clone().changed(parts);
        if item == before {
            return Ok(None);
        }
        let at = item.created_at.unwrap_or(kept.at);
        // The later writing wins, so it must be later.
        let now = self.now.max(kept.written_at.saturating_add(1));
        record::put(tx, &self.place, &item, &written.customer_id, at, now).await?;
        Ok(Some(written.customer_id.clone()))
    }
}

/// Money that Stripe knows may not be contradicted; amounts and their currency come together.
fn check(found: &Transaction, parts: &Parts, before: &Item) -> Result<(), ApiError> {
    let mut problems = Problems::new();
    if !found.sale.root_id.starts_with("api:") {
        let said = [
            ("amount", parts.amount.is_some()),
            ("amount_units", parts.currency.is_some()),
            ("created_at", parts.created_at.is_some()),
        ];
        for (field, _) in said.into_iter().filter(|(_, given)| *given) {
            let sentence = format!("The {field} of this sale comes from Stripe and cannot be changed here.");
            problems.insert(field.into(), vec![sentence]);
        }
    }
    if parts.currency.is_some_and(|new| new != before.currency) {
        // What was given in the old currency would silently be read in the new one.
        if before.amount > 0 && parts.amount.is_none() {
            problems.insert("amount".into(), vec!["Another currency needs the amount beside it.".into()]);
        }
        if before.reward.is_some() && parts.reward.is_none() {
            problems.insert("reward".into(), vec!["Another currency needs the reward beside it.".into()]);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid(problems)) }
}

/// The fields as they are, or under `update`.
fn read(body: &[u8], currency: Currency, now: i64) -> Result<Parts, ApiError> {
    let fields = Fields::read(body)?;
    let parts = match fields.object("update") {
        Some(update) => {
            fields.ignore(&["key"]);
            let parts = Parts::read(&update, currency, now);
            update.close();
            parts
        }
        None => Parts::read(&fields, currency, now),
    };
    fields.finish()?;
    Ok(parts)
}

async fn answer(caller: &Caller, key: String, body: Vec<u8>) -> Result<Response, ApiError> {
    let place = caller.place.clone();
    // Read once before the database is asked, so that a body that cannot be read is told apart first.
    Fields::read(&body)?;
    let work = Update { place: place.clone(), key: key.clone(), body, now: caller.now };
    let changed = work::write(&caller.app, work).await?;
    if let Some(customer_id) = changed {
        pipeline::settle_customer(&caller.app, &place.workspace_id, &place.program_id, &customer_id).await?;
    }
    get::answer(caller, StatusCode::OK, key).await
}

/// Replaces parts of a transaction that the API wrote. The money of a Stripe sale cannot be changed.
#[utoipa::path(put, path = "/v1/transactions/{key}", tag = "Transactions", operation_id = "update_transaction",
    params(("key" = String, Path, description = "Its key, or any Stripe id of the purchase")),
    request_body = TransactionChange,
    responses((status = 200, body = Data<TransactionView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn update(caller: Caller, Id(key): Id, Body(body): Body) -> Result<Response, ApiError> {
    answer(&caller, key, body.to_vec()).await
}

/// Replaces parts of the transaction that the body names.
#[utoipa::path(put, path = "/v1/transactions", tag = "Transactions", operation_id = "update_transaction_by",
    request_body = TransactionUpdate,
    responses((status = 200, body = Data<TransactionView>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn update_by(caller: Caller, Body(body): Body) -> Result<Response, ApiError> {
    let key = named(&body)?;
    answer(&caller, key, body.to_vec()).await
}

fn named(body: &[u8]) -> Result<String, ApiError> {
    let fields = Fields::read(body)?;
    let key = fields.required("key", 255);
    if fields.object("update").is_none() {
        fields.wrong("update", "The update is required: an object with what changes.");
    }
    fields.finish()?;
    key.ok_or_else(|| ApiError::field("key", "The key is required."))
}
