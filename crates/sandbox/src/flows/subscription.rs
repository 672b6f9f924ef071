//! Subscriptions: started, paid, renewed, cancelled.

use serde_json::{Value, json};

use super::billing::{self, Bill};
use crate::clock::add_months;
use crate::error::{ApiError, Res};
use crate::events::{emit, emit_changed};
use crate::money;
use crate::openapi::skeleton::lay;
use crate::params;
use crate::plan::Plan;
use crate::world::World;

const DAY: i64 = 86_400;

/// A subscription that waits for its first payment.
#[derive(Debug)]
pub struct Started {
    /// `sub_…`
    pub subscription: String,
    /// Its first invoice.
    pub invoice: String,
}

/// End of a period that starts at `start`.
pub fn period_end(start: i64, recurring: &(String, i64)) -> i64 {
    let (interval, count) = recurring;
    match interval.as_str() {
        "day" => start + DAY * count,
        "week" => start + 7 * DAY * count,
        "year" => add_months(start, 12 * count),
        _ => add_months(start, *count),
    }
}

/// Makes an incomplete subscription with its first invoice. One-time prices go on that invoice only.
///
/// # Errors
/// 404 for an unknown price; 400 if none is recurring.
pub fn start(world: &mut World, customer: &str, plan: &Plan) -> Res<Started> {
    let quote = money::quote(world, plan, true)?;
    let recurring = quote.lines.iter().find_map(|l| l.recurring.clone()).ok_or_else(|| {
        ApiError::bad("You must provide at least one recurring price in `subscription` mode.")
    })?;
    let id = world.ids.next("sub");
    let now = world.now();
    let trial_end = (plan.trial_days > 0).then(|| now + DAY * plan.trial_days);
    let end = trial_end.unwrap_or_else(|| period_end(now, &recurring));
    let mut items = Vec::new();
    let mut item_ids = Vec::new();
    for line in quote.lines.iter().filter(|l| l.recurring.is_some()) {
        let item = item(world, &id, line, (now, end));
        item_ids.push(params::owned(&item, "id").unwrap_or_default());
        items.push(item);
    }
    let discount = discount(world, plan, customer, &id)?;
    let over = json!({
        "id": id,
        "billing_cycle_anchor": end.min(trial_end.unwrap_or(now)),
        "billing_mode": { "type": "flexible", "flexible": { "proration_discounts": "included" } },
        "collection_method": "charge_automatically",
        "currency": quote.currency,
        "customer": customer,
        "default_tax_rates": [],
        "discounts": discount.iter().collect::<Vec<_>>(),
        "invoice_settings": { "issuer": { "type": "self" } },
        "items": { "data": items, "has_more": false, "url": format!("/v1/subscription_items?subscription={id}") },
        "metadata": plan.subscription_metadata,
        "start_date": now,
        "status": "incomplete",
        "trial_end": trial_end,
        "trial_start": trial_end.map(|_| now),
    });
    let mut subscription = world.build("subscription", "sub", over);
    if let Some(map) = subscription.as_object_mut() {
        map.remove("managed_payments");
        map.remove("customer_account");
    }
    world.keep("subscription", subscription)?;
    world.plans.insert(id.clone(), plan.clone());
    let bill = Bill {
        customer: customer.to_owned(),
        quote: if trial_end.is_some() { quote.free() } else { quote },
        reason: "subscription_create",
        period: (now, end),
        subscription: Some((id.clone(), item_ids)),
        subscription_metadata: plan.subscription_metadata.clone(),
        metadata: json!({}),
        discount,
    };
    let invoice = billing::issue(world, &bill, None)?;
    world.change("subscription", &id, json!({ "latest_invoice": invoice }))?;
    Ok(Started { subscription: id, invoice })
}

fn item(world: &mut World, subscription: &str, line: &money::Line, period: (i64, i64)) -> Value {
    let price = world.get("price", &line.price).cloned().unwrap_or(Value::Null);
    world.build(
        "subscription_item",
        "si",
        json!({
            "current_period_end": period.1,
            "current_period_start": period.0,
            "price": price,
            "quantity": line.quantity,
            "subscription": subscription,
            "tax_rates": [],
        }),
    )
}

/// Makes the discount object of a subscription, and counts the redemption.
fn discount(world: &mut World, plan: &Plan, customer: &str, subscription: &str) -> Res<Option<String>> {
    let Some(spec) = plan.discount.clone() else { return Ok(None) };
    let coupon = world.live("coupon", &spec.coupon, "coupon")?;
    let now = world.now();
    let end = (params::text(&coupon, "duration") == Some("repeating"))
        .then(|| add_months(now, params::int0(&coupon, "duration_in_months")));
    let id = world.make(
        "discount",
        "di",
        json!({
            "customer": customer,
            "end": end,
            "promotion_code": spec.promotion_code,
            "source": { "type": "coupon", "coupon": spec.coupon },
            "start": now,
            "subscription": subscription,
        }),
    )?;
    redeem(world, plan)?;
    Ok(Some(id))
}

