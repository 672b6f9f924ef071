//! `subscription` → facts: who brought its customer, never a part of a sale.

use super::codes;
use super::collector::{Collector, Put};
use crate::json::Said;
use crate::views::Subscription;
use serde_json::value::RawValue;
use tributary_domain::fact::{Field, Kind};

/// Projects a subscription.
pub(crate) fn subscription(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<Subscription<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::Subscription, &view.id) else { return };
    fact.time(Field::Created, view.created);
    fact.buyer(&view.customer, &view.customer_account);
    fact.metadata(&view.metadata, Field::PartnerKey, Field::CustomerKey);
    let mut found = codes::of_list(&view.discounts, c);
    if let Said::Is(discount) = &view.discount {
        found.add(discount, c);
    }
    found.standing(&mut fact);
    c.add(fact);
    c.expand(Kind::Customer, &view.customer);
}
