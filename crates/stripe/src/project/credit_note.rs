//! `credit_note` → facts.

use super::collector::{Collector, Put};
use crate::json::{Amount, Read, Said};
use crate::views::{CreditNote, CreditedRefund};
use serde_json::value::RawValue;
use tributary_domain::fact::{Field, Kind};

/// Projects a credit note and what is expanded in it.
pub(crate) fn credit_note(raw: &RawValue, c: &mut Collector<'_>) {
    project(raw, c, false);
}

/// Projects a credit note of an event that says that it was voided.
pub(crate) fn voided_credit_note(raw: &RawValue, c: &mut Collector<'_>) {
    project(raw, c, true);
}

fn project(raw: &RawValue, c: &mut Collector<'_>, voided: bool) {
    let Some(view) = c.view::<CreditNote<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::CreditNote, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.text(Field::CreditStatus, &view.status);
    if voided {
        fact.set(Field::CreditStatus, "void");
    }
    fact.currency(&view.currency, &mut c.notes);
    fact.amount(Field::Amount, view.amount);
    let credited = credited(&view, c);
    let to_records = to_records(&credited);
    match view.out_of_band_amount {
        // Stripe's word for none.
        Said::Null => fact.set(Field::OutOfBand, to_records),
        Said::Is(Amount(amount)) if to_records > 0 => {
            fact.set(Field::OutOfBand, amount.max(0).saturating_add(to_records));
        }
        said => fact.amount(Field::OutOfBand, said),
    }
    fact.amount(Field::PrePayment, view.pre_payment_amount);
    // Before the parts were told, the type said which of the two the whole was.
    if view.pre_payment_amount.is_absent() && matches!(&view.kind, Said::Is(kind) if kind == "pre_payment") {
        fact.amount(Field::PrePayment, view.amount);
    }
    fact.link(Field::Invoice, &view.invoice);
    c.add(fact);
    c.expand(Kind::Invoice, &view.invoice);
    c.expand(Kind::Refund, &view.refund);
    for one in &credited {
        c.expand(Kind::Refund, &one.refund);
    }
}

fn credited<'a>(view: &CreditNote<'a>, c: &mut Collector<'_>) -> Vec<CreditedRefund<'a>> {
    let Said::Is(items) = &view.refunds else { return Vec::new() };
    items.0.iter().filter_map(|item| CreditedRefund::read(item, &mut c.notes)).collect()
}

/// What was given back to payment records, past Stripe: there is no refund object that tells of it.
fn to_records(credited: &[CreditedRefund<'_>]) -> i64 {
    let to_record =
        |one: &&CreditedRefund<'_>| matches!(&one.kind, Said::Is(kind) if kind == "payment_record_refund");
    let amounts = credited.iter().filter(to_record).filter_map(|one| match one.amount_refunded {
        Said::Is(Amount(amount)) => Some(amount.max(0)),
        _ => None,
    });
    amounts.fold(0_i64, i64::saturating_add)
}
