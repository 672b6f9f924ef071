//! `customer` → facts: a buyer, never a part of a sale.

use super::codes;
use super::collector::{Collector, Put};
use crate::json::Said;
use crate::views::Customer;
use serde_json::value::RawValue;
use tributary_domain::fact::{Field, Kind, Value};

/// Projects a customer.
pub(crate) fn customer(raw: &RawValue, c: &mut Collector<'_>) {
    project(raw, c, false);
}

/// Projects a customer of an event that says that it was deleted.
pub(crate) fn deleted_customer(raw: &RawValue, c: &mut Collector<'_>) {
    project(raw, c, true);
}

fn project(raw: &RawValue, c: &mut Collector<'_>, deleted: bool) {
    let Some(view) = c.view::<Customer<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Customer, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.metadata(&view.metadata, Field::PartnerKey, Field::CustomerKey);
    if let Said::Is(discount) = &view.discount {
        let mut codes = codes::Codes::default();
        codes.add(discount, c);
        codes.standing(&mut fact);
    }
    if deleted || view.deleted == Said::Is(true) {
        fact.set(Field::Deleted, true);
    }
    if view.email.is_null() {
        fact.set(Field::EmailHash, Value::Null);
    }
    let (email, name) = (view.email.as_ref().value(), view.name.as_ref().value());
    c.person(&mut fact, email.map(AsRef::as_ref), name.map(AsRef::as_ref));
    c.add(fact);
}
