//! Invoices by hand, and credit notes on any invoice.

use serde_json::{Value, json};

use super::{Player, id};
use crate::error::Res;
use crate::flows::{billing, charge};
use crate::params;

impl Player<'_> {
    /// A customer with one to three invoices by hand.
    pub(super) fn by_hand(&mut self) -> Res<()> {
        let customer = self.customer(true)?;
        if self.often(30) {
            let given = json!({ "amount": -self.amount(), "currency": self.currency });
            self.api("PostCustomersCustomerBalanceTransactions", &customer, given)?;
        }
        for _ in 0..=self.roll(3) {
            let invoice = self.write_invoice(&customer)?;
            self.settle_invoice(&invoice)?;
        }
        Ok(())
    }

    fn write_invoice(&mut self, customer: &str) -> Res<String> {
        for n in 0..=self.roll(3) {
            // A line may take off, too.
            let amount = if n > 0 && self.often(25) { -self.amount() / 4 } else { self.amount() };
            let item = json!({ "customer": customer, "amount": amount, "currency": self.currency });
            self.api("PostInvoiceitems", "", item)?;
        }
        let given = json!({
            "customer": customer, "pending_invoice_items_behavior": "include", "collection_method": "send_invoice",
        });
        let invoice = self.api("PostInvoices", "", given).map(|made| id(&made))?;
        self.api("PostInvoicesInvoiceFinalize", &invoice, json!({}))?;
        Ok(invoice)
    }

    fn settle_invoice(&mut self, invoice: &str) -> Res<()> {
        let open = |player: &Self| {
            player.world.get("invoice", invoice).is_some_and(|i| params::text(i, "status") == Some("open"))
        };
        if open(self) && self.has("credit_notes") && self.often(25) {
            let remaining = self.invoice_int(invoice, "amount_remaining");
            let amount = if self.often(20) { remaining } else { self.some_of(remaining) };
            self.api("PostCreditNotes", "", json!({ "invoice": invoice, "amount": amount }))?;
        }
        if open(self) {
            match self.roll(10) {
                0 => drop(self.api("PostInvoicesInvoiceVoid", invoice, json!({}))?),
                1 => drop(self.api("PostInvoicesInvoiceMarkUncollectible", invoice, json!({}))?),
                2 | 3 => {
                    drop(self.api("PostInvoicesInvoicePay", invoice, json!({ "paid_out_of_band": true }))?)
                }
                4 => {}
                _ => drop(self.api("PostInvoicesInvoicePay", invoice, json!({}))?),
            }
        }
        self.after_invoice(invoice)
    }

    fn invoice_int(&self, invoice: &str, field: &str) -> i64 {
        self.world.get("invoice", invoice).map(|i| params::int0(i, field)).unwrap_or_default()
    }

    /// A paid invoice may be refunded, disputed or credited.
    pub(super) fn after_invoice(&mut self, invoice: &str) -> Res<()> {
        let paid =
            self.world.get("invoice", invoice).is_some_and(|i| params::text(i, "status") == Some("paid"));
        if !paid || self.invoice_int(invoice, "total") <= 0 {
            return Ok(());
        }
        if self.has("credit_notes") && self.often(25) {
            self.credit(invoice)?;
        }
        let charge = billing::charge_of(self.world, invoice);
        charge.map_or(Ok(()), |charge| self.goes_back(&charge))
    }

    /// A credit note on a paid invoice: by refund, by credit, past Stripe, or all three.
    fn credit(&mut self, invoice: &str) -> Res<()> {
        let left = self.invoice_int(invoice, "total")
            - self.invoice_int(invoice, "pre_payment_credit_notes_amount")
            - self.invoice_int(invoice, "post_payment_credit_notes_amount");
        if left < 1 {
            return Ok(());
        }
        let amount = if self.often(20) { left } else { self.some_of(left) };
        let charge = billing::charge_of(self.world, invoice);
        let refundable =
            charge.and_then(|c| self.world.get("charge", &c)).map(charge::left).unwrap_or_default();
        let refund = if self.often(60) { self.some_of(amount).min(refundable) } else { 0 };
        let rest = amount - refund;
        let credit = if rest > 0 && self.often(50) { self.some_of(rest) } else { 0 };
        let mut given = json!({ "invoice": invoice, "amount": amount });
        let mut put = |name: &str, part: i64| {
            if part > 0 {
                given[name] = Value::from(part);
            }
        };
        put("refund_amount", refund);
        put("credit_amount", credit);
        put("out_of_band_amount", rest - credit);
        self.api("PostCreditNotes", "", given).map(|_| ())
    }
}
