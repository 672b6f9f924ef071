//! Buyers whom a partner's promotion code brought, and buyers of whom it is told late.

use serde_json::{Value, json};

use super::{Player, id};
use crate::error::Res;
use crate::flows::{checkout, subscription};
use crate::params;

/// The text of a partner's promotion code.
pub fn code_of(partner: &str) -> String {
    format!("CODE-{partner}")
}

impl Player<'_> {
    /// The id of a partner's promotion code: 15 % off, once; made when it is first used.
    fn promotion(&mut self, partner: &str) -> Res<String> {
        let code = code_of(partner);
        let known = self.world.newest("promotion_code").find(|one| params::text(one, "code") == Some(&code));
        if let Some(known) = known.and_then(|one| params::owned(one, "id")) {
            return Ok(known);
        }
        let coupon = self.api("PostCoupons", "", json!({ "duration": "once", "percent_off": 15 }))?;
        let given = json!({ "promotion": { "type": "coupon", "coupon": coupon["id"] }, "code": code });
        self.api("PostPromotionCodes", "", given).map(|made| id(&made))
    }

    fn discounts(&mut self, partner: &str) -> Res<Value> {
        Ok(json!([{ "promotion_code": self.promotion(partner)? }]))
    }

    /// Another partner than the present buyer's.
    fn rival(&mut self) -> Option<String> {
        let others: Vec<&String> =
            self.partners.iter().filter(|one| Some(*one) != self.partner.as_ref()).collect();
        others.first().map(|one| (*one).clone())
    }

    /// A purchase with a partner's code: typed on the page of a payment link, without a reference; in a checkout without
    /// one; or beside the reference of another partner, which goes first.
    pub(super) fn coded(&mut self) -> Res<()> {
        let Some(partner) = self.partner.clone() else { return self.guest() };
        let paid = match self.roll(3) {
            0 => {
                let amount = self.amount();
                let price = json!({ "currency": self.currency, "unit_amount": amount, "product_data": { "name": "Handbook" } });
                let price = self.api("PostPrices", "", price).map(|made| id(&made))?;
                let link = json!({ "line_items": [{ "price": price, "quantity": 1 }], "customer_creation": "always",
                    "allow_promotion_codes": true });
                let link = self.api("PostPaymentLinks", "", link).map(|made| id(&made))?;
                self.promotion(&partner)?;
                let (email, code) = (self.email(), code_of(&partner));
                let session = checkout::open_link(self.world, &link, None, Some(&email), Some(&code))?;
                self.pay(&session, false)?
            }
            1 => {
                let mut given = self.basket();
                params_without_reference(&mut given);
                given["discounts"] = self.discounts(&partner)?;
                if self.often(30) {
                    given["invoice_creation"] = json!({ "enabled": true });
                }
                let session = self.api("PostCheckoutSessions", "", given)?;
                self.pay(&id(&session), false)?
            }
            _ => {
                let mut given = self.basket();
                if let Some(rival) = self.rival() {
                    given["discounts"] = self.discounts(&rival)?;
                }
                let session = self.api("PostCheckoutSessions", "", given)?;
                self.pay(&id(&session), false)?
            }
        };
        self.after(&paid)
    }

    /// A subscription that a code brought; or of one partner's customer who uses the code of another for the first invoice.
    pub(super) fn coded_subscription(&mut self) -> Res<()> {
        let Some(partner) = self.partner.clone() else { return self.subscribes_by_server() };
        let price = self.monthly()?;
        let made = match self.roll(3) {
            0 => {
                let given = json!({ "mode": "subscription", "line_items": [{ "price": price, "quantity": 2 }],
                    "success_url": "https://shop.example/thanks", "discounts": self.discounts(&partner)? });
                let session = self.api("PostCheckoutSessions", "", given)?;
                let paid = self.pay(&id(&session), false)?;
                params::owned(&paid, "subscription").unwrap_or_default()
            }
            1 => {
                let customer = self.customer(false)?;
                let given = json!({ "customer": customer, "items": [{ "price": price, "quantity": 1 }],
                    "discounts": self.discounts(&partner)? });
                self.api("PostSubscriptions", "", given).map(|made| id(&made))?
            }
            _ => {
                let customer = self.customer(true)?;
                let mut given = json!({ "customer": customer, "items": [{ "price": price, "quantity": 1 }] });
                if let Some(rival) = self.rival() {
                    given["discounts"] = self.discounts(&rival)?;
                }
                self.api("PostSubscriptions", "", given).map(|made| id(&made))?
            }
        };
        for _ in 0..=self.roll(2) {
            self.pause();
            let invoice = subscription::renew(self.world, &made, false)?;
            self.after_invoice(&invoice)?;
        }
        Ok(())
    }

    /// Paid for a while; only then does the merchant's server write who brought the customer.
    pub(super) fn told_late(&mut self) -> Res<()> {
        let customer = self.customer(false)?;
        let price = self.monthly()?;
        let given = json!({ "customer": customer, "items": [{ "price": price, "quantity": 1 }] });
        let made = self.api("PostSubscriptions", "", given).map(|made| id(&made))?;
        for _ in 0..=self.roll(2) {
            self.pause();
            let invoice = subscription::renew(self.world, &made, false)?;
            self.after_invoice(&invoice)?;
        }
        self.pause();
        let metadata = self.named();
        self.api("PostCustomersCustomer", &customer, json!({ "metadata": metadata })).map(|_| ())
    }
}

fn params_without_reference(given: &mut Value) {
    if let Some(fields) = given.as_object_mut() {
        fields.remove("client_reference_id");
    }
}
