//! The money of an invoice.

use super::{Money, Reader, SaleState, ask};
use crate::fact::{Field, Kind};
use crate::merge::ObjectState;

impl Reader<'_> {
    pub(super) fn of_invoice(&self, invoice: &ObjectState) -> Money {
        let part = (!is_paid(invoice)).then(|| self.paid_in_part(invoice));
        if part == Some(0) {
            return Money::nothing(SaleState::Unpaid);
        }
        let int = |field| invoice.int(field);
        let mut money = Money::nothing(SaleState::Paid);
        money.currency = invoice.text(Field::Currency).unwrap_or_default().to_owned();
        money.occurred_at =
            int(Field::PaidAt).or_else(|| self.charged_at()).unwrap_or_else(|| invoice.created());
        let (Some(total), Some(paid)) = (int(Field::Total), int(Field::AmountPaid)) else {
            money.state = SaleState::AwaitingParent;
            return money.needing(ask(invoice));
        };
        let paid = part.unwrap_or_else(|| with_off_stripe(invoice, paid));
        if total <= 0 || paid <= 0 {
            money.state = SaleState::NothingToPay;
            return money;
        }
        let net = int(Field::TotalExcludingTax)
            .or_else(|| int(Field::TaxTotal).map(|tax| total.saturating_sub(tax)));
        let Some(net) = net.map(|net| net.clamp(0, total)) else {
            // Gross is never taken for net: ask Stripe for the invoice in a shape that tells.
            money.state = SaleState::AwaitingParent;
            return money.needing(ask(invoice));
        };
        money.total = total;
        money.tax = total - net;
        money.shipping = int(Field::ShippingExcludingTax).unwrap_or(0).clamp(0, net);
        money.shipping_tax = int(Field::ShippingTax).unwrap_or(0).clamp(0, money.tax);
        money.discount = int(Field::AmountDiscount).unwrap_or(0);
        money.paid = paid;
        // Charges in another currency cannot be compared with what the invoice says.
        money.captured = match self.captured() {
            captured if captured > 0 && !self.charged_in(&money.currency) => captured,
            captured => captured.max(paid.min(total)),
        };
        money.off_stripe = self.off_stripe(invoice, &money);
        money.off_unknown = !self.off_stripe_is_told(invoice, &money);
        money
    }

    /// What came in of an invoice that is still open, was given up or voided: the commission follows the cash. No event says the
    /// sum while it is open, so it is the most that anything shows: the payments and the charges, which are united by their
    /// ids, and what the invoice itself said last. One that says it is paid in full, and has another status, contradicts
    /// itself: its status holds.
    fn paid_in_part(&self, invoice: &ObjectState) -> i64 {
        let open = matches!(invoice.text(Field::InvoiceStatus), Some("open" | "uncollectible" | "void"));
        let (true, Some(total)) = (open, invoice.int(Field::Total)) else { return 0 };
        // Both may be the same money.
        let said = [Field::AmountPaid, Field::PaidOffStripe]
            .into_iter()
            .filter_map(|field| invoice.int(field))
            .max();
        let said = said.filter(|said| *said < total).unwrap_or(0);
        let currency = invoice.text(Field::Currency).unwrap_or_default();
        let by_charges = if self.charged_in(currency) { self.captured() } else { 0 };
        said.max(by_charges).max(self.paid_by(|_| true)).clamp(0, total.max(0))
    }

    /// What of an invoice was paid outside of Stripe, by its own word, by its payments, or because it was marked so.
    fn off_stripe(&self, invoice: &ObjectState, money: &Money) -> i64 {
        let paid = money.paid.min(money.total);
        let told = invoice.int(Field::PaidOffStripe).unwrap_or(0);
        let recorded = self.paid_with(|with| !by_stripe(with));
        let marked = if invoice.flag(Field::PaidOutOfBand) && self.charged_in(&money.currency) {
            paid.saturating_sub(self.captured())
        } else {
            0
        };
        told.max(recorded).max(marked).clamp(0, paid)
    }

    /// Is it known how much came past Stripe? The invoice says it, in the words of its version, or its payments add up to
    /// what was paid. Versions from basil to clover have neither word, and an invoice marked as paid looks like any other.
    fn off_stripe_is_told(&self, invoice: &ObjectState, money: &Money) -> bool {
        if !is_paid(invoice) {
            return true; // its payments are what is counted
        }
        let told = [Field::OffStripeTold, Field::PaidOutOfBand, Field::Missing];
        if told.into_iter().any(|field| invoice.flag(field)) {
            return true;
        }
        let by_charges = if self.charged_in(&money.currency) { self.captured() } else { 0 };
        let through = by_charges.max(self.paid_with(by_stripe));
        through.saturating_add(self.paid_with(|with| !by_stripe(with))) >= money.paid.min(money.total)
    }

    /// The sum of the invoice's payments of some types.
    fn paid_with(&self, is_meant: impl Fn(&str) -> bool) -> i64 {
        self.paid_by(|payment| payment.text(Field::PaymentType).is_some_and(&is_meant))
    }

    /// The sum of those of the invoice's payments that are meant.
    fn paid_by(&self, is_meant: impl Fn(&ObjectState) -> bool) -> i64 {
        self.of(Kind::InvoicePayment)
            .filter(|payment| payment.text(Field::InvoicePaymentStatus) == Some("paid"))
            .filter(|payment| is_meant(payment))
            .filter_map(|payment| payment.int(Field::AmountPaid))
            .fold(0_i64, |sum, amount| sum.saturating_add(amount.max(0)))
    }
}

fn is_paid(invoice: &ObjectState) -> bool {
    invoice.text(Field::InvoiceStatus) == Some("paid")
}

/// Does an invoice payment of this type move money through Stripe?
fn by_stripe(payment_type: &str) -> bool {
    matches!(payment_type, "payment_intent" | "charge")
}

/// What was paid in all. Some shapes leave what was paid outside of Stripe out of `amount_paid`: then both together
/// are no more than what was due.
fn with_off_stripe(invoice: &ObjectState, paid: i64) -> i64 {
    if paid == 0 && invoice.flag(Field::PaidOutOfBand) {
        return invoice.int(Field::AmountDue).unwrap_or(0);
    }
    let off = invoice.int(Field::PaidOffStripe).unwrap_or(0).max(0);
    let both = paid.saturating_add(off);
    match invoice.int(Field::AmountDue) {
        Some(due) if both <= due => both,
        _ => paid,
    }
}
