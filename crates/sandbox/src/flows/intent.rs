//! PaymentIntents from creation to capture.

use serde_json::{Value, json};

use super::charge::{self, Charge};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::params;
use crate::world::World;

/// A PaymentIntent to make.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Minor units, above 0.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
    /// Stripe customer.
    pub customer: Option<String>,
    /// Text.
    pub description: Option<String>,
    /// Who pays.
    pub email: Option<String>,
    /// Metadata.
    pub metadata: Value,
    /// Authorise first.
    pub manual_capture: bool,
}

/// Makes a PaymentIntent that waits for a payment method.
///
/// # Errors
/// 400 if the sandbox is full.
pub fn create(world: &mut World, wanted: &Intent) -> Res<String> {
    let id = world.ids.next("pi");
    let secret = world.ids.letters(25);
    let mut intent = world.build(
        "payment_intent",
        "pi",
        json!({
            "id": id,
            "amount": wanted.amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "capture_method": if wanted.manual_capture { "manual" } else { "automatic_async" },
            "client_secret": format!("{id}_secret_{secret}"),
            "confirmation_method": "automatic",
            "currency": wanted.currency,
            "customer": wanted.customer,
            "description": wanted.description,
            "metadata": wanted.metadata,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "receipt_email": wanted.email,
            "status": "requires_payment_method",
        }),
    );
    if let Some(map) = intent.as_object_mut() {
        map.remove("managed_payments");
    }
    world.keep("payment_intent", intent)?;
    emit(world, "payment_intent.created", "payment_intent", &id)?;
    Ok(id)
}

fn charge_of(world: &World, id: &str) -> Res<Charge> {
    let intent = world.live("payment_intent", id, "payment_intent")?;
    let customer = params::owned(&intent, "customer");
    let buyer = customer.as_ref().and_then(|c| world.get("customer", c));
    let email =
        params::owned(&intent, "receipt_email").or_else(|| buyer.and_then(|b| params::owned(b, "email")));
    Ok(Charge {
        amount: params::int0(&intent, "amount"),
        currency: params::owned(&intent, "currency").unwrap_or_default(),
        name: buyer.and_then(|b| params::owned(b, "name")),
        customer,
        payment_intent: Some(id.to_owned()),
        description: params::owned(&intent, "description"),
        email,
        metadata: intent["metadata"].clone(),
        captured: params::text(&intent, "capture_method") != Some("manual"),
        presentment: params::at(&intent, "presentment_details").cloned(),
    })
}

/// The bank debit that is on its way.
fn pending_charge(world: &World, id: &str) -> Option<String> {
    let charge = params::owned(world.get("payment_intent", id)?, "latest_charge")?;
    (params::text(world.get("charge", &charge)?, "status") == Some("pending")).then_some(charge)
}

/// The payment method went through: charged, or authorised if it is to be captured by hand.
///
/// # Errors
/// 404 if there is no such PaymentIntent.
pub fn succeed(world: &mut World, id: &str) -> Res<()> {
    let wanted = charge_of(world, id)?;
    let charge = match pending_charge(world, id) {
        Some(charge) => {
            charge::arrive(world, &charge)?;
            charge
        }
        None => charge::succeed(world, &wanted)?,
    };
    let method = world.ids.next("pm");
    world.change("charge", &charge, json!({ "payment_method": method }))?;
    let values = if wanted.captured {
        json!({ "status": "succeeded", "amount_received": wanted.amount })
    } else {
        json!({ "status": "requires_capture", "amount_capturable": wanted.amount })
    };
    world.change("payment_intent", id, values)?;
    world.change(
        "payment_intent",
        id,
        json!({ "latest_charge": charge, "payment_method": method, "processing": null, "last_payment_error": null }),
    )?;
    let event =
        if wanted.captured { "payment_intent.succeeded" } else { "payment_intent.amount_capturable_updated" };
    emit(world, event, "payment_intent", id)
}

/// The payment method takes days to answer.
///
/// # Errors
/// 404 if there is no such PaymentIntent.
pub fn process(world: &mut World, id: &str) -> Res<()> {
    let wanted = charge_of(world, id)?;
    let charge = charge::pend(world, &wanted)?;
    world.change("payment_intent", id, json!({ "status": "processing", "latest_charge": charge }))?;
    emit(world, "payment_intent.processing", "payment_intent", id)
}

/// The payment method was refused.
///
/// # Errors
/// 404 if there is no such PaymentIntent.
pub fn fail(world: &mut World, id: &str, code: &str) -> Res<()> {
    let wanted = charge_of(world, id)?;
    let charge = match pending_charge(world, id) {
        Some(charge) => {
            charge::bounce(world, &charge, code)?;
            charge
        }
        None => charge::fail(world, &wanted, code)?,
    };
    world.change(
        "payment_intent",
        id,
        json!({
            "latest_charge": charge,
            "last_payment_error": { "code": code, "message": "The payment failed.", "type": "card_error" },
            "status": "requires_payment_method",
        }),
    )?;
    emit(world, "payment_intent.payment_failed", "payment_intent", id)
}

/// Captures what was authorised, and marks the session paid that asked for it.
///
/// # Errors
/// 400 if there is nothing to capture, or for too much.
pub fn capture(world: &mut World, id: &str, amount: Option<i64>) -> Res<()> {
    let intent = world.live("payment_intent", id, "payment_intent")?;
    let charge = params::owned(&intent, "latest_charge")
        .ok_or_else(|| ApiError::bad(format!("PaymentIntent {id} has no charge to capture.")))?;
    charge::capture(world, &charge, amount)?;
    let captured = amount.unwrap_or_else(|| params::int0(&intent, "amount"));
    world.change(
        "payment_intent",
        id,
        json!({ "status": "succeeded", "amount_capturable": 0, "amount_received": captured }),
    )?;
    let session =
        world.related("checkout.session", "payment_intent", id).next().and_then(|s| params::owned(s, "id"));
    if let Some(session) = session {
        world.change("checkout.session", &session, json!({ "payment_status": "paid" }))?;
    }
    emit(world, "payment_intent.succeeded", "payment_intent", id)
}
