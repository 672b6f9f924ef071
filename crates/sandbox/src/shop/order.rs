//! An order as its buyer sees it: what was bought, every payment of it, and what was given back.

use serde_json::Value;

use super::{show_money, stripe, world};
use crate::clock::shown_day;
use crate::error::{ApiError, Res};
use crate::flows::subscription;
use crate::params;
use crate::shared::Shared;
use crate::world::World;

/// One payment of an order.
#[derive(Debug, Clone)]
pub struct Payment {
    /// `ch_…`
    pub charge: String,
    /// Number of the invoice, or the id of the payment where there is none.
    pub number: String,
    /// `22 Nov 2026`
    pub day: String,
    /// `$40.00`
    pub amount: String,
    /// `$20.00`, if something was given back.
    pub refunded: Option<String>,
    /// Half of what was paid, if that much is left to give back.
    pub half: Option<String>,
    /// What is left to give back.
    pub left: Option<String>,
}

/// One order: one paid checkout session.
#[derive(Debug, Clone)]
pub struct Order {
    /// `cs_…`
    pub id: String,
    /// What was bought.
    pub title: String,
    /// Who bought it.
    pub email: String,
    /// `sub_…`, if it renews.
    pub subscription: Option<String>,
    /// The newest first.
    pub payments: Vec<Payment>,
}

/// How much of a payment goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Half of what was paid.
    Half,
    /// All that is left.
    Rest,
}

/// An order by its session; `None` if there is none or it was not paid.
pub fn read(world: &World, id: &str) -> Option<Order> {
    let session = world.get("checkout.session", id)?;
    if params::text(session, "status") != Some("complete") {
        return None;
    }
    let subscription = params::owned(session, "subscription");
    let payments = match &subscription {
        Some(subscription) => invoices(world, subscription),
        None => params::text(session, "payment_intent")
            .and_then(|intent| payment(world, intent, intent))
            .into_iter()
            .collect(),
    };
    let plan = world.plans.get(id);
    let title = plan
        .and_then(|p| p.lines.first())
        .and_then(|l| world.get("price", &l.price))
        .and_then(|p| world.get("product", params::text(p, "product")?))
        .and_then(|p| params::owned(p, "name"))
        .unwrap_or_else(|| "Order".to_owned());
    let email = params::owned(session, "customer_details.email").unwrap_or_default();
    Some(Order { id: id.to_owned(), title, email, subscription, payments })
}

fn invoices(world: &World, subscription: &str) -> Vec<Payment> {
    world
        .newest("invoice")
        .filter(|i| params::text(i, "parent.subscription_details.subscription") == Some(subscription))
        .filter_map(|invoice| {
            let id = params::text(invoice, "id")?;
            let paid = world.related("invoice_payment", "invoice", id).next()?;
            payment(world, params::text(paid, "payment.payment_intent")?, params::text(invoice, "number")?)
        })
        .collect()
}

fn payment(world: &World, intent: &str, number: &str) -> Option<Payment> {
    let charge = world.get("charge", params::text(world.get("payment_intent", intent)?, "latest_charge")?)?;
    let currency = params::text(charge, "currency")?;
    let (captured, refunded) =
        (params::int0(charge, "amount_captured"), params::int0(charge, "amount_refunded"));
    let left = captured - refunded;
    let shown = |amount: i64| (amount > 0).then(|| show_money(amount, currency));
    Some(Payment {
        charge: params::owned(charge, "id")?,
        number: number.to_owned(),
        day: shown_day(params::int0(charge, "created")),
        amount: show_money(captured, currency),
        refunded: shown(refunded),
        half: (refunded < captured && captured / 2 <= left).then(|| show_money(captured / 2, currency)),
        left: shown(left),
    })
}

/// Bills the next period of an order's subscription now.
///
/// # Errors
/// 400 if there is no subscription, or it has ended.
pub fn renew(shared: &Shared, order: &Order) -> Res<()> {
    let subscription =
        order.subscription.as_deref().ok_or_else(|| ApiError::bad("This order does not renew."))?;
    shared.world(&world(), |world| subscription::renew(world, subscription, false))??;
    shared.wake.notify_one();
    Ok(())
}

/// Gives money back, by the API, as the shop's owner would.
///
/// # Errors
/// 404 if the payment is not of this order; else what the API says.
pub fn refund(shared: &Shared, order: &Order, charge: &str, share: Share) -> Res<Value> {
    if !order.payments.iter().any(|p| p.charge == charge) {
        return Err(ApiError::missing("charge", charge, "charge"));
    }
    let captured = shared
        .with(&world(), |w| w.get("charge", charge).map(|c| params::int0(c, "amount_captured")))
        .flatten()
        .unwrap_or_default();
    let half = (captured / 2).to_string();
    let mut form = vec![("charge", charge), ("reason", "requested_by_customer")];
    if share == Share::Half {
        form.push(("amount", &half));
    }
    stripe(shared, "POST", "refunds", &form)
}
