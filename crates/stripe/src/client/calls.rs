//! Reading calls: account, balance, and everything that the pipeline fetches.

use super::send::Params;
use super::{ApiError, Reply, StripeClient};
use crate::facts::Fetch;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tributary_domain::fact::Kind;

/// The account behind a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// `acct_…`
    pub id: String,
    /// Two letters.
    #[serde(default)]
    pub country: Option<String>,
    /// ISO 4217, lower case.
    #[serde(default)]
    pub default_currency: Option<String>,
    #[serde(default)]
    settings: Option<Settings>,
    #[serde(default)]
    business_profile: Option<BusinessProfile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Settings {
    #[serde(default)]
    dashboard: Option<Dashboard>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Dashboard {
    #[serde(default)]
    display_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct BusinessProfile {
    #[serde(default)]
    name: Option<String>,
}

impl Account {
    /// The name that the merchant sees in Stripe's dashboard.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        let dashboard = self.settings.as_ref().and_then(|settings| settings.dashboard.as_ref());
        let shown = dashboard.and_then(|dashboard| dashboard.display_name.as_deref());
        let profile = || self.business_profile.as_ref().and_then(|profile| profile.name.as_deref());
        shown.filter(|name| !name.is_empty()).or_else(profile).filter(|name| !name.is_empty())
    }
}

/// What matters of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Balance {
    /// Live or test mode.
    #[serde(default)]
    pub livemode: Option<bool>,
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The bodies as they came: one for an object, one a page for a list.
    Pages(Vec<Bytes>),
    /// Stripe knows no such object.
    Missing,
}

impl StripeClient {
    /// The account behind the key.
    ///
    /// # Errors
    /// An [`ApiError`]; a restricted key may be forbidden to read it.
    pub async fn account(&self) -> Result<Account, ApiError> {
        parse("/v1/account", &self.get("/v1/account", Params::new()).await?)
    }

    /// The balance, for its mode.
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn balance(&self) -> Result<Balance, ApiError> {
        parse("/v1/balance", &self.get("/v1/balance", Params::new()).await?)
    }

    /// One object by kind and id, as it came. Invoices bring their payments, and what was paid outside of Stripe, which is
    /// said only where it is asked for.
    ///
    /// # Errors
    /// An [`ApiError`]; [`ApiError::NotFound`] if Stripe knows no such object.
    pub async fn retrieve(&self, kind: Kind, id: &str) -> Result<Reply, ApiError> {
        let path = path_of(kind, id)?;
        if kind != Kind::Invoice {
            return self.get(&path, Params::new()).await;
        }
        for wishes in [&["payments", "amount_paid_off_stripe"][..], &["payments"]] {
            let wishes =
                wishes.iter().enumerate().map(|(at, wish)| (format!("expand[{at}]"), (*wish).to_owned()));
            match self.get(&path, wishes.collect()).await {
                // An older API does not know the fields, and refuses to expand them.
                Err(ApiError::Invalid { status: 400, .. }) => {}
                answer => return answer,
            }
        }
        self.get(&path, Params::new()).await
    }

    /// Asks a question whose answer is kept as an observation.
    ///
    /// # Errors
    /// An [`ApiError`]. A 404 of an object is [`Fetched::Missing`]; a 404 of a list stays an error.
    pub async fn fetch(&self, fetch: &Fetch) -> Result<Fetched, ApiError> {
        let pages = match fetch {
            Fetch::Object { kind, id } => match self.retrieve(*kind, id).await {
                Ok(reply) => vec![reply.body],
                Err(ApiError::NotFound { .. }) => return Ok(Fetched::Missing),
                Err(error) => return Err(error),
            },
            Fetch::CodesOf { purchase } => match self.with_codes(purchase).await {
                Ok(reply) => vec![reply.body],
                Err(ApiError::NotFound { .. }) => return Ok(Fetched::Missing),
                Err(error) => return Err(error),
            },
            Fetch::InvoicePaymentsOf { payment_intent } => self.invoice_payments_of(payment_intent).await?,
            Fetch::SessionsOf { payment_intent } => self.sessions_of(payment_intent).await?,
            Fetch::CheckoutsOf { customer } => {
                self.pages("/v1/checkout/sessions", vec![pair("customer", customer)]).await?
            }
            Fetch::RefundsOf { charge } => self.refunds_of(charge).await?,
            Fetch::Listed { page, .. } | Fetch::Alone { page } => {
                // Pages of an import are asked for by `list_page`; what was concluded cannot be asked.
                return Err(bad_id(page));
            }
            Fetch::DisputesOf { charge } => self.pages("/v1/disputes", vec![pair("charge", charge)]).await?,
            Fetch::FeeOf { charge } => {
                let path = path_of(Kind::Charge, charge)?;
                match self.get(&path, vec![pair("expand[0]", "balance_transaction")]).await {
                    Ok(reply) => vec![reply.body],
                    Err(ApiError::NotFound { .. }) => return Ok(Fetched::Missing),
                    Err(error) => return Err(error),
                }
            }
            Fetch::InvoiceLinesOf { invoice } => {
                let path = format!("{}/lines", path_of(Kind::Invoice, invoice)?);
                self.pages(&path, Params::new()).await?
            }
            Fetch::SessionLinesOf { session } => {
                let path = format!("{}/line_items", path_of(Kind::Session, session)?);
                self.pages(&path, Params::new()).await?
            }
        };
        Ok(Fetched::Pages(pages))
    }

