//! `dispute` → facts: the dispute, and each of its movements.

use super::collector::{Collector, Put};
use crate::json::{IdOr, Read, Said};
use crate::views::Dispute;
use serde_json::value::RawValue;
use tributary_domain::fact::{DISPUTE_STAGES, Fact, Field, Kind};

/// Projects a dispute of an event that says that it is over. One that does not say how it ended is remarked.
pub(crate) fn closed_dispute(raw: &RawValue, c: &mut Collector<'_>) {
    if c.view::<Dispute<'_>>(raw).is_some_and(|view| !matches!(view.status, Said::Is(_))) {
        c.notes.add("The dispute is over and does not say how: what it asks back stays held. Compare the sale with Stripe.");
    }
    dispute(raw, c);
}

/// Projects a dispute and what is expanded in it.
pub(crate) fn dispute(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<Dispute<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Dispute, &view.id) else { return };
    if let Said::Is(status) = &view.status
        && !DISPUTE_STAGES.iter().any(|stage| stage.contains(&status.as_ref()))
    {
        c.notes.add("The dispute is in a state that is not known: what it asks back stays held. Compare the sale with Stripe.");
    }
    fact.time(Field::Created, view.created);
    fact.text(Field::DisputeStatus, &view.status);
    fact.text(Field::DisputeReason, &view.reason);
    fact.currency(&view.currency, &mut c.notes);
    fact.amount(Field::Amount, view.amount);
    fact.link(Field::Charge, &view.charge);
    fact.link(Field::PaymentIntent, &view.payment_intent);
    let id = fact.object_id.clone();
    c.add(fact);
    c.expand(Kind::Charge, &view.charge);
    c.expand(Kind::PaymentIntent, &view.payment_intent);
    if let Said::Is(items) = &view.balance_transactions {
        for item in &items.0 {
            movement(item, &id, c);
        }
    }
    if let Said::Is(IdOr { object: Some(object), .. }) = &view.balance_transaction {
        movement(object, &id, c);
    }
}

/// A movement belongs to the dispute that shows it.
fn movement(raw: &RawValue, dispute: &str, c: &mut Collector<'_>) {
    let Some(IdOr { id, object: Some(object) }) = IdOr::read(raw, &mut c.notes) else { return };
    super::balance_transaction(object, c);
    c.add(Fact::new(Kind::BalanceTransaction, id.as_ref(), c.at()).with(Field::Dispute, dispute));
}
