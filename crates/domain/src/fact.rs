//! Facts: what was understood from one source about one Stripe object, free of API versions and of clear
//! personal data.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kind of a Stripe object (or of an API write) that takes part in a sale or describes a buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `in_…`
    Invoice,
    /// `pi_…`
    PaymentIntent,
    /// `ch_…`, `py_…`
    Charge,
    /// `cs_…`
    Session,
    /// `inpay_…`: joins an invoice to its PaymentIntent or charge since API version basil.
    InvoicePayment,
    /// `re_…`, `pyr_…`
    Refund,
    /// `dp_…`, `du_…`: a buyer's bank asks the money of a charge back.
    Dispute,
    /// `cn_…`: lowers an invoice, before or after it was paid.
    CreditNote,
    /// `txn_…`: a movement of money that belongs to a charge (its fee) or to a dispute.
    BalanceTransaction,
    /// `il_…`, `li_…`: one line of an invoice or a session, where its list was asked for.
    Line,
    /// `cus_…`: a buyer, never a part of a sale.
    Customer,
    /// A transaction written through our own REST API.
    ApiTransaction,
    /// `sub_…`: says who brought its customer, never a part of a sale.
    Subscription,
    /// `promo_…`: a promotion code, never a part of a sale.
    PromotionCode,
}

impl Kind {
    /// The text kept in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::PaymentIntent => "payment_intent",
            Self::Charge => "charge",
            Self::Session => "session",
            Self::InvoicePayment => "invoice_payment",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::CreditNote => "credit_note",
            Self::BalanceTransaction => "balance_transaction",
            Self::Line => "line",
            Self::Customer => "customer",
            Self::ApiTransaction => "api_transaction",
            Self::Subscription => "subscription",
            Self::PromotionCode => "promotion_code",
        }
    }

    /// Reads the text kept in the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Invoice,
            Self::PaymentIntent,
            Self::Charge,
            Self::Session,
            Self::InvoicePayment,
            Self::Refund,
            Self::Dispute,
            Self::CreditNote,
            Self::BalanceTransaction,
            Self::Line,
            Self::Customer,
            Self::ApiTransaction,
            Self::Subscription,
            Self::PromotionCode,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }

    /// What an object id says about its kind, by Stripe's prefixes; `None` for any other id.
    #[must_use]
    pub fn of_stripe_id(id: &str) -> Option<Self> {
        let prefix = id.split_once('_')?.0;
        match prefix {
            "in" => Some(Self::Invoice),
            "pi" => Some(Self::PaymentIntent),
            "ch" | "py" => Some(Self::Charge),
            "cs" => Some(Self::Session),
            "inpay" => Some(Self::InvoicePayment),
            "re" | "pyr" => Some(Self::Refund),
            "dp" | "du" => Some(Self::Dispute),
            "cn" => Some(Self::CreditNote),
            "txn" => Some(Self::BalanceTransaction),
            "il" | "li" => Some(Self::Line),
            "cus" => Some(Self::Customer),
            "sub" => Some(Self::Subscription),
            "promo" => Some(Self::PromotionCode),
            _ => None,
        }
    }

    /// Does it describe buyers or codes, and never join sales?
    #[must_use]
    pub const fn stands_apart(self) -> bool {
        matches!(self, Self::Customer | Self::Subscription | Self::PromotionCode)
    }
}

