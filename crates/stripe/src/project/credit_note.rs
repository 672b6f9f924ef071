//! `credit_note` → facts.

use super::collector::{Collector, Put};
use crate::json::{Read, Said};
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
    match view.out_of_band_amount {
        // Stripe's word for none.
        Said::Null => fact.set(Field::OutOfBand, 0_i64),
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
    if let Said::Is(items) = &view.refunds {
        for item in &items.0 {
            if let Some(credited) = CreditedRefund::read(item, &mut c.notes) {
                c.expand(Kind::Refund, &credited.refund);
            }
        }
    }
}
