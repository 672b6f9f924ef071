//! `balance_transaction`

use crate::json::{Amount, Millis, Text, view};

view! {
    /// A movement on the merchant's balance (`txn_…`), in the settlement currency.
    BalanceTransaction {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// Before the fee; below 0 where money goes.
        amount: Amount = b"amount",
        /// What Stripe keeps.
        fee: Amount = b"fee",
        /// From the payment's currency to this one: a decimal, as a number or a text.
        exchange_rate: Decimal<'a> = b"exchange_rate",
    }
}

/// A decimal above 0, as it stands in the JSON: no float comes between.
#[derive(Debug, Clone)]
pub struct Decimal<'a>(pub Text<'a>);

impl<'a> crate::json::Read<'a> for Decimal<'a> {
    const WANTED: &'static str = "a decimal above 0 of at most 18 digits";

    fn read(raw: &'a serde_json::value::RawValue, _: &mut crate::json::Notes) -> Option<Self> {
        let text = raw.get().trim_matches('"');
        tributary_domain::money::decimal_parts(text).map(|_| Self(text.into()))
    }
}
