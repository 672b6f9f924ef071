//! Subscriptions: begun, renewed, changed, ended.

use serde_json::{Value, json};

use super::{Player, id};
use crate::error::Res;
use crate::flows::subscription;
use crate::params;

impl Player<'_> {
    fn price(&mut self) -> Res<String> {
        let interval = ["month", "month", "week", "year"][usize::try_from(self.roll(4)).unwrap_or(0)];
        let given = json!({
            "currency": self.currency,
            "unit_amount": self.amount(),
            "recurring": { "interval": interval },
            "product_data": { "name": "Plan" },
        });
        self.api("PostPrices", "", given).map(|made| id(&made))
    }

    /// The same interval for all prices of one subscription.
    pub(super) fn monthly(&mut self) -> Res<String> {
        let given = json!({
            "currency": self.currency,
            "unit_amount": self.amount(),
            "recurring": { "interval": "month" },
            "product_data": { "name": "More" },
        });
        self.api("PostPrices", "", given).map(|made| id(&made))
    }

    fn discount(&mut self) -> Res<Option<Value>> {
        if !self.often(30) {
            return Ok(None);
        }
        let duration = ["once", "repeating", "forever"][usize::try_from(self.roll(3)).unwrap_or(0)];
        Ok(Some(json!([{ "coupon": self.coupon(duration)? }])))
    }

    /// Through checkout, with the partner as reference or in the metadata; some begin with a trial or a set-up fee.
    pub(super) fn subscribes_at_checkout(&mut self) -> Res<()> {
        let mut items = vec![json!({ "price": self.monthly()?, "quantity": 1 + self.roll(3) })];
        if self.often(30) {
            items.push(json!({ "price": self.monthly()?, "quantity": 1 }));
        }
        if self.often(20) {
            let data = json!({ "currency": self.currency, "unit_amount": self.amount(), "product_data": { "name": "Set-up" } });
            items.push(json!({ "price_data": data, "quantity": 1 }));
        }
        let mut given = json!({ "mode": "subscription", "line_items": items, "success_url": "https://shop.example/thanks" });
        if self.often(70) {
            if let Some(partner) = &self.partner {
                given["client_reference_id"] = json!(partner);
            }
        } else {
            given["subscription_data"] = json!({ "metadata": self.named() });
        }
        if self.often(20) {
            given["subscription_data"]["trial_period_days"] = json!(7);
        }
        if let Some(discount) = self.discount()? {
            given["discounts"] = discount;
        }
        let session = self.api("PostCheckoutSessions", "", given).map(|made| id(&made))?;
        let later = self.often(10);
        let mut paid = self.pay(&session, later)?;
        if params::text(&paid, "payment_status") == Some("unpaid") {
            let arrives = self.often(70);
            self.pause();
            paid = crate::flows::checkout::answer_late(self.world, &session, arrives)?;
            if !arrives {
                return Ok(());
            }
        }
        if let Some(invoice) = params::owned(&paid, "invoice") {
            self.after_invoice(&invoice)?;
        }
        params::owned(&paid, "subscription").map_or(Ok(()), |s| self.lives_on(&s))
    }

    /// By the merchant's server, for a customer who knows the partner.
    pub(super) fn subscribes_by_server(&mut self) -> Res<()> {
        let tells = self.often(50);
        let customer = self.customer(tells)?;
        let mut given = json!({ "customer": customer, "items": [{ "price": self.price()?, "quantity": 1 + self.roll(4) }] });
        if !tells {
            given["metadata"] = self.named();
        }
        if self.often(20) {
            given["trial_period_days"] = json!(14);
        }
        if let Some(discount) = self.discount()? {
            given["discounts"] = discount;
        }
        let made = self.api("PostSubscriptions", "", given)?;
        if let Some(invoice) = params::owned(&made, "latest_invoice") {
            self.after_invoice(&invoice)?;
        }
        self.lives_on(&id(&made))
    }

    /// Renewals and changes, perhaps an end.
    fn lives_on(&mut self, subscription: &str) -> Res<()> {
        for _ in 0..=self.roll(4) {
            if self.often(30) {
                self.changes(subscription)?;
            }
            self.pause();
            let invoice = subscription::renew(self.world, subscription, false)?;
            self.after_invoice(&invoice)?;
        }
        if self.often(20) {
            self.api("DeleteSubscriptionsSubscriptionExposedId", subscription, json!({}))?;
        }
        Ok(())
    }

    /// Another price, number or interval, somewhere in the period.
    fn changes(&mut self, subscription: &str) -> Res<()> {
        let found = self.world.live("subscription", subscription, "id")?;
        let items = params::list(&found, "items.data").to_vec();
        let Some(item) = items.first() else { return Ok(()) };
        let mut turn = json!({ "id": item["id"] });
        if self.often(60) {
            // Where there are several items, all must keep one interval.
            let price = if items.len() > 1 { self.monthly()? } else { self.price()? };
            turn["price"] = json!(price);
        }
        turn["quantity"] = json!(1 + self.roll(5));
        let (start, end) =
            (params::int0(item, "current_period_start"), params::int0(item, "current_period_end"));
        let at =
            start + i64::try_from(self.roll(u64::try_from(end - start).unwrap_or(1).max(1))).unwrap_or(0);
        let how = ["always_invoice", "always_invoice", "create_prorations", "none"]
            [usize::try_from(self.roll(4)).unwrap_or(0)];
        let given = json!({ "items": [turn], "proration_behavior": how, "proration_date": at });
        let after = self.api("PostSubscriptionsSubscriptionExposedId", subscription, given)?;
        match params::owned(&after, "latest_invoice") {
            Some(invoice) if how == "always_invoice" => self.after_invoice(&invoice),
            _ => Ok(()),
        }
    }
}
