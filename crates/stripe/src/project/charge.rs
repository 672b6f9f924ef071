//! `charge` → facts.

use super::collector::{Collector, Put};
use crate::json::{Amount, IdOr, Read, Said};
use crate::views::{Charge, Page, Refund};
use serde_json::value::RawValue;
use tributary_domain::fact::{CHARGE_RANK, Fact, Field, Kind};

/// Projects a charge of which something was given back. One that does not say how much is remarked, and looks as before.
pub(crate) fn refunded_charge(raw: &RawValue, c: &mut Collector<'_>) {
    let silent = c.view::<Charge<'_>>(raw).is_some_and(|view| {
        !matches!(view.amount_refunded, Said::Is(_)) && !matches!(view.refunds, Said::Is(_))
    });
    if silent {
        c.notes.add("The charge does not say how much was given back. Compare the sale with Stripe.");
    }
    charge(raw, c);
}

/// Projects a charge, its refunds where they are shown, and what is expanded in it.
pub(crate) fn charge(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<Charge<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Charge, &view.id) else { return };
    fact.time(Field::Created, view.created);
    match status(&view) {
        Some(status) => fact.set(Field::ChargeStatus, status),
        None => fact.text(Field::ChargeStatus, &view.status),
    }
    fact.currency(&view.currency, &mut c.notes);
    fact.amount(Field::Amount, view.amount);
    fact.amount(Field::AmountCaptured, captured(&view));
    fact.amount(Field::AmountRefunded, view.amount_refunded);
    fact.amount(Field::AmountRefundedNow, view.amount_refunded);
    fact.buyer(&view.customer, &view.customer_account);
    fact.link(Field::PaymentIntent, &view.payment_intent);
    fact.link(Field::Invoice, &view.invoice);
    if view.disputed == Said::Is(true) {
        fact.set(Field::Disputed, true);
    }
    if let Said::Is(moved) = &view.balance_transaction {
        fact.set(Field::BalanceTransaction, moved.id.as_ref());
    }
    fact.presented(&view.presentment_details);
    fact.metadata(&view.metadata, Field::PartnerKey, Field::CustomerKey);
    person(&view, &mut fact, c);
    let id = fact.object_id.clone();
    c.add(fact);
    c.expand(Kind::Customer, &view.customer);
    c.expand(Kind::PaymentIntent, &view.payment_intent);
    c.expand(Kind::Invoice, &view.invoice);
    if let Said::Is(IdOr { id: moved, object: Some(object) }) = &view.balance_transaction {
        super::balance_transaction(object, c);
        let of = Fact::new(Kind::BalanceTransaction, moved.as_ref(), c.at());
        c.add(of.with(Field::Charge, id.as_str()));
    }
    refunds(&view.refunds, &id, c);
}

/// A known word, or what `paid` says in place of one that is missing or new: a charge that is paid did succeed.
fn status<'v>(view: &'v Charge<'_>) -> Option<&'v str> {
    let said = view.status.as_ref().value().map(AsRef::as_ref).filter(|word| CHARGE_RANK.contains(word));
    said.or_else(|| (view.paid == Said::Is(true)).then_some("succeeded"))
}

/// Very old charges say only whether they were captured; then it was all of them or nothing.
fn captured(view: &Charge<'_>) -> Said<Amount> {
    match (view.amount_captured, view.captured) {
        (Said::Is(amount), _) => Said::Is(amount),
        (_, Said::Is(true)) => view.amount,
        (_, Said::Is(false)) => Said::Is(Amount(0)),
        _ => Said::Absent,
    }
}

fn person(view: &Charge<'_>, fact: &mut Fact, c: &mut Collector<'_>) {
    let details = view.billing_details.as_ref().value();
    let typed = details.and_then(|details| details.email.as_ref().value());
    let name = details.and_then(|details| details.name.as_ref().value());
    let email = typed.or_else(|| view.receipt_email.as_ref().value());
    c.person(fact, email.map(AsRef::as_ref), name.map(AsRef::as_ref));
}

/// Embedded refunds belong to this charge, also where they do not repeat its id.
fn refunds(page: &Said<Page<'_>>, charge: &str, c: &mut Collector<'_>) {
    c.expand_page(Kind::Refund, page);
    let Said::Is(Page { data: Said::Is(items), .. }) = page else { return };
    for item in &items.0 {
        let refund = Refund::read(item, &mut crate::json::Notes::default());
        if let Some(Refund { id: Said::Is(id), charge: Said::Absent | Said::Null, .. }) = refund {
            c.add(Fact::new(Kind::Refund, id.as_ref(), c.at()).with(Field::Charge, charge));
        }
    }
}
