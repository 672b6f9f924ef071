//! `checkout.session` → facts.

use super::codes;
use super::collector::{Collector, Put};
use crate::json::{Amount, IdOr, Read, Said};
use crate::views::{Session, Tagged};
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind};

/// Projects a session and what is expanded in it.
pub(crate) fn session(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<Session<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Session, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.text(Field::Mode, &view.mode);
    fact.text(Field::PaymentStatus, &view.payment_status);
    if let Said::Is(reference) = &view.client_reference_id
        && !reference.0.is_empty()
    {
        fact.set(Field::ClientReferenceId, reference.0.as_ref());
    }
    fact.currency(&view.currency, &mut c.notes);
    fact.buyer(&view.customer, &view.customer_account);
    fact.link(Field::PaymentIntent, &view.payment_intent);
    fact.link(Field::Invoice, &view.invoice);
    fact.link(Field::Subscription, &view.subscription);
    fact.link(Field::PaymentLink, &view.payment_link);
    fact.metadata(&view.metadata, Field::PartnerKey, Field::CustomerKey);
    payment_link(&view, &mut fact, c);
    discounts(&view, &mut fact, c);
    fact.presented(&view.presentment_details);
    amounts(&view, &mut fact);
    person(&view, &mut fact, c);
    c.add(fact);
    c.expand(Kind::Customer, &view.customer);
    c.expand(Kind::PaymentIntent, &view.payment_intent);
    c.expand(Kind::Invoice, &view.invoice);
    c.expand(Kind::Subscription, &view.subscription);
}

/// Stripe copies a Payment Link's metadata to its sessions. Where the link is shown itself, what the copy lacks is taken
/// from it.
fn payment_link(view: &Session<'_>, fact: &mut Fact, c: &mut Collector<'_>) {
    let Said::Is(IdOr { object: Some(link), .. }) = &view.payment_link else { return };
    let Some(Tagged { metadata, .. }) = Tagged::read(link, &mut c.notes) else { return };
    let mut own = Fact::new(Kind::Session, fact.object_id.as_str(), fact.at);
    own.metadata(&metadata, Field::PartnerKey, Field::CustomerKey);
    for (field, value) in own.fields {
        fact.fields.entry(field).or_insert(value);
    }
}

/// Since 2025-02-24 in `discounts`; before in the breakdown, which has to be asked for.
fn discounts(view: &Session<'_>, fact: &mut Fact, c: &mut Collector<'_>) {
    let mut found = codes::of_list(&view.discounts, c);
    let mut reduced = false;
    if let Said::Is(details) = &view.total_details {
        reduced = matches!(details.amount_discount, Said::Is(Amount(amount)) if amount > 0);
        found.add_breakdown(details, c);
    }
    // An empty list may lie in a shape that has no place for it.
    found.of_purchase(fact, reduced);
}

fn amounts(view: &Session<'_>, fact: &mut Fact) {
    fact.amount(Field::AmountTotal, view.amount_total);
    let shipping = match &view.shipping_cost {
        Said::Is(cost) => {
            fact.amount(Field::ShippingTax, cost.amount_tax);
            cost.excluding_tax()
        }
        _ => None,
    };
    if let Some(shipping) = shipping {
        fact.set(Field::AmountShipping, shipping);
    }
    if let Said::Is(details) = &view.total_details {
        fact.amount(Field::AmountTax, details.amount_tax);
        fact.amount(Field::AmountDiscount, details.amount_discount);
        if shipping.is_none() {
            fact.amount(Field::AmountShipping, details.amount_shipping);
        }
    }
}

/// What the buyer typed goes before what was filled in beforehand.
fn person(view: &Session<'_>, fact: &mut Fact, c: &mut Collector<'_>) {
    let details = view.customer_details.as_ref().value();
    let typed = details.and_then(|details| details.email.as_ref().value());
    let name = details.and_then(|details| details.name.as_ref().value());
    let email = typed.or_else(|| view.customer_email.as_ref().value());
    c.person(fact, email.map(AsRef::as_ref), name.map(AsRef::as_ref));
}
