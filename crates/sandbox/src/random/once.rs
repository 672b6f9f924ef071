//! Purchases without an invoice.

use serde_json::{Value, json};

use super::{Player, id};
use crate::error::Res;
use crate::flows::checkout::{self, Payer};
use crate::params;

impl Player<'_> {
    /// What a session for one to three things asks for.
    pub(super) fn basket(&mut self) -> Value {
        let count = 1 + self.roll(3);
        let items: Vec<Value> = (0..count)
            .map(|n| {
                let amount = self.amount();
                let quantity = 1 + self.roll(3);
                let data = json!({
                    "currency": self.currency, "unit_amount": amount, "product_data": { "name": format!("Thing {n}") },
                });
                json!({ "price_data": data, "quantity": quantity })
            })
            .collect();
        let mut given =
            json!({ "mode": "payment", "line_items": items, "success_url": "https://shop.example/thanks" });
        if let Some(partner) = &self.partner {
            given["client_reference_id"] = json!(partner);
        }
        given
    }

    fn payer(&self) -> Payer {
        Payer { email: Some(self.email()), name: Some("Gil Guest".to_owned()), presentment: None }
    }

    /// Pays a session and returns it; `later` by bank debit.
    pub(super) fn pay(&mut self, session: &str, later: bool) -> Res {
        self.pause();
        let payer = self.payer();
        checkout::pay(self.world, session, &payer, later)
    }

    fn charge_of_intent(&self, intent: &str) -> Option<String> {
        params::owned(self.world.get("payment_intent", intent)?, "latest_charge")
    }

    pub(super) fn after(&mut self, paid: &Value) -> Res<()> {
        let charge = params::owned(paid, "payment_intent").and_then(|i| self.charge_of_intent(&i));
        charge.map_or(Ok(()), |charge| self.goes_back(&charge))
    }

    /// A guest, perhaps with an invoice for the one purchase.
    pub(super) fn guest(&mut self) -> Res<()> {
        let mut given = self.basket();
        if self.often(20) {
            given["invoice_creation"] = json!({ "enabled": true });
        } else if self.often(20) {
            given["discounts"] = json!([{ "coupon": self.coupon("once")? }]);
        }
        let session = self.api("PostCheckoutSessions", "", given)?;
        let paid = self.pay(&id(&session), false)?;
        self.after(&paid)
    }

    /// A payment link, perhaps with a promotion code.
    pub(super) fn payment_link(&mut self) -> Res<()> {
        let amount = self.amount();
        let price = json!({ "currency": self.currency, "unit_amount": amount, "product_data": { "name": "Handbook" } });
        let price = self.api("PostPrices", "", price).map(|made| id(&made))?;
        let link = json!({
            "line_items": [{ "price": price, "quantity": 1 }], "customer_creation": "always", "allow_promotion_codes": true,
        });
        let link = self.api("PostPaymentLinks", "", link).map(|made| id(&made))?;
        let code = if self.often(40) { Some(self.code()?) } else { None };
        let (partner, email) = (self.partner.clone(), self.email());
        let session =
            checkout::open_link(self.world, &link, partner.as_deref(), Some(&email), code.as_deref())?;
        let paid = self.pay(&session, false)?;
        self.after(&paid)
    }

    /// Authorised first; captured in part or whole, or let go.
    pub(super) fn held(&mut self) -> Res<()> {
        let mut given = self.basket();
        given["payment_intent_data"] = json!({ "capture_method": "manual" });
        let session = self.api("PostCheckoutSessions", "", given)?;
        let paid = self.pay(&id(&session), false)?;
        let Some(intent) = params::owned(&paid, "payment_intent") else { return Ok(()) };
        if self.often(25) {
            return self.api("PostPaymentIntentsIntentCancel", &intent, json!({})).map(|_| ());
        }
        let whole = params::int0(&paid, "amount_total");
        let part = if self.often(50) { self.some_of(whole) } else { whole };
        self.api("PostPaymentIntentsIntentCapture", &intent, json!({ "amount_to_capture": part }))?;
        self.after(&paid)
    }

    /// A bank debit that arrives, is refused, or never answers.
    pub(super) fn bank_debit(&mut self) -> Res<()> {
        let given = self.basket();
        let session = self.api("PostCheckoutSessions", "", given).map(|made| id(&made))?;
        self.pay(&session, true)?;
        let fate = self.roll(10);
        if fate == 0 {
            return Ok(());
        }
        self.pause();
        let paid = checkout::answer_late(self.world, &session, fate > 3)?;
        if fate > 3 { self.after(&paid) } else { Ok(()) }
    }

    /// A PaymentIntent without a checkout.
    pub(super) fn bare_intent(&mut self) -> Res<()> {
        let mut given = json!({ "amount": self.amount(), "currency": self.currency, "confirm": true });
        given["metadata"] = self.named();
        if self.often(50) {
            given["customer"] = json!(self.customer(false)?);
        } else {
            given["receipt_email"] = json!(self.email());
        }
        let intent = self.api("PostPaymentIntents", "", given)?;
        self.after(&json!({ "payment_intent": intent["id"] }))
    }

    /// A charge as old integrations make it.
    pub(super) fn bare_charge(&mut self) -> Res<()> {
        let customer = self.customer(true)?;
        let given = json!({
            "amount": self.amount(), "currency": self.currency, "customer": customer, "metadata": self.named(),
        });
        let charge = self.api("PostCharges", "", given)?;
        self.goes_back(&id(&charge))
    }

    /// The page showed another currency than the merchant's.
    pub(super) fn other_money(&mut self) -> Res<()> {
        let given = self.basket();
        let session = self.api("PostCheckoutSessions", "", given)?;
        let shown = (params::int0(&session, "amount_total") * 3 / 2 + 7, "cad".to_owned());
        let payer = Payer { presentment: Some(shown), ..self.payer() };
        let paid = checkout::pay(self.world, &id(&session), &payer, false)?;
        self.after(&paid)
    }
}
