//! `POST /v1/transactions`

use super::get::Get;
use super::item::{self, Item};
use super::list::shown;
use super::record;
use super::view::TransactionView;
use crate::api::auth::Caller;
use crate::api::customers::change::{CustomerChange, CustomerInput, PartnerName};
use crate::api::customers::create::NewCustomer;
use crate::api::customers::target::{Lookup, Target};
use crate::api::error::{ApiError, Refusal};
use crate::api::fields::Fields;
use crate::api::input::Body;
use crate::api::pipeline;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use crate::state::new_id;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::collections::BTreeSet;
use tributary_domain::ids::{IdKind, base32};
use tributary_domain::money::Currency;
use tributary_store::Tx;
use tributary_store::api::Place;
use tributary_store::api::customers;
use tributary_store::vault::{Key, random};
use utoipa::ToSchema;

/// A transaction to be written.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TransactionInput {
    /// Who paid: named by key, id or e-mail; with `options.create_customer` also its other fields.
    pub customer: CustomerInput,
    /// The payment's id: writing the same again changes nothing. One is made where none is given.
    pub key: Option<String>,
    /// What was paid, in major units: a JSON number or a text. Required where there is no `reward`.
    #[schema(value_type = Option<String>, format = "decimal")]
    pub amount: Option<String>,
    /// Sets the commission directly, in major units. It may stand alone, for what brings no money.
    #[schema(value_type = Option<String>, format = "decimal")]
    pub reward: Option<String>,
    /// ISO 4217; the program's currency by default.
    pub amount_units: Option<String>,
    /// What happened; `sale` by default.
    pub action: Option<String>,
    /// Product ids: one text or several.
    pub product_id: Option<Vec<String>>,
    /// Product types: one text or several.
    pub product_type: Option<Vec<String>>,
    /// false: it earns nothing. true by default.
    pub rewardable: Option<bool>,
    /// true: its reward was given elsewhere, so it earns nothing here.
    pub rewarded: Option<bool>,
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
    /// Options.
    pub options: Option<TransactionOptions>,
    /// Several at once, for the same customer, in the place of the fields above.
    #[schema(value_type = Option<Vec<Object>>)]
    pub transactions: Option<Vec<serde_json::Value>>,
}

/// Options of a new transaction.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TransactionOptions {
    /// Create the customer if it is not known; it needs `customer.partner`.
    pub create_customer: Option<bool>,
}

/// The body, read.
struct Read {
    target: Target,
    /// What a new customer would be.
    new: Option<(String, CustomerChange)>,
    items: Vec<Item>,
    bulk: bool,
}

struct Create {
    place: Place,
    lookup: Lookup,
    new: Option<NewCustomer>,
    items: Vec<Item>,
    data_key: Key,
    now: i64,
}

/// What was written.
struct Created {
    customer_id: String,
    fresh: bool,
}

impl Work for Create {
    type Out = Created;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Created, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let customer = match (self.lookup.find(tx, &self.place).await?, &self.new) {
            (Some(known), _) => known,
            (None, Some(new)) => {
                if customers::find_holder(tx, &self.place, &new.key).await?.is_some() {
                    return Err(ApiError::field("customer", "A customer with this key was deleted."));
                }
                new.insert(tx, &self.place, &self.data_key, self.now).await?
            }
            (None, None) => {
                return Err(ApiError::field(
                    "customer",
                    "The customer is not known in this program; create it first, or set \
                     options.create_customer.",
                ));
            }
        };
        let mut fresh = false;
        for item in &self.items {
            fresh |= record::write(tx, &self.place, item, &customer, self.now).await?;
        }
        Ok(Created { customer_id: customer.customer_id, fresh })
    }
}

fn read(body: &[u8], currency: Currency, now: i64) -> Result<Read, ApiError> {
    let fields = Fields::read(body)?;
    let create = fields.object("options").is_some_and(|options| {
        let create = options.flag("create_customer").unwrap_or(false);
        options.ignore(&["referral_url"]);
        options.close();
        create
    });
    let customer = customer(&fields, create);
    let bulk = fields.objects("transactions");
    let items = match &bulk {
        Some(list) => {
            let currency = item::currency(&fields).unwrap_or(currency);
            if list.is_empty() {
                fields.wrong("transactions", "The transactions must not be empty.");
            }
            let read = |inner: &Fields<'_>| {
                let item = Item::read(inner, currency, now);
                inner.close();
                item
            };
            list.iter().map(read).collect::<Vec<_>>()
        }
        None => vec![Item::read(&fields, currency, now)],
    };
    fields.finish()?;
    let (target, new) = customer.ok_or_else(|| ApiError::field("customer", "The customer is required."))?;
    let items = items.into_iter().collect::<Option<Vec<_>>>();
    let mut items = items.ok_or_else(|| ApiError::field("amount", "The amount is required."))?;
    for item in items.iter_mut().filter(|item| item.key.is_empty()) {
        item.key = format!("txn_{}", base32(&random::<16>()?));
    }
    Ok(Read { target, new, items, bulk: bulk.is_some() })
}