/// Counts one use of a plan's coupon and promotion code.
///
/// # Errors
/// 404 if one of them is gone.
pub fn redeem(world: &mut World, plan: &Plan) -> Res<()> {
    let Some(spec) = &plan.discount else { return Ok(()) };
    let used = params::int0(&world.live("coupon", &spec.coupon, "coupon")?, "times_redeemed");
    world.change("coupon", &spec.coupon, json!({ "times_redeemed": used + 1 }))?;
    if let Some(code) = &spec.promotion_code {
        let used = params::int0(&world.live("promotion_code", code, "promotion_code")?, "times_redeemed");
        world.change("promotion_code", code, json!({ "times_redeemed": used + 1 }))?;
    }
    Ok(())
}

/// The first invoice is paid (or free): the subscription begins.
///
/// # Errors
/// 404 if there is no such subscription.
pub fn first_payment(world: &mut World, id: &str) -> Res<()> {
    let subscription = world.live("subscription", id, "subscription")?;
    let invoice = params::owned(&subscription, "latest_invoice").unwrap_or_default();
    if params::text(&world.live("invoice", &invoice, "invoice")?, "status") == Some("open") {
        billing::pay(world, &invoice)?;
    }
    let status = if params::at(&subscription, "trial_end").is_some() { "trialing" } else { "active" };
    world.change("subscription", id, json!({ "status": status }))?;
    emit(world, "customer.subscription.created", "subscription", id)
}

/// Bills the next period and pays it. With `at_period_end` the clock first moves to the end of the current one.
/// Returns the invoice's id.
///
/// # Errors
/// 400 if the subscription has ended or never began.
pub fn renew(world: &mut World, id: &str, at_period_end: bool) -> Res<String> {
    let subscription = world.live("subscription", id, "subscription")?;
    let status = params::text(&subscription, "status").unwrap_or_default();
    if !matches!(status, "active" | "trialing" | "past_due") {
        return Err(ApiError::bad(format!(
            "Subscription {id} has the status {status} and cannot be renewed."
        )));
    }
    let mut items = params::list(&subscription, "items.data").to_vec();
    let start = items.first().map(|i| params::int0(i, "current_period_end")).unwrap_or_default();
    if at_period_end {
        world.clock.advance_to(start);
    }
    let mut plan =
        world.plans.get(id).cloned().ok_or_else(|| ApiError::internal("a subscription has no plan"))?;
    plan.shipping = 0;
    plan.lines.retain(|l| world.get("price", &l.price).is_some_and(|p| params::at(p, "recurring").is_some()));
    let discount =
        params::list(&subscription, "discounts").first().and_then(Value::as_str).map(str::to_owned);
    let goes_on = discount.as_deref().is_some_and(|d| discount_goes_on(world, d, start));
    let mut quote = money::quote(world, &plan, goes_on)?;
    quote.lines.extend(world.prorations.remove(id).unwrap_or_default());
    let recurring = quote.lines.iter().find_map(|l| l.recurring.clone()).unwrap_or(("month".to_owned(), 1));
    let end = period_end(start, &recurring);
    let item_ids: Vec<String> = items.iter().filter_map(|i| params::owned(i, "id")).collect();
    let before = json!({
        "items": { "data": items.clone() },
        "latest_invoice": subscription["latest_invoice"],
        "status": status,
    });
    for item in &mut items {
        lay(item, json!({ "current_period_start": start, "current_period_end": end }));
    }
    world.change("subscription", id, json!({ "items": { "data": items }, "status": "active" }))?;
    let bill = Bill {
        customer: params::owned(&subscription, "customer").unwrap_or_default(),
        quote,
        reason: "subscription_cycle",
        period: (start, end),
        subscription: Some((id.to_owned(), item_ids)),
        subscription_metadata: subscription["metadata"].clone(),
        metadata: json!({}),
        discount: discount.filter(|_| goes_on),
    };
    let invoice = billing::issue(world, &bill, None)?;
    world.change("subscription", id, json!({ "latest_invoice": invoice }))?;
    emit_changed(world, "customer.subscription.updated", "subscription", id, before)?;
    if billing::awaited(world, &invoice).is_ok() {
        billing::pay(world, &invoice)?;
    }
    Ok(invoice)
}

/// Is the discount still given at a moment after the first invoice?
pub fn discount_goes_on(world: &World, discount: &str, at: i64) -> bool {
    let Some(discount) = world.get("discount", discount) else { return false };
    let coupon = params::text(discount, "source.coupon").and_then(|c| world.get("coupon", c));
    match coupon.and_then(|c| params::text(c, "duration")) {
        Some("forever") => true,
        Some("repeating") => params::int(discount, "end").is_some_and(|end| at < end),
        _ => false,
    }
}

/// Ends a subscription now.
///
/// # Errors
/// 404 if there is none, or it has ended already.
pub fn cancel(world: &mut World, id: &str) -> Res {
    let subscription = world.live("subscription", id, "subscription_exposed_id")?;
    if params::text(&subscription, "status") == Some("canceled") {
        return Err(ApiError::missing("subscription", id, "subscription_exposed_id"));
    }
    let now = world.now();
    let after = world.change(
        "subscription",
        id,
        json!({
            "status": "canceled",
            "canceled_at": now,
            "ended_at": now,
            "cancellation_details": { "comment": null, "feedback": null, "reason": "cancellation_requested" },
        }),
    )?;
    emit(world, "customer.subscription.deleted", "subscription", id)?;
    Ok(after)
}
