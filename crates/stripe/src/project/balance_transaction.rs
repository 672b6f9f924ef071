//! `balance_transaction` → facts.

use super::collector::{Collector, Put};
use crate::json::Said;
use crate::views::{BalanceTransaction, Decimal};
use serde_json::value::RawValue;
use tributary_domain::fact::{Field, Kind};

/// Projects a movement. What it belongs to is said by the object that shows it.
pub(crate) fn balance_transaction(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<BalanceTransaction<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::BalanceTransaction, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.currency(&view.currency, &mut c.notes);
    fact.amount(Field::Amount, view.amount);
    fact.amount(Field::Fee, view.fee);
    if let Said::Is(Decimal(rate)) = &view.exchange_rate {
        fact.set(Field::ExchangeRate, rate.as_ref());
    }
    c.add(fact);
}