type NamedCustomer = (Target, Option<(String, CustomerChange)>);

/// Who paid, and what it would be were it new. In the older form the partner stands beside the customer.
fn customer(fields: &Fields<'_>, create: bool) -> Option<NamedCustomer> {
    let beside = PartnerName::read(fields, "partner");
    let Some(customer) = fields.object("customer") else {
        fields.wrong("customer", "The customer is required: name it by key, id or email.");
        return None;
    };
    let target = Target::of_fields(&customer);
    let change = CustomerChange::read(&customer);
    customer.close();
    if target.is_none() {
        fields.wrong("customer", "Name the customer by key, id or email.");
    }
    let new = create.then(|| {
        let key = change.key.clone().or_else(|| change.email.clone())?;
        let partner = change.partner.clone().or(beside);
        Some((key, CustomerChange { partner, ..change }))
    });
    Some((target?, new.flatten()))
}

/// Writes one transaction, or several at once. The same key with the same content changes nothing (200); with
/// other content it is refused (409).
#[utoipa::path(post, path = "/v1/transactions", tag = "Transactions", operation_id = "create_transaction",
    request_body = TransactionInput,
    responses((status = 201, body = Data<TransactionView>, description = "Written; a list for several at once"),
        (status = 200, body = Data<TransactionView>, description = "Was written before with the same content"),
        (status = 401, body = Refusal),
        (status = 409, body = Refusal, description = "The key is taken by other content."),
        (status = 422, body = Refusal, description = "A field is wrong, or the customer is not known.")),
    security(("api_key" = [])))]
pub async fn create(caller: Caller, Body(body): Body) -> Result<Response, ApiError> {
    let Read { target, new, items, bulk } = read(&body, caller.currency()?, caller.now)?;
    let new = match new {
        Some((key, change)) => Some(NewCustomer { key, change, customer_id: new_id(IdKind::Customer)? }),
        None => None,
    };
    let mut seen = BTreeSet::new();
    let keys = items.iter().map(|item| item.key.clone()).filter(|key| seen.insert(key.clone())).collect();
    let place = caller.place.clone();
    let work = Create {
        place: place.clone(),
        lookup: target.ready(&caller).await?,
        new,
        items,
        data_key: caller.data_key().await?,
        now: caller.now,
    };
    let created = work::write(&caller.app, work).await?;
    pipeline::settle_customer(&caller.app, &place.workspace_id, &place.program_id, &created.customer_id)
        .await?;
    let rows = work::read(&caller.app, Get { place, keys }).await?;
    let mut rows = shown(&rows)?;
    let status = if created.fresh { StatusCode::CREATED } else { StatusCode::OK };
    if bulk {
        return Ok(one(status, rows));
    }
    rows.truncate(1);
    match rows.pop() {
        Some(row) => Ok(one(status, row)),
        None => Err(ApiError::NotFound("Transaction not found.".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Result<Read, ApiError> {
        read(body.as_bytes(), Currency::parse("usd").unwrap(), 1_800_000_000_000)
    }

    #[test]
    fn a_key_is_made_where_none_is_given() {
        let read = of(r#"{"customer":{"key":"u1"},"amount":5}"#).unwrap();
        assert!(read.items[0].key.starts_with("txn_"));
        assert!(!read.bulk);
    }

    #[test]
    fn several_share_customer_options_and_currency() {
        let body = r#"{"customer":{"email":"I@x.example"},"partner":{"key":"M"},"amount_units":"jpy",
            "options":{"create_customer":true},"transactions":[{"key":"a","amount":100},{"key":"b","amount":7}]}"#;
        let read = of(body).unwrap();
        assert!(read.bulk);
        assert_eq!(read.items.iter().map(|item| item.amount).collect::<Vec<_>>(), [100, 7]);
        let (key, change) = read.new.unwrap();
        assert_eq!(key, "i@x.example");
        assert!(change.partner.is_some());
        assert_eq!(read.target, Target::Email("i@x.example".into()));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (body, field) in [
            (r#"{"amount":5}"#, "customer"),
            (r#"{"customer":{},"amount":5}"#, "customer"),
            (r#"{"customer":{"key":"u"}}"#, "amount"),
            (r#"{"customer":{"key":"u"},"transactions":[]}"#, "transactions"),
            (
                r#"{"customer":{"key":"u"},"transactions":[{"amount":1},{"amount":1.001}]}"#,
                "transactions.1.amount",
            ),
            (r#"{"customer":{"key":"u"},"transactions":[{"amount":1,"amout":2}]}"#, "transactions.0.amout"),
        ] {
            match of(body).err() {
                Some(ApiError::Invalid(problems)) => {
                    assert!(problems.contains_key(field), "{body}: {problems:?}");
                }
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
