//! `invoice` → facts.

use super::codes;
use super::collector::{Collector, Put};
use crate::json::{Amount, IdOr, MAX_ITEMS, Millis, Read, Said, Text};
use crate::views::{Invoice, Page, Tagged};
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind, Value};

/// Projects an invoice and what is expanded in it.
pub(crate) fn invoice(raw: &RawValue, c: &mut Collector<'_>) {
    project(raw, c, false);
}

/// Projects an invoice of an event that says that it was paid at the event's time.
pub(crate) fn paid_invoice(raw: &RawValue, c: &mut Collector<'_>) {
    project(raw, c, true);
}

fn project(raw: &RawValue, c: &mut Collector<'_>, paid_now: bool) {
    let Some(view) = c.view::<Invoice<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Invoice, &view.id) else { return };
    fact.time(Field::Created, view.created.or(view.date));
    fact.text(Field::BillingReason, &view.billing_reason);
    fact.currency(&view.currency, &mut c.notes);
    fact.buyer(&view.customer, &view.customer_account);
    fact.metadata(&view.metadata, Field::PartnerKey, Field::CustomerKey);
    state(&view, &mut fact, c.at(), paid_now);
    amounts(&view, &mut fact, c);
    subscription(&view, &mut fact);
    fact.link(Field::PaymentIntent, &view.payment_intent);
    fact.link(Field::Charge, &view.charge);
    discount(&view, &mut fact, c);
    lines(&view.lines, &mut fact, c);
    let (email, name) = (view.customer_email.as_ref().value(), view.customer_name.as_ref().value());
    c.person(&mut fact, email.map(AsRef::as_ref), name.map(AsRef::as_ref));
    payments(&view.payments, &mut fact, c);
    c.add(fact);
    c.expand(Kind::Customer, &view.customer);
    c.expand(Kind::Subscription, &view.subscription);
    if let Said::Is(parent) = &view.parent
        && let Said::Is(details) = &parent.subscription_details
    {
        c.expand(Kind::Subscription, &details.subscription);
    }
    expand(Kind::PaymentIntent, &view.payment_intent, &view.id, c);
    expand(Kind::Charge, &view.charge, &view.id, c);
}

/// Follows an expanded payment. That it stands in the invoice says more than its own null: some senders leave
/// `charge.invoice` null inside the very invoice that it pays.
fn expand(kind: Kind, reference: &Said<IdOr<'_>>, invoice: &Said<Text<'_>>, c: &mut Collector<'_>) {
    c.expand(kind, reference);
    if let (Said::Is(IdOr { id, object: Some(_) }), Said::Is(invoice)) = (reference, invoice) {
        c.add(Fact::new(kind, id.as_ref(), c.at()).with(Field::Invoice, invoice.as_ref()));
    }
}

/// Status and time of payment. Old invoices say `paid` instead; the event's own word counts last.
fn state(view: &Invoice<'_>, fact: &mut Fact, at: i64, paid_now: bool) {
    fact.text(Field::InvoiceStatus, &view.status);
    let said_paid = matches!(view.paid, Said::Is(true)) || (paid_now && view.paid != Said::Is(false));
    if !fact.fields.contains_key(&Field::InvoiceStatus) && said_paid {
        fact.set(Field::InvoiceStatus, "paid");
    }
    let paid_at = match &view.status_transitions {
        Said::Is(transitions) => transitions.paid_at,
        _ => Said::Absent,
    };
    let is_paid = fact.fields.get(&Field::InvoiceStatus) == Some(&Value::from("paid"));
    match paid_at {
        Said::Is(Millis(paid_at)) => fact.set(Field::PaidAt, paid_at),
        _ if paid_now && is_paid => fact.set(Field::PaidAt, at),
        _ => {}
    }
}

fn amounts(view: &Invoice<'_>, fact: &mut Fact, c: &mut Collector<'_>) {
    fact.amount(Field::Total, view.total);
    fact.amount(Field::TotalExcludingTax, view.total_excluding_tax);
    fact.amount(Field::AmountDue, view.amount_due);
    fact.amount(Field::AmountPaid, view.amount_paid);
    fact.amount(Field::PaidOffStripe, view.amount_paid_off_stripe);
    if view.paid_out_of_band == Said::Is(true) {
        fact.set(Field::PaidOutOfBand, true);
    }
    // From basil to clover an invoice has neither word, and what an open one says is not the last of it.
    let tells =
        matches!(view.amount_paid_off_stripe, Said::Is(_)) || matches!(view.paid_out_of_band, Said::Is(_));
    if tells && fact.fields.get(&Field::InvoiceStatus) == Some(&Value::from("paid")) {
        fact.set(Field::OffStripeTold, true);
    }
    if let Said::Is(cost) = &view.shipping_cost {
        fact.amount(Field::ShippingTax, cost.amount_tax);
    }
    if let Some(lines) = super::line::shown(&view.lines) {
        fact.set(Field::Lines, lines);
    }
    let taxes = c.sum(&view.total_taxes).or_else(|| c.sum(&view.total_tax_amounts));
    match (taxes, view.tax) {
        // The tax of old invoices with a `tax_percent` stands in no list.
        (Some(0), Said::Is(Amount(tax))) if tax > 0 => fact.set(Field::TaxTotal, tax),
        (Some(taxes), _) => fact.set(Field::TaxTotal, taxes),
        (None, tax) => fact.amount(Field::TaxTotal, tax),
    }
    if let Some(discount) = c.sum(&view.total_discount_amounts) {
        fact.set(Field::AmountDiscount, discount);
    }
    if let Some(shipping) = shipping(view) {
        fact.set(Field::ShippingExcludingTax, shipping);
    }
}

