//! The lists of an account that are read from end to end, in the order in which an import reads them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tributary_domain::fact::Kind;

/// A list of Stripe's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Buyers.
    Customers,
    /// Completed checkout sessions.
    Sessions,
    /// Invoices.
    Invoices,
    /// What joins invoices to their payments.
    InvoicePayments,
    /// PaymentIntents.
    PaymentIntents,
    /// Charges.
    Charges,
    /// Refunds.
    Refunds,
    /// Disputes.
    Disputes,
    /// Credit notes.
    CreditNotes,
    /// Subscriptions, ended ones too: their metadata says who brought the customer.
    Subscriptions,
}

impl List {
    /// All of them. What names a purchase as a whole comes before its parts, so that a charge finds its sale.
    pub const ALL: [Self; 10] = [
        Self::Customers,
        Self::Sessions,
        Self::Invoices,
        Self::InvoicePayments,
        Self::PaymentIntents,
        Self::Charges,
        Self::Refunds,
        Self::Disputes,
        Self::CreditNotes,
        Self::Subscriptions,
    ];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Sessions => "sessions",
            Self::Invoices => "invoices",
            Self::InvoicePayments => "invoice_payments",
            Self::PaymentIntents => "payment_intents",
            Self::Charges => "charges",
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
            Self::CreditNotes => "credit_notes",
            Self::Subscriptions => "subscriptions",
        }
    }

    /// Words for a person.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Sessions => "checkout sessions",
            Self::Invoices => "invoices",
            Self::InvoicePayments => "invoice payments",
            Self::PaymentIntents => "payment intents",
            Self::Charges => "charges",
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
            Self::CreditNotes => "credit notes",
            Self::Subscriptions => "subscriptions",
        }
    }

    /// Reads the word of the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.as_str() == text)
    }

    /// Its address.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Customers => "/v1/customers",
            Self::Sessions => "/v1/checkout/sessions",
            Self::Invoices => "/v1/invoices",
            Self::InvoicePayments => "/v1/invoice_payments",
            Self::PaymentIntents => "/v1/payment_intents",
            Self::Charges => "/v1/charges",
            Self::Refunds => "/v1/refunds",
            Self::Disputes => "/v1/disputes",
            Self::CreditNotes => "/v1/credit_notes",
            Self::Subscriptions => "/v1/subscriptions",
        }
    }

    /// The status that is asked for. An open or expired session sold nothing.
    #[must_use]
    pub(crate) const fn status(self) -> Option<&'static str> {
        match self {
            Self::Sessions => Some("complete"),
            Self::Subscriptions => Some("all"),
            _ => None,
        }
    }

    /// The kind of its objects; `None` where this version follows none of them.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Customers => Some(Kind::Customer),
            Self::Sessions => Some(Kind::Session),
            Self::Invoices => Some(Kind::Invoice),
            Self::InvoicePayments => Some(Kind::InvoicePayment),
            Self::PaymentIntents => Some(Kind::PaymentIntent),
            Self::Charges => Some(Kind::Charge),
            Self::Refunds => Some(Kind::Refund),
            Self::Disputes => Kind::parse("dispute"),
            Self::CreditNotes => Kind::parse("credit_note"),
            Self::Subscriptions => Some(Kind::Subscription),
        }
    }

    /// Can an import do without it, where the key may not read it or the API does not have it?
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::Customers | Self::PaymentIntents | Self::Disputes | Self::CreditNotes | Self::Subscriptions
        )
    }

    /// May an object of the list have moved money? Events come only of those that did, and an import must not know
    /// more than they say: what was never paid is left out.
    pub(crate) fn takes(self, item: &RawValue) -> bool {
        #[derive(Deserialize)]
        struct State<'a> {
            #[serde(borrow, default)]
            status: Option<std::borrow::Cow<'a, str>>,
            #[serde(default)]
            amount_paid: Option<i64>,
        }
        let Ok(State { status, amount_paid }) = serde_json::from_str::<State<'_>>(item.get()) else {
            // Oddly shaped: the projection looks at it and remarks on it.
            return true;
        };
        let is = |wanted: &[&str]| status.as_deref().is_none_or(|status| wanted.contains(&status));
        match self {
            Self::Sessions => is(&["complete"]),
            Self::Invoices => is(&["paid"]) || amount_paid.is_some_and(|paid| paid > 0),
            Self::InvoicePayments => is(&["paid"]),
            Self::PaymentIntents => is(&["succeeded"]),
            Self::Charges => is(&["succeeded"]),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(list: List, item: &str) -> bool {
        list.takes(serde_json::from_str(item).unwrap())
    }

    #[test]
    fn only_what_moved_money_is_taken() {
        assert!(takes(List::Invoices, r#"{"status":"paid","amount_paid":5}"#));
        assert!(takes(List::Invoices, r#"{"status":"uncollectible","amount_paid":5}"#));
        assert!(!takes(List::Invoices, r#"{"status":"open","amount_paid":0}"#));
        assert!(!takes(List::Charges, r#"{"status":"failed"}"#));
        assert!(takes(List::Charges, r#"{"object":"charge"}"#), "what does not say is looked at");
        assert!(takes(List::Refunds, r#"{"status":"failed"}"#), "a failed refund takes back a refund");
        assert!(takes(List::Charges, r#"{"status":7}"#));
    }

    #[test]
    fn every_list_is_read_back_by_its_word() {
        for list in List::ALL {
            assert_eq!(List::parse(list.as_str()), Some(list));
        }
        assert_eq!(List::parse("events"), None);
    }
}
