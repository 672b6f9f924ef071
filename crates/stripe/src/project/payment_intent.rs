//! `payment_intent` → facts.

use super::collector::{Collector, Put};
use crate::json::Said;
use crate::views::{Page, PaymentIntent};
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind};

/// Projects a PaymentIntent and what is expanded in it.
pub(crate) fn payment_intent(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<PaymentIntent<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::PaymentIntent, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.text(Field::IntentStatus, &view.status);
    fact.currency(&view.currency, &mut c.notes);
    fact.amount(Field::Amount, view.amount);
    fact.amount(Field::AmountReceived, view.amount_received);
    fact.buyer(&view.customer, &view.customer_account);
    fact.link(Field::Invoice, &view.invoice);
    fact.link(Field::LatestCharge, &view.latest_charge);
    if view.latest_charge.is_absent() {
        newest_of(&view.charges, &mut fact);
    }
    fact.metadata(&view.metadata, Field::PartnerKey, Field::CustomerKey);
    c.add(fact);
    c.expand(Kind::Customer, &view.customer);
    c.expand(Kind::Invoice, &view.invoice);
    c.expand(Kind::Charge, &view.latest_charge);
    c.expand_page(Kind::Charge, &view.charges);
    if let (Said::Is(id), Said::Is(invoice)) = (&view.id, &view.invoice) {
        c.name_invoice(id, &invoice.id);
    }
}

/// Before 2022-11-15 the charges are embedded, the newest first.
fn newest_of(charges: &Said<Page<'_>>, fact: &mut Fact) {
    let Said::Is(Page { data: Said::Is(items), .. }) = charges else { return };
    let reference = items
        .0
        .first()
        .map(|item| crate::json::said("PaymentIntent", "charges", item, &mut crate::json::Notes::default()));
    if let Some(reference @ Said::Is(_)) = reference {
        fact.link(Field::LatestCharge, &reference);
    }
}
