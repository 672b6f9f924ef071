//! Charges.

use serde_json::json;

use super::{Call, list, update};
use crate::error::{ApiError, Res};
use crate::flows::charge::{self, Charge};
use crate::params;

/// Serves `charges`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostCharges" => create(call),
        "GetChargesCharge" => call.world.find("charge", call.id(), "charge"),
        "GetCharges" => list(call, "charge", "/v1/charges", |o| {
            call.matches(o, "customer") && call.matches(o, "payment_intent")
        }),
        "PostChargesCharge" => update(call, "charge", &["description", "receipt_email"]),
        "PostChargesChargeCapture" => capture(call),
        "GetChargesChargeRefunds" => {
            let id = call.id().to_owned();
            let url = format!("/v1/charges/{id}/refunds");
            list(call, "refund", &url, |o| params::text(o, "charge") == Some(&id))
        }
        _ => return None,
    })
}

/// A charge without a PaymentIntent, as old integrations make it.
fn create(call: &mut Call<'_>) -> Res {
    let missing =
        |name: &str| ApiError::param("parameter_missing", name, format!("Missing required param: {name}."));
    let amount = params::int(call.params, "amount").ok_or_else(|| missing("amount"))?;
    let currency = call.text("currency").ok_or_else(|| missing("currency"))?.to_lowercase();
    if amount < 1 {
        return Err(ApiError::param("parameter_invalid_integer", "amount", "Invalid positive integer"));
    }
    if let Some(customer) = call.text("customer") {
        call.world.live("customer", customer, "customer")?;
    }
    let wanted = Charge {
        amount,
        currency,
        customer: params::owned(call.params, "customer"),
        payment_intent: None,
        description: params::owned(call.params, "description"),
        email: params::owned(call.params, "receipt_email"),
        name: None,
        metadata: params::merged_metadata(&json!({}), call.params.get("metadata")),
        presentment: None,
        captured: params::at(call.params, "capture") != Some(&json!(false)),
    };
    let id = charge::succeed(call.world, &wanted)?;
    call.world.live("charge", &id, "id")
}

fn capture(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let found = call.world.live("charge", &id, "charge")?;
    let amount = params::int(call.params, "amount");
    match params::text(&found, "payment_intent") {
        Some(intent) => crate::flows::intent::capture(call.world, intent, amount)?,
        None => charge::capture(call.world, &id, amount)?,
    }
    call.world.live("charge", &id, "charge")
}
