//! `refund` → facts.

use super::collector::{Collector, Put};
use crate::views::Refund;
use serde_json::value::RawValue;
use tributary_domain::fact::{Field, Kind};

/// Projects a refund and what is expanded in it.
pub(crate) fn refund(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<Refund<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Refund, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.text(Field::RefundStatus, &view.status);
    fact.currency(&view.currency, &mut c.notes);
    fact.amount(Field::Amount, view.amount);
    fact.link(Field::Charge, &view.charge);
    fact.link(Field::PaymentIntent, &view.payment_intent);
    fact.link(Field::BalanceTransaction, &view.balance_transaction);
    c.add(fact);
    c.expand(Kind::Charge, &view.charge);
    c.expand(Kind::PaymentIntent, &view.payment_intent);
}