/// How two readings of one field become one. Every class is commutative, associative and idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeClass {
    /// The last by (Stripe's time of the snapshot, source id).
    Last,
    /// The greatest value seen, whatever its time; a number or a flag that never falls in truth.
    Greatest,
    /// All words ever seen, with spaces between: the first [`UNION_MAX`] in order of their letters.
    Union,
    /// The greatest by a written rank of states, whatever its time.
    Rank(&'static [&'static str]),
    /// The last stage that was reached, whatever the time; within a stage the last by time, and readings of one
    /// instant by their order in it. For states that may go back and forth once they came so far. A word that is not
    /// written down belongs to the last stage.
    Stages(&'static [&'static [&'static str]]),
}

macro_rules! fields {
    ($( $(#[$doc:meta])* $name:ident = $text:literal, $class:expr; )+) => {
        /// A field of a fact. Amounts are minor units; times are milliseconds UTC.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Field { $( $(#[$doc])* #[serde(rename = $text)] $name, )+ }
        impl Field {
            /// The field's name in stored facts and on the Events page.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $( Self::$name => $text, )+ } }
            /// How readings of this field merge.
            #[must_use]
            pub const fn class(self) -> MergeClass { match self { $( Self::$name => $class, )+ } }
        }
    };
}

/// The most words that a union keeps.
pub const UNION_MAX: usize = 16;

/// Refund states, weakest first.
pub const REFUND_RANK: &[&str] = &["pending", "requires_action", "succeeded", "canceled", "failed"];
/// Dispute states by stages: the bank asks, is content, takes the money, decides. An appeal may follow what was lost, so
/// of the last stage the last word counts.
pub const DISPUTE_STAGES: &[&[&str]] = &[
    &["warning_needs_response", "warning_under_review"],
    &["warning_closed"],
    &["needs_response", "under_review"],
    &["charge_refunded", "prevented", "lost", "appeal_needs_response", "appeal_under_review", "won"],
];
/// Credit note states, weakest first.
pub const CREDIT_NOTE_RANK: &[&str] = &["issued", "void"];
/// Invoice states, weakest first: a paid invoice cannot be voided.
pub const INVOICE_RANK: &[&str] = &["draft", "open", "uncollectible", "void", "paid"];
/// States of a session's payment, weakest first.
pub const SESSION_RANK: &[&str] = &["unpaid", "no_payment_required", "paid"];
/// States of a charge, weakest first.
pub const CHARGE_RANK: &[&str] = &["pending", "failed", "succeeded"];
/// States of a PaymentIntent, weakest first.
pub const INTENT_RANK: &[&str] = &[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded",
];
/// States of an invoice payment, weakest first.
pub const INVOICE_PAYMENT_RANK: &[&str] = &["open", "canceled", "paid"];

fields! {
    /// When Stripe made the object (ms UTC).
    Created = "created", MergeClass::Last;
    /// ISO 4217, lower case.
    Currency = "currency", MergeClass::Last;
    /// The Stripe customer (`cus_…`), or the account that stands for one; null for a guest.
    Customer = "customer", MergeClass::Last;
    /// HMAC of the normalised e-mail address under the workspace's key, hex.
    EmailHash = "email_hash", MergeClass::Last;
    /// `metadata.partner_key` of the object.
    PartnerKey = "partner_key", MergeClass::Last;
    /// `metadata.customer_key` of the object.
    CustomerKey = "customer_key", MergeClass::Last;
    /// `metadata.partner_key` of the subscription that an invoice belongs to.
    SubscriptionPartnerKey = "subscription_partner_key", MergeClass::Last;
    /// `metadata.customer_key` of the subscription that an invoice belongs to.
    SubscriptionCustomerKey = "subscription_customer_key", MergeClass::Last;
    /// The subscription (`sub_…`); never joins sales.
    Subscription = "subscription", MergeClass::Last;
    /// The invoice that the object names. Null (not absent) means that Stripe said there is none.
    Invoice = "invoice", MergeClass::Last;
    /// The PaymentIntent that the object names.
    PaymentIntent = "payment_intent", MergeClass::Last;
    /// The charge that the object names.
    Charge = "charge", MergeClass::Last;
    /// The latest charge of a PaymentIntent.
    LatestCharge = "latest_charge", MergeClass::Last;

    /// Session: what the merchant's page passed along.
    ClientReferenceId = "client_reference_id", MergeClass::Last;
    /// Session: `payment`, `subscription` or `setup`.
    Mode = "mode", MergeClass::Last;
    /// Session: see [`SESSION_RANK`].
    PaymentStatus = "payment_status", MergeClass::Rank(SESSION_RANK);
    /// Session: total in minor units, tax and shipping included, discount taken off.
    AmountTotal = "amount_total", MergeClass::Last;
    /// Session: tax in minor units (on goods and shipping).
    AmountTax = "amount_tax", MergeClass::Last;
    /// Session: shipping in minor units, excluding tax.
    AmountShipping = "amount_shipping", MergeClass::Last;
    /// Session and invoice: discount in minor units, for the explanation only.
    AmountDiscount = "amount_discount", MergeClass::Last;
    /// Session: the Payment Link (`plink_…`) behind it.
    PaymentLink = "payment_link", MergeClass::Last;
    /// Session, invoice, subscription, customer: the promotion codes (`promo_…`) used, with spaces between.
    PromotionCode = "promotion_code", MergeClass::Last;
    /// Subscription and customer: since when the discount holds (ms UTC).
    PromotionCodeAt = "promotion_code_at", MergeClass::Last;
    /// Invoice and session: there is a discount, and this shape does not say by which code (a flag).
    CodesHidden = "codes_hidden", MergeClass::Greatest;
    /// Invoice and session: a shape that shows codes was read (a flag).
    CodesRead = "codes_read", MergeClass::Greatest;
    /// Promotion code: its text, in capital letters.
    Code = "code", MergeClass::Last;
    /// Invoice: `metadata.partner_key` of a line.
    LinePartnerKey = "line_partner_key", MergeClass::Last;
    /// Invoice: `metadata.customer_key` of a line.
    LineCustomerKey = "line_customer_key", MergeClass::Last;
    /// Customer: HMACs of all e-mail addresses that it ever had, with spaces between.
    EmailsSeen = "emails_seen", MergeClass::Union;

    /// Invoice: see [`INVOICE_RANK`].
    InvoiceStatus = "invoice_status", MergeClass::Rank(INVOICE_RANK);
    /// Invoice and invoice payment: paid in minor units.
    AmountPaid = "amount_paid", MergeClass::Greatest;
    /// Invoice: total in minor units, tax included.
    Total = "total", MergeClass::Last;
    /// Invoice: total without tax, minor units.
    TotalExcludingTax = "total_excluding_tax", MergeClass::Last;
    /// Invoice: sum of all taxes, minor units; absent when the shape does not say.
    TaxTotal = "tax_total", MergeClass::Last;
    /// Invoice: shipping without tax, minor units; 0 when the shape has none.
    ShippingExcludingTax = "shipping_excluding_tax", MergeClass::Last;
    /// Invoice: when it was paid (ms UTC).
    PaidAt = "paid_at", MergeClass::Last;
    /// Invoice: why it was made (`subscription_create`, `subscription_cycle`, `manual`, …).
    BillingReason = "billing_reason", MergeClass::Last;

    /// Charge, refund, API transaction: amount in minor units.
    Amount = "amount", MergeClass::Last;
    /// Charge: captured in minor units.
    AmountCaptured = "amount_captured", MergeClass::Greatest;
    /// Charge: refunded in minor units, the highest total seen.
    AmountRefunded = "amount_refunded", MergeClass::Greatest;
    /// Charge: refunded in minor units by the newest snapshot: a refund that failed has left it again.
    AmountRefundedNow = "amount_refunded_now", MergeClass::Last;
    /// Charge: see [`CHARGE_RANK`].
    ChargeStatus = "charge_status", MergeClass::Rank(CHARGE_RANK);
    /// PaymentIntent: received in minor units.
    AmountReceived = "amount_received", MergeClass::Greatest;
    /// PaymentIntent: see [`INTENT_RANK`].
    IntentStatus = "intent_status", MergeClass::Rank(INTENT_RANK);
    /// Invoice payment: see [`INVOICE_PAYMENT_RANK`].
    InvoicePaymentStatus = "invoice_payment_status", MergeClass::Rank(INVOICE_PAYMENT_RANK);
    /// Refund: see [`REFUND_RANK`].
    RefundStatus = "refund_status", MergeClass::Rank(REFUND_RANK);

    /// Charge: did the buyer's bank ever ask for it back (a flag)?
    Disputed = "disputed", MergeClass::Greatest;
    /// Charge: the balance transaction (`txn_…`) that has its fee. Refund: the one that moved its money; a release has
    /// none. Names it, joins nothing.
    BalanceTransaction = "balance_transaction", MergeClass::Last;
    /// Dispute: see [`DISPUTE_STAGES`].
    DisputeStatus = "dispute_status", MergeClass::Stages(DISPUTE_STAGES);
    /// Dispute: the bank's reason, for the explanation only.
    DisputeReason = "dispute_reason", MergeClass::Last;
    /// Balance transaction: the dispute that it moved money for.
    Dispute = "dispute", MergeClass::Last;
    /// Balance transaction: Stripe's fee in minor units of the balance transaction's own currency.
    Fee = "fee", MergeClass::Last;
    /// Balance transaction: the rate from the payment's currency to its own, as Stripe wrote it (a decimal text).
    ExchangeRate = "exchange_rate", MergeClass::Last;
    /// Charge: its disputes were listed to the end (ms UTC of the answer).
    DisputesListedAt = "disputes_listed_at", MergeClass::Greatest;

    /// Credit note: see [`CREDIT_NOTE_RANK`].
    CreditStatus = "credit_status", MergeClass::Rank(CREDIT_NOTE_RANK);
    /// Credit note: the part that lowered what was still to be paid, minor units.
    PrePayment = "pre_payment", MergeClass::Last;
    /// Credit note: the part that was given back outside of Stripe, minor units.
    OutOfBand = "out_of_band", MergeClass::Last;

    /// Invoice: what was due, minor units.
    AmountDue = "amount_due", MergeClass::Last;
    /// Invoice: what was paid outside of Stripe, minor units.
    PaidOffStripe = "paid_off_stripe", MergeClass::Greatest;
    /// Invoice: marked as paid outside of Stripe (a flag).
    PaidOutOfBand = "paid_out_of_band", MergeClass::Greatest;
    /// Invoice: a source that saw it paid said how much came outside of Stripe, or whether it was marked so (a flag).
    OffStripeTold = "off_stripe_told", MergeClass::Greatest;
    /// Invoice payment: what it was paid with (`payment_intent`, `charge`, `payment_record`, …).
    PaymentType = "payment_type", MergeClass::Last;

    /// Invoice and session: tax on the shipping, minor units.
    ShippingTax = "shipping_tax", MergeClass::Last;
    /// Invoice: its lines where the object shows all of them, as JSON: `[[id, product, net, tax], …]` in minor units.
    Lines = "lines", MergeClass::Last;
    /// Invoice and session: the lines were listed to the end (ms UTC of the answer).
    LinesListedAt = "lines_listed_at", MergeClass::Greatest;
    /// Line: the session that it belongs to.
    Session = "session", MergeClass::Last;
    /// Line: the product (`prod_…`).
    Product = "product", MergeClass::Last;

    /// Session and charge: what the buyer saw, minor units of the currency that the buyer saw.
    PresentmentAmount = "presentment_amount", MergeClass::Last;
    /// Session and charge: the currency that the buyer saw, lower case.
    PresentmentCurrency = "presentment_currency", MergeClass::Last;

    /// Customer: deleted at Stripe (a flag that never falls).
    Deleted = "deleted", MergeClass::Greatest;
    /// Stripe answered 404 for this id (a flag).
    Missing = "missing", MergeClass::Greatest;
    /// PaymentIntent: the look-up of its invoice payments was answered with an empty list (a flag).
    NoInvoicePayment = "no_invoice_payment", MergeClass::Greatest;
    /// PaymentIntent: the look-up of its checkout sessions was answered with an empty list (a flag).
    NoSession = "no_session", MergeClass::Greatest;
    /// Charge: its refunds were listed to the end (ms UTC of the answer).
    RefundsListedAt = "refunds_listed_at", MergeClass::Greatest;

    /// API transaction: the customer (our id) that it was written for.
    ApiCustomer = "api_customer", MergeClass::Last;
    /// API transaction: the reward set by the caller, minor units.
    ApiReward = "api_reward", MergeClass::Last;
    /// API transaction: may it earn? (a flag, 1 by default)
    ApiRewardable = "api_rewardable", MergeClass::Last;
    /// API transaction: the Stripe object id that its key is, if it is one.
    ApiStripeId = "api_stripe_id", MergeClass::Last;
}

impl Field {
    /// Does it say who a person is?
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(
            self,
            Self::EmailHash
                | Self::EmailsSeen
                | Self::CustomerKey
                | Self::LineCustomerKey
                | Self::SubscriptionCustomerKey
                | Self::ClientReferenceId
        )
    }
}

/// The value of a field. `Null` is something that the source said; an absent field is something it did not say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Said to be nothing.
    Null,
    /// A whole number: minor units, milliseconds, or a flag (0 or 1).
    Int(i64),
    /// Anything else.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What one source (an event or an observation) said about one object at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The object's kind.
    pub kind: Kind,
    /// The object's Stripe id.
    pub object_id: String,
    /// Stripe's time of the snapshot, ms UTC: the event's `created`, or the time of the answer of a fetch.
    pub at: i64,
    /// What was said. A field that is not here was not said.
    pub fields: BTreeMap<Field, Value>,
}

impl Fact {
    /// An empty fact.
    #[must_use]
    pub fn new(kind: Kind, object_id: impl Into<String>, at: i64) -> Self {
        Self { kind, object_id: object_id.into(), at, fields: BTreeMap::new() }
    }

    /// Adds a field that the source said.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.fields.insert(field, value.into());
        self
    }

    /// Takes away what says who a person is; answers whether there was anything.
    pub fn redact(&mut self) -> bool {
        let before = self.fields.len();
        self.fields.retain(|field, _| !field.is_personal());
        self.fields.len() != before
    }

    /// Adds a field that the source said.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        self.fields.insert(field, value.into());
    }
}
