//! The envelope, times and amounts on the wire.

use super::error::json;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;
use tributary_domain::money::{Currency, format_major};
use tributary_store::StoreError;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// One object.
#[derive(Debug, Serialize, ToSchema)]
pub struct Data<T> {
    /// The object.
    pub data: T,
    /// Always 1.
    pub status: u8,
}

/// A page of objects.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The objects.
    pub data: Vec<T>,
    /// Where the other pages are.
    pub links: Links,
    /// Which page this is.
    pub meta: Meta,
    /// Always 1.
    pub status: u8,
}

/// Where the other pages are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// The first page.
    pub first: String,
    /// Always null: totals are not counted.
    pub last: Option<String>,
    /// The page before.
    pub prev: Option<String>,
    /// The next page; null on the last.
    pub next: Option<String>,
}

/// Which page this is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Meta {
    /// From 1.
    pub current_page: i64,
    /// Number of the first object, from 1; null on an empty page.
    pub from: Option<i64>,
    /// The list's address without its query.
    pub path: String,
    /// Objects a page.
    pub per_page: i64,
    /// Number of the last object; null on an empty page.
    pub to: Option<i64>,
}

/// An answer without an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// Always 1.
    pub status: u8,
}

pub(crate) fn one(status: StatusCode, data: impl Serialize) -> Response {
    json(status, &Data { data, status: 1 })
}

pub(crate) fn done() -> Response {
    json(StatusCode::OK, &Done { status: 1 })
}

/// An amount in major units: an exact JSON number that never was a float.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Major(Box<RawValue>);

impl Major {
    /// Writes minor units of a currency.
    ///
    /// # Errors
    /// Never in practice: the text is a number by construction.
    pub fn new(minor: i64, currency: Currency) -> Result<Self, StoreError> {
        RawValue::from_string(format_major(minor, currency))
            .map(Self)
            .map_err(|e| StoreError::Inconsistent(format!("amount: {e}")))
    }
}

impl PartialSchema for Major {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some(
                "An amount in major units with as many digits after the point as the currency has. \
                 Read it as a decimal, not as a float.",
            ))
            .into()
    }
}
impl ToSchema for Major {}

/// An amount with its currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Amount {
    /// In major units.
    pub amount: Major,
    /// ISO 4217, upper case.
    pub currency: String,
}

/// A currency as it is written on the wire.
pub(crate) fn units(currency: &str) -> String {
    currency.to_ascii_uppercase()
}

/// Reads a currency that the database holds.
pub(crate) fn stored_currency(text: &str) -> Result<Currency, StoreError> {
    Currency::parse(text).map_err(|e| StoreError::Inconsistent(e.to_string()))
}

/// Amounts by currency as the store gives them.
pub(crate) fn amounts(list: &[(String, i64)]) -> Result<Vec<Amount>, StoreError> {
    list.iter()
        .map(|(code, minor)| {
            Ok(Amount { amount: Major::new(*minor, stored_currency(code)?)?, currency: units(code) })
        })
        .collect()
}

/// ms UTC as `2025-04-30T16:44:13.000000Z`.
pub(crate) fn time(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => format!("{at:.6}"),
        // Beyond the year 9999: no clock and no client gives such a time.
        Err(_) => "9999-12-31T23:59:59.999000Z".to_owned(),
    }
}

pub(crate) fn opt_time(ms: Option<i64>) -> Option<String> {
    ms.map(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tributary_domain::money::{AMOUNT_MAX, parse_major};

    #[test]
    fn times_have_six_digits_and_a_z() {
        assert_eq!(time(1_746_031_453_000), "2025-04-30T16:44:13.000000Z");
        assert_eq!(time(1_746_031_453_042), "2025-04-30T16:44:13.042000Z");
        assert_eq!(time(0), "1970-01-01T00:00:00.000000Z");
        assert!(time(i64::MAX).starts_with("9999"));
    }

    proptest! {
        #[test]
        fn an_amount_goes_to_the_wire_and_back_without_loss(
            minor in -AMOUNT_MAX..=AMOUNT_MAX,
            code in "usd|eur|jpy|kwd|isk|tnd",
            as_text in any::<bool>(),
        ) {
            let currency = Currency::parse(&code).unwrap();
            let number = serde_json::to_string(&Major::new(minor, currency).unwrap()).unwrap();
            let given = if as_text { format!("\"{number}\"") } else { number };
            let body = format!("{{\"amount\":{given}}}");
            let fields = crate::api::fields::Fields::read(body.as_bytes()).unwrap();
            let text = fields.decimal("amount").unwrap();
            prop_assert_eq!(parse_major(&text, currency), Ok(minor));
        }
    }
}
