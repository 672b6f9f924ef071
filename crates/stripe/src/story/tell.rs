//! Stories as events, in the order in which Stripe would make them.

use super::{Era, Objects, Plot};
use serde_json::{Value, json};

/// A subscription by Checkout: session, first invoice with its charge, a renewal, and the refund of the plot.
#[must_use]
pub fn subscription(era: Era, plot: &Plot) -> Vec<Value> {
    let mut story = Story::new(era, plot);
    story.subscribed();
    story.invoice(2);
    story.refund(true);
    story.events
}

/// A single purchase by Payment Link as a guest, and the refund of the plot.
#[must_use]
pub fn payment_link(era: Era, plot: &Plot) -> Vec<Value> {
    let mut story = Story::new(era, plot);
    let objects = Objects { era, plot };
    let only = plot.purchase(1);
    story.event("charge.succeeded", only.at_s, objects.charge(&only, false, 0));
    story.event("payment_intent.succeeded", only.at_s, objects.payment_intent(&only, false));
    story.event("checkout.session.completed", only.at_s + 2, objects.session(&only, false));
    story.refund(false);
    story.events
}

/// A subscription whose first invoice is disputed whole, and the dispute is lost or won. Nothing is given back.
#[must_use]
pub fn disputed(era: Era, plot: &Plot, won: bool) -> Vec<Value> {
    let mut story = Story::new(era, plot);
    let objects = Objects { era, plot };
    let first = plot.purchase(1);
    story.subscribed();
    let at_s = first.at_s + 200_000;
    story.event("charge.dispute.created", at_s, objects.dispute(&first, "needs_response", true, false));
    let status = if won { "won" } else { "lost" };
    story.event("charge.dispute.closed", at_s + 86_400, objects.dispute(&first, status, true, won));
    if won {
        let object = objects.dispute(&first, status, true, true);
        story.event("charge.dispute.funds_reinstated", at_s + 86_401, object);
    }
    story.events
}

/// A subscription of whose first invoice a part was given back outside of Stripe, by a credit note.
#[must_use]
pub fn credited(era: Era, plot: &Plot) -> Vec<Value> {
    let mut story = Story::new(era, plot);
    let objects = Objects { era, plot };
    let first = plot.purchase(1);
    story.subscribed();
    story.event("credit_note.created", first.at_s + 86_400, objects.credit_note(&first));
    story.events
}

/// Wraps an object as a webhook event of test mode.
#[must_use]
pub fn wrap(id: &str, type_: &str, api_version: &str, created_s: i64, object: Value) -> Value {
    json!({
        "id": id, "object": "event", "api_version": api_version, "created": created_s, "livemode": false,
        "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null }, "type": type_,
        "data": { "object": object },
    })
}

struct Story<'p> {
    era: Era,
    plot: &'p Plot,
    events: Vec<Value>,
}

impl<'p> Story<'p> {
    const fn new(era: Era, plot: &'p Plot) -> Self {
        Self { era, plot, events: Vec::new() }
    }

    fn event(&mut self, type_: &str, created_s: i64, object: Value) {
        let id = format!("evt_{}{:02}", self.plot.tag, self.events.len() + 1);
        self.events.push(wrap(&id, type_, self.era.api_version(), created_s, object));
    }

    /// The customer, the first invoice, and the session by which both came.
    fn subscribed(&mut self) {
        let objects = Objects { era: self.era, plot: self.plot };
        let first = self.plot.purchase(1);
        self.event("customer.created", first.at_s - 120, objects.customer());
        self.invoice(1);
        self.event("checkout.session.completed", first.at_s + 2, objects.session(&first, true));
    }

    /// The n-th invoice is paid.
    fn invoice(&mut self, n: u8) {
        let objects = Objects { era: self.era, plot: self.plot };
        let purchase = self.plot.purchase(n);
        self.event("charge.succeeded", purchase.at_s, objects.charge(&purchase, true, 0));
        self.event("payment_intent.succeeded", purchase.at_s, objects.payment_intent(&purchase, true));
        self.event("invoice.paid", purchase.at_s + 1, objects.invoice(&purchase));
        if self.era.has_invoice_payments() {
            self.event("invoice_payment.paid", purchase.at_s + 1, objects.invoice_payment(&purchase));
        }
    }

    /// A day after the first purchase, a part of it is given back.
    fn refund(&mut self, invoiced: bool) {
        if self.plot.refund == 0 {
            return;
        }
        let objects = Objects { era: self.era, plot: self.plot };
        let first = self.plot.purchase(1);
        let at_s = first.at_s + 86_400;
        self.event("charge.refunded", at_s, objects.charge(&first, invoiced, self.plot.refund));
        if self.era.has_refund_events() {
            self.event("refund.created", at_s, objects.refund(&first, "succeeded"));
        }
    }
}
