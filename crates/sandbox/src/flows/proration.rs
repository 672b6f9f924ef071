//! A subscription changes its price, its number or its interval: unused time is given back, the rest of the period
//! is asked for, on an invoice of its own or on the next one.

use serde_json::{Value, json};

use super::billing::{self, Bill};
use super::subscription::{discount_goes_on, period_end};
use crate::error::{ApiError, Res};
use crate::events::emit_changed;
use crate::money::{self, Line, Quote};
use crate::openapi::skeleton::lay;
use crate::params;
use crate::plan::{LineSpec, Plan};
use crate::world::World;

/// One item before and after.
struct Turn {
    item: Value,
    old: Line,
    new: Line,
}

/// Changes items of a subscription as `POST /v1/subscriptions/{id}` asks: `items`, `proration_behavior` and
/// `proration_date`.
///
/// # Errors
/// 404 for an unknown item or price; 400 for a subscription that has ended, or new items, which the sandbox lacks.
pub fn change(world: &mut World, id: &str, given: &Value) -> Res<()> {
    let changes = params::list(given, "items");
    let behaviour = params::text(given, "proration_behavior").unwrap_or("create_prorations");
    let found = world.live("subscription", id, "subscription")?;
    let status = params::owned(&found, "status").unwrap_or_default();
    if !matches!(status.as_str(), "active" | "trialing") {
        return Err(ApiError::bad(format!(
            "Subscription {id} has the status {status} and cannot be changed."
        )));
    }
    let mut turns = Vec::new();
    let plan = new_plan(world, id, &found, changes, &mut turns)?;
    let first = params::list(&found, "items.data").first().cloned().unwrap_or(Value::Null);
    let (start, end) =
        (params::int0(&first, "current_period_start"), params::int0(&first, "current_period_end"));
    let asked = params::int(given, "proration_date").unwrap_or_else(|| world.now());
    let now = asked.clamp(start, end.max(start));
    let turned = turns.iter().any(|t| t.old.recurring != t.new.recurring);
    let period = match turns.first().and_then(|t| t.new.recurring.clone()).filter(|_| turned) {
        Some(recurring) => (now, period_end(now, &recurring)),
        None => (start, end),
    };
    let mut lines = Vec::new();
    if status == "active" {
        for turn in &turns {
            lines.extend(parts(world, turn, (start, now, end), behaviour, turned));
        }
    }
    rewrite(world, id, &found, &turns, period)?;
    world.plans.insert(id.to_owned(), plan);
    let before = json!({ "items": found["items"] });
    if lines.is_empty() || (behaviour == "create_prorations" && !turned) {
        world.prorations.entry(id.to_owned()).or_default().extend(lines);
        return emit_changed(world, "customer.subscription.updated", "subscription", id, before);
    }
    emit_changed(world, "customer.subscription.updated", "subscription", id, before)?;
    let currency = params::owned(&found, "currency").unwrap_or_default();
    let quote = Quote { currency, lines, shipping: 0 };
    let bill = Bill {
        customer: params::owned(&found, "customer").unwrap_or_default(),
        quote,
        reason: "subscription_update",
        period: (now, period.1),
        subscription: Some((id.to_owned(), Vec::new())),
        subscription_metadata: found["metadata"].clone(),
        metadata: json!({}),
        discount: params::list(&found, "discounts").first().and_then(Value::as_str).map(str::to_owned),
    };
    let invoice = billing::issue(world, &bill, None)?;
    world.change("subscription", id, json!({ "latest_invoice": invoice }))?;
    if billing::awaited(world, &invoice).is_ok() {
        billing::pay(world, &invoice)?;
    }
    Ok(())
}

/// The plan after the changes; each item that changes is put into `turns`, priced before and after.
fn new_plan(world: &World, id: &str, found: &Value, changes: &[Value], turns: &mut Vec<Turn>) -> Res<Plan> {
    let mut plan =
        world.plans.get(id).cloned().ok_or_else(|| ApiError::internal("a subscription has no plan"))?;
    plan.shipping = 0;
    plan.lines.retain(|l| world.get("price", &l.price).is_some_and(|p| params::at(p, "recurring").is_some()));
    let items = params::list(found, "items.data");
    let discount = params::list(found, "discounts").first().and_then(Value::as_str);
    let given = discount.is_some_and(|d| discount_goes_on(world, d, world.now()));
    let before = money::quote(world, &plan, given)?;
    let mut touched = Vec::new();
    for change in changes {
        let wanted = params::text(change, "id")
            .ok_or_else(|| ApiError::bad("The sandbox changes items that exist: name one by its id."))?;
        let at = items
            .iter()
            .position(|i| params::text(i, "id") == Some(wanted))
            .ok_or_else(|| ApiError::missing("subscription_item", wanted, "items[0][id]"))?;
        let line = plan.lines.get_mut(at).ok_or_else(|| ApiError::internal("an item has no line"))?;
        *line = LineSpec {
            price: params::owned(change, "price").unwrap_or_else(|| line.price.clone()),
            quantity: params::int(change, "quantity").unwrap_or(line.quantity),
        };
        touched.push(at);
    }
    let after = money::quote(world, &plan, given)?;
    for at in touched {
        if let (Some(item), Some(old), Some(new)) = (items.get(at), before.lines.get(at), after.lines.get(at))
        {
            turns.push(Turn { item: item.clone(), old: old.clone(), new: new.clone() });
        }
    }
    Ok(plan)
}

/// What the change brings: unused time back, and the rest of the period, or a whole new one.
fn parts(world: &World, turn: &Turn, time: (i64, i64, i64), behaviour: &str, turned: bool) -> Vec<Line> {
    let (start, now, end) = time;
    let item = params::owned(&turn.item, "id");
    let (rest, whole) = (end - now, end - start);
    let net = |line: &Line| line.subtotal - line.discount;
    let shared = |line: &Line, amount: i64, text: String| {
        let mut part = Line {
            subtotal: amount,
            discount: 0,
            proration: true,
            item: item.clone(),
            text: Some(text),
            ..line.clone()
        };
        money::put_tax(world, &mut part);
        part
    };
    let mut lines = Vec::new();
    if behaviour != "none" {
        let back = -money::part(net(&turn.old), rest, whole);
        if back != 0 {
            lines.push(shared(&turn.old, back, format!("Unused time on {}", turn.old.description)));
        }
        if !turned {
            let more = money::part(net(&turn.new), rest, whole);
            if more != 0 {
                lines.push(shared(&turn.new, more, format!("Remaining time on {}", turn.new.description)));
            }
        }
    }
    if turned {
        lines.push(Line { item: item.clone(), ..turn.new.clone() });
    }
    lines
}

/// The items as they are now.
fn rewrite(world: &mut World, id: &str, found: &Value, turns: &[Turn], period: (i64, i64)) -> Res<()> {
    let mut items = params::list(found, "items.data").to_vec();
    for item in &mut items {
        lay(item, json!({ "current_period_start": period.0, "current_period_end": period.1 }));
        let turn = turns.iter().find(|t| t.item.get("id") == item.get("id"));
        if let (Some(turn), Some(map)) = (turn, item.as_object_mut()) {
            let price = world.get("price", &turn.new.price).cloned().unwrap_or(Value::Null);
            map.insert("price".to_owned(), price);
            map.insert("quantity".to_owned(), json!(turn.new.quantity));
        }
    }
    world.change("subscription", id, json!({ "items": { "data": items } }))?;
    Ok(())
}
