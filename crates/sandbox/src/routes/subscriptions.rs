//! Subscriptions.

use serde_json::json;

use super::{Call, list, update};
use crate::error::{ApiError, Res};
use crate::events::emit_changed;
use crate::flows::{proration, subscription};
use crate::params;
use crate::plan::{LineSpec, Plan, read_discount};

/// Serves `subscriptions`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostSubscriptions" => create(call),
        "GetSubscriptionsSubscriptionExposedId" => call.world.find("subscription", call.id(), "id"),
        "GetSubscriptions" => all(call),
        "PostSubscriptionsSubscriptionExposedId" => change(call),
        "DeleteSubscriptionsSubscriptionExposedId" => cancel(call),
        _ => return None,
    })
}

/// Paid at once with the customer's payment method, which the sandbox takes for granted.
fn create(call: &mut Call<'_>) -> Res {
    let customer = call
        .text("customer")
        .ok_or_else(|| ApiError::param("parameter_missing", "customer", "Missing required param: customer."))?
        .to_owned();
    call.world.live("customer", &customer, "customer")?;
    let mut lines = Vec::new();
    for (at, item) in params::list(call.params, "items").iter().enumerate() {
        let price = params::text(item, "price").ok_or_else(|| {
            let name = format!("items[{at}][price]");
            ApiError::param("parameter_missing", &name, format!("Missing required param: {name}."))
        })?;
        lines
            .push(LineSpec { price: price.to_owned(), quantity: params::int(item, "quantity").unwrap_or(1) });
    }
    let mut plan = Plan::of(lines);
    plan.discount = read_discount(call.world, call.params)?;
    plan.subscription_metadata = params::merged_metadata(&json!({}), call.params.get("metadata"));
    plan.trial_days = params::int0(call.params, "trial_period_days");
    let started = subscription::start(call.world, &customer, &plan)?;
    subscription::first_payment(call.world, &started.subscription)?;
    call.world.live("subscription", &started.subscription, "id")
}

fn all(call: &mut Call<'_>) -> Res {
    let price = call.text("price");
    let status = call.text("status");
    list(call, "subscription", "/v1/subscriptions", |o| {
        let own = params::text(o, "status").unwrap_or_default();
        call.matches(o, "customer")
            && match status {
                None => own != "canceled",
                Some("all") => true,
                Some("ended") => matches!(own, "canceled" | "incomplete_expired"),
                Some(wanted) => own == wanted,
            }
            && price.is_none_or(|p| {
                params::list(o, "items.data").iter().any(|i| params::text(i, "price.id") == Some(p))
            })
    })
}

fn change(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let before = call.world.live("subscription", &id, "id")?;
    let items = !params::list(call.params, "items").is_empty();
    if items {
        proration::change(call.world, &id, call.params)?;
    }
    let after = update(call, "subscription", &["cancel_at_period_end", "description"])?;
    if let Some(plan) = call.world.plans.get_mut(&id) {
        plan.subscription_metadata = after["metadata"].clone();
    }
    let mut changed = json!({});
    for field in ["metadata", "cancel_at_period_end", "description"] {
        if before.get(field) != after.get(field) {
            changed[field] = before[field].clone();
        }
    }
    if !items || changed.as_object().is_some_and(|c| !c.is_empty()) {
        emit_changed(call.world, "customer.subscription.updated", "subscription", &id, changed)?;
    }
    Ok(after)
}

fn cancel(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    subscription::cancel(call.world, &id)
}
