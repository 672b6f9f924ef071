//! PaymentIntents.

use serde_json::{Value, json};

use super::{Call, list, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::flows::intent::{self, Intent};
use crate::params;

/// Stripe's test payment method that is declined.
const DECLINED: &str = "pm_card_chargeDeclined";

/// Serves `payment_intents`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostPaymentIntents" => create(call),
        "GetPaymentIntentsIntent" => call.world.find("payment_intent", call.id(), "intent"),
        "GetPaymentIntents" => {
            list(call, "payment_intent", "/v1/payment_intents", |o| call.matches(o, "customer"))
        }
        "PostPaymentIntentsIntent" => update(call, "payment_intent", &["description", "receipt_email"]),
        "PostPaymentIntentsIntentConfirm" => {
            let id = call.id().to_owned();
            confirm(call, &id)
        }
        "PostPaymentIntentsIntentCapture" => capture(call),
        "PostPaymentIntentsIntentCancel" => cancel(call),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let given = call.params;
    let amount = params::int0(given, "amount");
    if amount < 1 {
        return Err(ApiError::param(
            "parameter_invalid_integer",
            "amount",
            "This value must be greater than or equal to 1.",
        ));
    }
    if let Some(customer) = call.text("customer") {
        call.world.live("customer", customer, "customer")?;
    }
    let wanted = Intent {
        amount,
        currency: call.text("currency").unwrap_or_default().to_lowercase(),
        customer: params::owned(given, "customer"),
        description: params::owned(given, "description"),
        email: params::owned(given, "receipt_email"),
        metadata: params::merged_metadata(&json!({}), given.get("metadata")),
        manual_capture: call.text("capture_method") == Some("manual"),
    };
    let id = intent::create(call.world, &wanted)?;
    if params::flag(given, "confirm") {
        return confirm(call, &id);
    }
    call.world.live("payment_intent", &id, "id")
}

fn confirm(call: &mut Call<'_>, id: &str) -> Res {
    let found = call.world.live("payment_intent", id, "intent")?;
    let status = params::text(&found, "status").unwrap_or_default();
    if !matches!(status, "requires_payment_method" | "requires_confirmation") {
        return Err(unexpected(status, "confirm"));
    }
    if call.text("payment_method") == Some(DECLINED) {
        intent::fail(call.world, id, "card_declined")?;
        return Err(ApiError {
            status: 402,
            kind: "card_error",
            code: Some("card_declined"),
            message: "Your card was declined.".to_owned(),
            param: None,
        });
    }
    intent::succeed(call.world, id)?;
    call.world.live("payment_intent", id, "intent")
}

fn unexpected(status: &str, verb: &str) -> ApiError {
    ApiError {
        code: Some("payment_intent_unexpected_state"),
        ..ApiError::bad(format!("You cannot {verb} this PaymentIntent because it has a status of {status}."))
    }
}

fn capture(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let found = call.world.live("payment_intent", &id, "intent")?;
    let status = params::text(&found, "status").unwrap_or_default();
    if status != "requires_capture" {
        return Err(unexpected(status, "capture"));
    }
    intent::capture(call.world, &id, params::int(call.params, "amount_to_capture"))?;
    call.world.live("payment_intent", &id, "intent")
}

fn cancel(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let found = call.world.live("payment_intent", &id, "intent")?;
    let status = params::text(&found, "status").unwrap_or_default();
    if matches!(status, "succeeded" | "canceled") {
        return Err(unexpected(status, "cancel"));
    }
    let now = call.world.now();
    let reason: Value = params::at(call.params, "cancellation_reason").cloned().unwrap_or(Value::Null);
    let after = call.world.change(
        "payment_intent",
        &id,
        json!({ "status": "canceled", "canceled_at": now, "cancellation_reason": reason, "amount_capturable": 0 }),
    )?;
    let held = params::owned(&found, "latest_charge").filter(|_| status == "requires_capture");
    if let Some(charge) = held {
        // What was held is released; Stripe shows that as refunded, though nothing was ever captured.
        let amount = params::int0(&found, "amount");
        call.world.change("charge", &charge, json!({ "amount_refunded": amount, "refunded": true }))?;
        emit(call.world, "charge.refunded", "charge", &charge)?;
    }
    emit(call.world, "payment_intent.canceled", "payment_intent", &id)?;
    Ok(after)
}
