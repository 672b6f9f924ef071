//! The objects of a story in the shapes of an era.

use super::{Era, Plot, Purchase};
use serde_json::{Value, json};

/// Builds objects of one plot in one era.
#[derive(Debug, Clone, Copy)]
pub struct Objects<'p> {
    /// The era.
    pub era: Era,
    /// The plot.
    pub plot: &'p Plot,
}

/// Sets fields whatever the shape.
fn set(object: &mut Value, fields: Value) {
    if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
        object.extend(fields);
    }
}

/// Sets fields only where the era's shape has a place for them.
fn fit(object: &mut Value, fields: Value) {
    if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
        for (name, value) in fields {
            if let Some(place) = object.get_mut(&name) {
                *place = value;
            }
        }
    }
}

impl Objects<'_> {
    /// The buyer.
    #[must_use]
    pub fn customer(&self) -> Value {
        let mut object = self.era.shape("customer");
        set(
            &mut object,
            json!({
                "id": self.plot.customer(), "created": self.plot.start_s, "email": self.plot.email,
                "name": "Grace Buyer", "metadata": {}, "discount": null,
            }),
        );
        object
    }

    /// The finished session; with an invoice for a subscription, with a Payment Link for a single purchase.
    #[must_use]
    pub fn session(&self, purchase: &Purchase, subscription: bool) -> Value {
        let (plot, mut object) = (self.plot, self.era.shape("checkout.session"));
        let metadata = plot.partner_key.as_ref().map_or(json!({}), |key| json!({ "partner_key": key }));
        set(
            &mut object,
            json!({
                "id": plot.session(), "created": purchase.at_s - 60, "status": "complete", "payment_status": "paid",
                "mode": if subscription { "subscription" } else { "payment" },
                "currency": plot.currency, "amount_total": plot.total, "amount_subtotal": plot.total - plot.tax,
                "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": plot.tax },
                "client_reference_id": plot.client_reference_id, "metadata": metadata, "customer_email": null,
                "customer_details": { "email": plot.email, "name": "Grace Buyer" },
                "customer": subscription.then(|| plot.customer()),
                "subscription": subscription.then(|| plot.subscription()),
                "payment_intent": (!subscription).then_some(&purchase.payment_intent),
            }),
        );
        fit(
            &mut object,
            json!({
                "invoice": subscription.then_some(&purchase.invoice),
                "payment_link": (!subscription).then(|| format!("plink_{}", plot.tag)),
                "shipping_cost": null, "shipping": null, "currency_conversion": null, "discounts": [],
            }),
        );
        object
    }

    /// The paid invoice.
    #[must_use]
    pub fn invoice(&self, purchase: &Purchase) -> Value {
        let (plot, mut object) = (self.plot, self.era.shape("invoice"));
        let taxes = if plot.tax == 0 { json!([]) } else { json!([{ "amount": plot.tax }]) };
        let net = plot.total - plot.tax;
        set(
            &mut object,
            json!({
                "id": purchase.invoice, "created": purchase.at_s - 3600, "status": "paid", "currency": plot.currency,
                "status_transitions": { "finalized_at": purchase.at_s - 3600, "paid_at": purchase.at_s,
                    "marked_uncollectible_at": null, "voided_at": null },
                "billing_reason": if purchase.first { "subscription_create" } else { "subscription_cycle" },
                "customer": plot.customer(), "customer_email": plot.email, "metadata": {},
                "amount_due": plot.total, "amount_paid": plot.total, "amount_remaining": 0, "subtotal": net,
                "total": plot.total, "total_excluding_tax": net, "total_discount_amounts": [], "discounts": [],
            }),
        );
        fit(
            &mut object,
            json!({
                "paid": true, "payment_intent": purchase.payment_intent, "charge": purchase.charge, "tax": plot.tax,
                "total_tax_amounts": taxes, "total_taxes": taxes, "amount_shipping": 0, "shipping_cost": null,
                "amount_overpaid": 0, "from_invoice": null, "subscription_details": { "metadata": {} },
                "parent": { "type": "subscription_details", "quote_details": null,
                    "subscription_details": { "metadata": {}, "subscription": plot.subscription() } },
            }),
        );
        if !self.era.has_invoice_payments() {
            set(&mut object, json!({ "subscription": plot.subscription() }));
        }
        self.line(&mut object, purchase, net);
        object
    }

    /// The one line of an invoice, its product where the era has it.
    fn line(&self, invoice: &mut Value, purchase: &Purchase, net: i64) {
        let Some(line) = invoice.pointer_mut("/lines/data/0") else { return };
        set(line, json!({ "id": purchase.invoice.replacen("in_", "il_", 1), "amount": net }));
        let product = format!("prod_{}", self.plot.tag);
        if let Some(price) = line.get_mut("price").filter(|price| price.is_object()) {
            set(price, json!({ "product": product }));
        } else {
            let details = json!({ "price": format!("price_{}", self.plot.tag), "product": product });
            set(line, json!({ "pricing": { "type": "price_details", "price_details": details } }));
        }
    }

    /// The invoice's payment, since basil.
    #[must_use]
    pub fn invoice_payment(&self, purchase: &Purchase) -> Value {
        let mut object = self.era.shape("invoice_payment");
        set(
            &mut object,
            json!({
                "id": purchase.invoice_payment, "created": purchase.at_s, "invoice": purchase.invoice,
                "status": "paid", "amount_paid": self.plot.total, "amount_requested": self.plot.total,
                "currency": self.plot.currency, "livemode": false,
                "payment": { "type": "payment_intent", "payment_intent": purchase.payment_intent },
            }),
        );
        object
    }

    /// The PaymentIntent that has its money.
    #[must_use]
    pub fn payment_intent(&self, purchase: &Purchase, invoiced: bool) -> Value {
        let (plot, mut object) = (self.plot, self.era.shape("payment_intent"));
        set(
            &mut object,
            json!({
                "id": purchase.payment_intent, "created": purchase.at_s - 1, "status": "succeeded", "metadata": {},
                "currency": plot.currency, "amount": plot.total, "amount_received": plot.total,
                "customer": invoiced.then(|| plot.customer()),
            }),
        );
        let charges =
            json!({ "object": "list", "data": [self.charge(purchase, invoiced, 0)], "has_more": false });
        fit(
            &mut object,
            json!({
                "invoice": invoiced.then_some(&purchase.invoice),
                "latest_charge": purchase.charge, "charges": charges,
            }),
        );
        object
    }

    /// The captured charge, of which `refunded` is given back.
    #[must_use]
    pub fn charge(&self, purchase: &Purchase, invoiced: bool, refunded: i64) -> Value {
        let (plot, mut object) = (self.plot, self.era.shape("charge"));
        set(
            &mut object,
            json!({
                "id": purchase.charge, "created": purchase.at_s, "status": "succeeded", "paid": true,
                "captured": true, "amount": plot.total, "amount_captured": plot.total, "metadata": {},
                "amount_refunded": refunded, "refunded": refunded == plot.total, "currency": plot.currency,
                "payment_intent": purchase.payment_intent, "customer": invoiced.then(|| plot.customer()),
                "billing_details": { "email": plot.email, "name": "Grace Buyer" }, "transfer_data": null,
                "balance_transaction": purchase.charge.replacen("ch_", "txn_", 1),
            }),
        );
        fit(&mut object, json!({ "invoice": invoiced.then_some(&purchase.invoice), "source": null }));
        self.refunds_of(&mut object, purchase, refunded);
        object
    }

    /// The fixtures list refunds in every era; webhooks do so before 2022-11-15 only.
    fn refunds_of(&self, charge: &mut Value, purchase: &Purchase, refunded: i64) {
        if self.era.embeds_refunds() {
            let data = if refunded == 0 { vec![] } else { vec![self.refund(purchase, "succeeded")] };
            set(charge, json!({ "refunds": { "object": "list", "data": data, "has_more": false } }));
        } else if let Some(charge) = charge.as_object_mut() {
            charge.remove("refunds");
        }
    }

    /// A dispute over all of a purchase in a state, with its movements of money: away, and back.
    #[must_use]
    pub fn dispute(&self, purchase: &Purchase, status: &str, away: bool, back: bool) -> Value {
        let plot = self.plot;
        let mut object = self.era.shape("dispute");
        let moved = |n: u8, amount: i64| {
            json!({
                "id": format!("txn_{}{n}", plot.tag), "object": "balance_transaction", "amount": amount,
                "currency": plot.currency, "fee": if amount < 0 { 1_500 } else { 0 }, "created": purchase.at_s + 200_000,
                "exchange_rate": null, "net": amount, "type": "adjustment",
            })
        };
        let mut moves = Vec::new();
        moves.extend(away.then(|| moved(1, -plot.total)));
        moves.extend(back.then(|| moved(2, plot.total)));
        set(
            &mut object,
            json!({
                "id": format!("dp_{}", plot.tag), "created": purchase.at_s + 200_000, "status": status,
                "amount": plot.total, "currency": plot.currency, "charge": purchase.charge,
                "payment_intent": purchase.payment_intent, "reason": "fraudulent", "balance_transactions": moves,
            }),
        );
        object
    }

    /// A note over what the plot gives back of a purchase, all of it outside of Stripe.
    #[must_use]
    pub fn credit_note(&self, purchase: &Purchase) -> Value {
        let (plot, mut object) = (self.plot, self.era.shape("credit_note"));
        set(
            &mut object,
            json!({
                "id": format!("cn_{}", plot.tag), "created": purchase.at_s + 86_400, "status": "issued",
                "type": "post_payment", "amount": plot.refund, "out_of_band_amount": plot.refund, "total": plot.refund,
                "currency": plot.currency, "customer": plot.customer(), "invoice": purchase.invoice, "metadata": {},
            }),
        );
        fit(
            &mut object,
            json!({ "refund": null, "refunds": [], "pre_payment_amount": 0, "post_payment_amount": plot.refund }),
        );
        object
    }

    /// The refund of the plot.
    #[must_use]
    pub fn refund(&self, purchase: &Purchase, status: &str) -> Value {
        let plot = self.plot;
        let mut object = self.era.shape("refund");
        set(
            &mut object,
            json!({
                "id": plot.refund_id(), "created": purchase.at_s + 86_400, "status": status, "amount": plot.refund,
                "currency": plot.currency, "charge": purchase.charge, "payment_intent": purchase.payment_intent,
                "metadata": {},
            }),
        );
        object
    }
}