    /// An invoice or a session with its discounts and their promotion codes, as it came.
    ///
    /// # Errors
    /// An [`ApiError`]; [`ApiError::NotFound`] if Stripe knows no such object.
    async fn with_codes(&self, id: &str) -> Result<Reply, ApiError> {
        let kind = Kind::of_stripe_id(id).ok_or_else(|| bad_id(id))?;
        let path = path_of(kind, id)?;
        let wishes: &[&str] = match kind {
            Kind::Invoice => &["discounts.promotion_code", "discounts"],
            _ => &["total_details.breakdown", "discounts"],
        };
        for wish in wishes {
            match self.get(&path, vec![pair("expand[0]", wish)]).await {
                // An older API, or one without the object behind it, refuses to expand so far, and so does a key that may
                // not read codes.
                Err(ApiError::Invalid { .. } | ApiError::Forbidden { .. }) => {}
                answer => return answer,
            }
        }
        self.get(&path, Params::new()).await
    }

    /// The invoice payments of a PaymentIntent, all pages as they came.
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn invoice_payments_of(&self, payment_intent: &str) -> Result<Vec<Bytes>, ApiError> {
        let of =
            vec![pair("payment[type]", "payment_intent"), pair("payment[payment_intent]", payment_intent)];
        self.pages("/v1/invoice_payments", of).await
    }

    /// The checkout sessions of a PaymentIntent, all pages as they came.
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn sessions_of(&self, payment_intent: &str) -> Result<Vec<Bytes>, ApiError> {
        self.pages("/v1/checkout/sessions", vec![pair("payment_intent", payment_intent)]).await
    }

    /// The refunds of a charge, all pages as they came.
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn refunds_of(&self, charge: &str) -> Result<Vec<Bytes>, ApiError> {
        self.pages("/v1/refunds", vec![pair("charge", charge)]).await
    }
}

pub(super) fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Reads a typed answer; the reason quotes nothing of it.
pub(super) fn parse<T: DeserializeOwned>(path: &str, reply: &Reply) -> Result<T, ApiError> {
    serde_json::from_slice(&reply.body).map_err(|e| ApiError::Unexpected {
        path: path.to_owned(),
        reason: format!("line {}, column {}", e.line(), e.column()),
    })
}

/// The address of an object; an id that could lead elsewhere is refused.
fn path_of(kind: Kind, id: &str) -> Result<String, ApiError> {
    let collection = match kind {
        Kind::Invoice => "invoices",
        Kind::PaymentIntent => "payment_intents",
        Kind::Charge => "charges",
        Kind::Session => "checkout/sessions",
        Kind::InvoicePayment => "invoice_payments",
        Kind::Refund => "refunds",
        Kind::Dispute => "disputes",
        Kind::CreditNote => "credit_notes",
        Kind::BalanceTransaction => "balance_transactions",
        Kind::Customer => "customers",
        Kind::Subscription => "subscriptions",
        Kind::PromotionCode => "promotion_codes",
        Kind::Line | Kind::ApiTransaction => return Err(bad_id(id)),
    };
    Ok(format!("/v1/{collection}/{}", checked_id(id)?))
}

pub(super) fn checked_id(id: &str) -> Result<&str, ApiError> {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if plain && (1..=255).contains(&id.len()) { Ok(id) } else { Err(bad_id(id)) }
}

fn bad_id(id: &str) -> ApiError {
    ApiError::BadId { id: id.chars().take(40).collect() }
}
