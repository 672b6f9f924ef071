//! What happens in a story, whatever the era.

/// What happens: who buys, for how much, and what is given back. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// Goes into every id, so that stories can be told side by side.
    pub tag: String,
    /// ISO 4217, lower case.
    pub currency: String,
    /// What each purchase costs, tax included.
    pub total: i64,
    /// The tax within it.
    pub tax: i64,
    /// What is given back of the first purchase; 0 = nothing.
    pub refund: i64,
    /// Passed along by the merchant's page.
    pub client_reference_id: Option<String>,
    /// `metadata.partner_key` of the session.
    pub partner_key: Option<String>,
    /// The buyer's address.
    pub email: String,
    /// Stripe's time of the first purchase, Unix seconds.
    pub start_s: i64,
}

impl Plot {
    /// 120.00 USD with 20.00 tax, half of it given back, partner `ADA` by client reference.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            currency: "usd".to_owned(),
            total: 12_000,
            tax: 2_000,
            refund: 6_000,
            client_reference_id: Some("ADA".to_owned()),
            partner_key: None,
            email: format!("buyer.{tag}@example.com"),
            start_s: 1_780_000_000,
        }
    }

    /// The buyer (`cus_…`).
    #[must_use]
    pub fn customer(&self) -> String {
        format!("cus_{}", self.tag)
    }

    /// The session (`cs_…`).
    #[must_use]
    pub fn session(&self) -> String {
        format!("cs_test_{}", self.tag)
    }

    /// The subscription (`sub_…`).
    #[must_use]
    pub fn subscription(&self) -> String {
        format!("sub_{}", self.tag)
    }

    /// The refund (`re_…`).
    #[must_use]
    pub fn refund_id(&self) -> String {
        format!("re_{}", self.tag)
    }

    /// The n-th purchase, from 1; a month lies between two.
    #[must_use]
    pub fn purchase(&self, n: u8) -> Purchase {
        Purchase {
            invoice: format!("in_{}{n}", self.tag),
            payment_intent: format!("pi_{}{n}", self.tag),
            charge: format!("ch_{}{n}", self.tag),
            invoice_payment: format!("inpay_{}{n}", self.tag),
            at_s: self.start_s + (i64::from(n) - 1) * 30 * 86_400,
            first: n == 1,
        }
    }
}

/// The objects of one purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// `in_…`
    pub invoice: String,
    /// `pi_…`
    pub payment_intent: String,
    /// `ch_…`
    pub charge: String,
    /// `inpay_…`
    pub invoice_payment: String,
    /// When it is paid, Unix seconds.
    pub at_s: i64,
    /// The first, or a renewal?
    pub first: bool,
}
