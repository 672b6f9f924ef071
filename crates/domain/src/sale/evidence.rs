//! Reasons to attribute, as the objects of a purchase and its buyer carry them.

use serde::{Deserialize, Serialize};

/// A reason to attribute that a Stripe object carries, before its value is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RawEvidence {
    /// When it took effect, ms UTC: Stripe's time of the object that carries it.
    pub effective_at: i64,
    /// The object that carries it; breaks ties in time.
    pub object_id: String,
    /// What it is.
    pub kind: EvidenceKind,
    /// What it says: a key or an id.
    pub value: String,
}

/// What a reason to attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// `metadata.partner_key` on an object of the purchase.
    PartnerMetadata,
    /// `metadata.customer_key` on an object of the purchase or on the Stripe customer.
    CustomerMetadata,
    /// `client_reference_id` of a session.
    ClientReference,
    /// `metadata.partner_key` on the Stripe customer.
    CustomerPartnerMetadata,
    /// The customer was created through our API with this partner.
    SignUp,
    /// The customer's key with us is the Stripe customer's id.
    StripeId,
    /// The same e-mail address.
    Email,
    /// An API transaction named the customer.
    Api,
    /// A click on a referral link: the visit that `client_reference_id` of a session names.
    Visit,
    /// The script in a browser told of a sign-up with this partner.
    BrowserSignUp,
    /// A promotion code that was used in the purchase: its id (`promo_…`).
    PromotionCode,
    /// A promotion code on the Stripe customer or the subscription: its id (`promo_…`).
    StandingCode,
    /// `metadata.partner_key` on the subscription itself.
    SubscriptionMetadata,
}

impl EvidenceKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::PartnerMetadata,
        Self::CustomerMetadata,
        Self::ClientReference,
        Self::CustomerPartnerMetadata,
        Self::SignUp,
        Self::StripeId,
        Self::Email,
        Self::Api,
        Self::Visit,
        Self::BrowserSignUp,
        Self::PromotionCode,
        Self::StandingCode,
        Self::SubscriptionMetadata,
    ];

    /// The text kept in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PartnerMetadata => "partner_metadata",
            Self::CustomerMetadata => "customer_metadata",
            Self::ClientReference => "client_reference",
            Self::CustomerPartnerMetadata => "customer_partner_metadata",
            Self::SignUp => "sign_up",
            Self::StripeId => "stripe_id",
            Self::Email => "email",
            Self::Api => "api",
            Self::Visit => "visit",
            Self::BrowserSignUp => "browser_sign_up",
            Self::PromotionCode => "promotion_code",
            Self::StandingCode => "standing_code",
            Self::SubscriptionMetadata => "subscription_metadata",
        }
    }

    /// What it is, in words for a page.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::PartnerMetadata => "partner_key in the metadata of the payment",
            Self::CustomerMetadata => "customer_key in the metadata",
            Self::ClientReference => "client_reference_id of the checkout",
            Self::CustomerPartnerMetadata => "partner_key in the metadata of the Stripe customer",
            Self::SignUp => "sign-up with the partner's key",
            Self::StripeId => "the customer's key is the Stripe customer's id",
            Self::Email => "the same e-mail address",
            Self::Api => "named by the API transaction",
            Self::Visit => "click on a referral link",
            Self::BrowserSignUp => "sign-up in the browser",
            Self::PromotionCode => "promotion code",
            Self::StandingCode => "promotion code on the customer or subscription",
            Self::SubscriptionMetadata => "partner_key in the metadata of the subscription",
        }
    }
}
