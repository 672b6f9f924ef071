//! `checkout.session` → facts.

use super::collector::{Collector, Put};
use crate::json::Said;
use crate::views::Session;
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind};

/// Projects a session and what is expanded in it.
pub(crate) fn session(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<Session<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Session, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.text(Field::Mode, &view.mode);
    fact.text(Field::PaymentStatus, &view.payment_status);
    fact.text(Field::ClientReferenceId, &view.client_reference_id);
    fact.currency(&view.currency, &mut c.notes);
    fact.buyer(&view.customer, &view.customer_account);
    fact.link(Field::PaymentIntent, &view.payment_intent);
    fact.link(Field::Invoice, &view.invoice);
    fact.link(Field::Subscription, &view.subscription);
    fact.link(Field::PaymentLink, &view.payment_link);
    fact.metadata(&view.metadata, Field::PartnerKey, Field::CustomerKey);
    if let Some(code) = c.promotion_code(&view.discounts) {
        fact.set(Field::PromotionCode, code);
    }
    fact.presented(&view.presentment_details);
    amounts(&view, &mut fact);
    person(&view, &mut fact, c);
    c.add(fact);
    c.expand(Kind::Customer, &view.customer);
    c.expand(Kind::PaymentIntent, &view.payment_intent);
    c.expand(Kind::Invoice, &view.invoice);
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
