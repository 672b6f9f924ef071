//! What a sale must know and no source has said.

use serde::{Deserialize, Serialize};

/// Something to ask Stripe for before the sale can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "need", content = "id", rename_all = "snake_case")]
pub enum Need {
    /// The invoice payments and sessions of a PaymentIntent.
    LinksOf(String),
    /// The checkout sessions of a Stripe customer. No sale needs them; asked for beside a purchase that was found by comparing.
    CheckoutsOf(String),
    /// The object itself.
    Object(String),
    /// The refunds of a charge.
    RefundsOf(String),
    /// The promotion codes of an invoice or session that showed only that there are some. Wanted only where a partner
    /// has codes; the sale does not wait for it.
    CodesOf(String),
    /// The disputes of a charge.
    DisputesOf(String),
    /// Stripe's fee on a charge.
    FeeOf(String),
    /// The lines of an invoice or a session.
    LinesOf(String),
}

impl Need {
    /// The id that is asked about.
    #[must_use]
    pub fn id(&self) -> &str {
        let (Self::LinksOf(id)
        | Self::CheckoutsOf(id)
        | Self::Object(id)
        | Self::RefundsOf(id)
        | Self::CodesOf(id)
        | Self::DisputesOf(id)
        | Self::FeeOf(id)
        | Self::LinesOf(id)) = self;
        id
    }
}
