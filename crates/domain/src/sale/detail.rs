//! What some terms look at and others do not: the fee, the lines, what was paid outside of Stripe.

use serde::{Deserialize, Serialize};

/// Parts of a sale beyond its figures. Amounts are minor units of the sale's currency unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Detail {
    /// Tax on the shipping, within the tax.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shipping_tax: i64,
    /// Of what was paid, what came outside of Stripe.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub off_stripe: i64,
    /// No source has said how much came outside of Stripe.
    #[serde(default, skip_serializing_if = "is_false")]
    pub off_unknown: bool,
    /// The same where it counts among the captured.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub off_captured: i64,
    /// Of the refunded, what was given back outside of Stripe.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub credited: i64,
    /// Stripe's fees, one for each captured charge; `None` while one of them is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fees: Option<Vec<Fee>>,
    /// What was bought, line by line; `None` while that is not known, empty where nobody says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<Line>>,
}

/// What Stripe kept of one charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// The charge.
    pub charge: String,
    /// The fee in minor units of the settlement currency.
    pub fee: i64,
    /// The settlement currency, lower case.
    pub currency: String,
    /// The whole charge in minor units of the settlement currency; not above 0: the fee cannot be converted.
    pub of: i64,
    /// The charge in minor units of the sale's currency: `part × share.0 / share.1`.
    pub part: i64,
    /// See `part`.
    pub share: (i64, i64),
}

/// One line of an invoice or a session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// Stripe's id of the line; breaks ties.
    pub id: String,
    /// The product (`prod_…`), or empty where the line names none.
    pub product: String,
    /// Without tax, its discounts taken off; below 0 for a credit.
    pub net: i64,
    /// Its tax.
    pub tax: i64,
}

/// What the terms of the programs at hand look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    /// Stripe's fee.
    pub fees: bool,
    /// The lines.
    pub lines: bool,
    /// What was paid outside of Stripe.
    pub off_stripe: bool,
}

impl Wants {
    /// What either wants.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            fees: self.fees || other.fees,
            lines: self.lines || other.lines,
            off_stripe: self.off_stripe || other.off_stripe,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
