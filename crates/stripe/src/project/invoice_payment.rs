//! `invoice_payment` → facts.

use super::collector::{Collector, Put};
use crate::json::{IdOr, Said};
use crate::views::InvoicePayment;
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind, Value};

/// What an invoice's payment names.
pub(super) struct Link {
    pub(super) paid: bool,
    pub(super) payment_intent: Option<String>,
    pub(super) charge: Option<String>,
}

/// Projects an invoice payment and what is expanded in it.
pub(crate) fn invoice_payment(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<InvoicePayment<'_>>(raw) else { return };
    if let Some(fact) = c.start(Kind::InvoicePayment, &view.id) {
        finish(&view, fact, c);
    }
}

/// Projects a payment that is listed inside an invoice, with or without an id of its own.
pub(super) fn of_invoice(raw: &RawValue, invoice: &str, c: &mut Collector<'_>) -> Option<Link> {
    let view = c.view::<InvoicePayment<'_>>(raw)?;
    let (payment_intent, charge) = references(&view);
    let link = Link {
        paid: matches!(&view.status, Said::Is(status) if status == "paid"),
        payment_intent: payment_intent.value().map(|reference| reference.id.to_string()),
        charge: charge.value().map(|reference| reference.id.to_string()),
    };
    match &view.id {
        Said::Is(id) if !id.is_empty() => {
            let mut fact = Fact::new(Kind::InvoicePayment, id.as_ref(), c.at());
            fact.set(Field::Invoice, invoice);
            finish(&view, fact, c);
        }
        _ => link_without_id(&link, invoice, c),
    }
    Some(link)
}

/// A payment without an id cannot be an object of its own: what it was paid with names the invoice instead.
fn link_without_id(link: &Link, invoice: &str, c: &mut Collector<'_>) {
    for (kind, id) in [(Kind::PaymentIntent, &link.payment_intent), (Kind::Charge, &link.charge)] {
        if let Some(id) = id {
            c.add(Fact::new(kind, id.as_str(), c.at()).with(Field::Invoice, invoice));
        }
    }
}

fn finish(view: &InvoicePayment<'_>, mut fact: Fact, c: &mut Collector<'_>) {
    fact.time(Field::Created, view.created);
    fact.text(Field::InvoicePaymentStatus, &view.status);
    fact.amount(Field::AmountPaid, view.amount_paid);
    fact.currency(&view.currency, &mut c.notes);
    if let Said::Is(payment) = &view.payment {
        fact.text(Field::PaymentType, &payment.kind);
    }
    if let Said::Is(invoice) = &view.invoice {
        fact.set(Field::Invoice, invoice.id.as_ref());
    }
    let (payment_intent, charge) = references(view);
    for (field, reference) in [(Field::PaymentIntent, payment_intent), (Field::Charge, charge)] {
        match reference {
            Said::Is(reference) => fact.set(field, reference.id.as_ref()),
            Said::Null => fact.set(field, Value::Null),
            Said::Absent => {}
        }
    }
    c.add(fact);
    c.expand(Kind::Invoice, &view.invoice);
    if let Said::Is(payment) = &view.payment {
        c.expand(Kind::PaymentIntent, &payment.payment_intent);
        c.expand(Kind::Charge, &payment.charge);
    }
}

type Reference<'v, 'a> = Said<&'v IdOr<'a>>;

fn references<'v, 'a>(view: &'v InvoicePayment<'a>) -> (Reference<'v, 'a>, Reference<'v, 'a>) {
    match &view.payment {
        Said::Is(payment) => (payment.payment_intent.as_ref(), payment.charge.as_ref()),
        _ => (Said::Absent, Said::Absent),
    }
}