/// 0 where an invoice that shows its total has no place for shipping; nothing where only an id was shown.
fn shipping(view: &Invoice<'_>) -> Option<i64> {
    let in_detail = match &view.shipping_cost {
        Said::Is(cost) => cost.excluding_tax(),
        _ => None,
    };
    let plain = || match view.amount_shipping {
        Said::Is(Amount(amount)) => Some(amount),
        _ => None,
    };
    in_detail.or_else(plain).or_else(|| view.total.value().map(|_| 0))
}

/// The subscription and its metadata, in the old and the new place.
fn subscription(view: &Invoice<'_>, fact: &mut Fact) {
    let new = match &view.parent {
        Said::Is(parent) => parent.subscription_details.as_ref(),
        Said::Null => Said::Null,
        Said::Absent => Said::Absent,
    };
    let details = match new {
        Said::Is(details) => details.subscription.as_ref(),
        Said::Null => Said::Null,
        Said::Absent => Said::Absent,
    };
    match view.subscription.as_ref().or(details) {
        Said::Is(IdOr { id, .. }) => fact.set(Field::Subscription, id.as_ref()),
        Said::Null => fact.set(Field::Subscription, Value::Null),
        Said::Absent => {}
    }
    let (partner, customer) = (Field::SubscriptionPartnerKey, Field::SubscriptionCustomerKey);
    for details in [view.subscription_details.as_ref(), new] {
        if let Said::Is(details) = details {
            fact.metadata(&details.metadata, partner, customer);
        }
    }
}

/// Ids only, unless expanded; before basil a single `discount` beside them.
fn discount(view: &Invoice<'_>, fact: &mut Fact, c: &mut Collector<'_>) {
    let mut found = codes::of_list(&view.discounts, c);
    if let Said::Is(discount) = &view.discount {
        found.add(discount, c);
        if view.discounts.as_ref().value().is_none_or(|items| items.0.len() <= 1) {
            found.shown_elsewhere();
        }
    }
    let reduced = matches!(fact.fields.get(&Field::AmountDiscount), Some(Value::Int(amount)) if *amount > 0);
    found.of_purchase(fact, reduced);
}

/// Metadata of lines: a subscription's line carries the subscription's, an invoice item its own. The first line that
/// names anybody counts.
fn lines(page: &Said<Page<'_>>, fact: &mut Fact, c: &mut Collector<'_>) {
    let Said::Is(Page { data: Said::Is(items), .. }) = page else { return };
    let mut found = Fact::new(Kind::Invoice, fact.object_id.as_str(), fact.at);
    for item in items.0.iter().take(MAX_ITEMS) {
        let Some(Tagged { metadata, .. }) = Tagged::read(item, &mut c.notes) else { continue };
        let mut line = Fact::new(Kind::Invoice, fact.object_id.as_str(), fact.at);
        line.metadata(&metadata, Field::LinePartnerKey, Field::LineCustomerKey);
        for (field, value) in line.fields {
            found.fields.entry(field).or_insert(value);
        }
    }
    fact.fields.append(&mut found.fields);
}

/// Payments listed in the invoice: facts of their own, and links where the old places say nothing.
fn payments(page: &Said<Page<'_>>, fact: &mut Fact, c: &mut Collector<'_>) {
    let Said::Is(Page { data: Said::Is(items), .. }) = page else { return };
    let links =
        items.0.iter().filter_map(|item| super::invoice_payment::of_invoice(item, &fact.object_id, c));
    let links: Vec<_> = links.collect();
    let best = links.iter().find(|link| link.paid).or_else(|| links.first());
    let Some(best) = best else { return };
    let mut fill = |field, id: &Option<String>| {
        let silent = matches!(fact.fields.get(&field), None | Some(Value::Null));
        if let (true, Some(id)) = (silent, id) {
            fact.set(field, id.as_str());
        }
    };
    fill(Field::PaymentIntent, &best.payment_intent);
    fill(Field::Charge, &best.charge);
}
