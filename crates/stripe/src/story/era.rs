//! The eras, and the shape of each resource in them.

use serde_json::Value;

/// An era of Stripe's API, by what its objects look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Era {
    /// 2020-08-27: embedded charges and refunds, no invoice on sessions.
    Y2020,
    /// 2022-11-15
    Y2022,
    /// 2023-10-16: copies of the subscription's details on invoices.
    Y2023,
    /// 2024-06-20
    Y2024,
    /// 2024-12-18.acacia: refund events for all refunds.
    Acacia,
    /// 2025-02-24.acacia: discounts on sessions.
    LateAcacia,
    /// 2025-03-31.basil: invoice payments, no links from charge to invoice.
    Basil,
    /// 2025-09-30.clover: customer accounts.
    Clover,
    /// 2026-03-25.dahlia
    Dahlia,
}

impl Era {
    /// All nine, oldest first.
    pub const ALL: [Self; 9] = [
        Self::Y2020,
        Self::Y2022,
        Self::Y2023,
        Self::Y2024,
        Self::Acacia,
        Self::LateAcacia,
        Self::Basil,
        Self::Clover,
        Self::Dahlia,
    ];

    /// The `api_version` of its events.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Y2020 => "2020-08-27",
            Self::Y2022 => "2022-11-15",
            Self::Y2023 => "2023-10-16",
            Self::Y2024 => "2024-06-20",
            Self::Acacia => "2024-12-18.acacia",
            Self::LateAcacia => "2025-02-24.acacia",
            Self::Basil => "2025-03-31.basil",
            Self::Clover => "2025-09-30.clover",
            Self::Dahlia => "2026-03-25.dahlia",
        }
    }

    /// Do charges list their refunds unasked?
    #[must_use]
    pub fn embeds_refunds(self) -> bool {
        self < Self::Y2022
    }

    /// Are there `refund.created` events for all refunds?
    #[must_use]
    pub fn has_refund_events(self) -> bool {
        self >= Self::Acacia
    }

    /// Are invoices joined to payments by invoice payments only?
    #[must_use]
    pub fn has_invoice_payments(self) -> bool {
        self >= Self::Basil
    }

    /// The shape of a resource (`charge`, `checkout.session`, …); null if the era has none.
    #[must_use]
    pub fn shape(self, resource: &str) -> Value {
        let text = match self {
            Self::Y2020 => include_str!("../../fixtures/2020-08-27.json"),
            Self::Y2022 => include_str!("../../fixtures/2022-11-15.json"),
            Self::Y2023 => include_str!("../../fixtures/2023-10-16.json"),
            Self::Y2024 => include_str!("../../fixtures/2024-06-20.json"),
            Self::Acacia => include_str!("../../fixtures/2024-12-18-acacia.json"),
            Self::LateAcacia => include_str!("../../fixtures/2025-02-24-acacia.json"),
            Self::Basil => include_str!("../../fixtures/2025-03-31-basil.json"),
            Self::Clover => include_str!("../../fixtures/2025-09-30-clover.json"),
            Self::Dahlia => include_str!("../../fixtures/2026-03-25-dahlia.json"),
        };
        let mut all: Value = serde_json::from_str(text).unwrap_or_default();
        all.get_mut(resource).map(Value::take).unwrap_or_default()
    }
}
