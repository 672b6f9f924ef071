//! Refunds: made, and failed later.

use serde_json::{Value, json};

use super::charge;
use crate::error::{ApiError, Res};
use crate::events::{emit, emit_changed};
use crate::params;
use crate::world::World;

/// Refunds a captured charge; without an amount, all that is left.
///
/// # Errors
/// 400 for a charge that is not captured, refunded already, or for more than is left.
pub fn create(
    world: &mut World,
    charge: &str,
    amount: Option<i64>,
    reason: Option<String>,
    metadata: Value,
) -> Res<String> {
    let found = world.live("charge", charge, "charge")?;
    let captured = params::int0(&found, "amount_captured");
    let refunded = params::int0(&found, "amount_refunded");
    let left = captured - refunded;
    if captured == 0 {
        return Err(ApiError::bad(format!("Charge {charge} has nothing captured to refund.")));
    }
    if left == 0 {
        return Err(ApiError {
            code: Some("charge_already_refunded"),
            ..ApiError::bad(format!("Charge {charge} has already been refunded."))
        });
    }
    let amount = amount.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::param("parameter_invalid_integer", "amount", "Invalid positive integer"));
    }
    if amount > left {
        return Err(ApiError::param(
            "",
            "amount",
            format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"),
        )
        .without_code());
    }
    let currency = params::owned(&found, "currency").unwrap_or_default();
    let mut refund = world.build(
        "refund",
        "re",
        json!({
            "amount": amount,
            "charge": charge,
            "currency": currency,
            "destination_details": {
                "type": "card",
                "card": { "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" },
            },
            "metadata": metadata,
            "payment_intent": found["payment_intent"],
            "reason": reason,
            "status": "succeeded",
        }),
    );
    let id = params::owned(&refund, "id").unwrap_or_default();
    refund["balance_transaction"] = json!(charge::balance(world, "refund", -amount, 0, &currency, &id)?);
    world.keep("refund", refund)?;
    world.change(
        "charge",
        charge,
        json!({ "amount_refunded": refunded + amount, "refunded": refunded + amount == captured }),
    )?;
    emit_changed(world, "charge.refunded", "charge", charge, json!({ "amount_refunded": refunded }))?;
    emit(world, "refund.created", "refund", &id)?;
    // The bank's reference arrives a moment later.
    world.change(
        "refund",
        &id,
        json!({ "destination_details": { "card": { "reference": "4242424242424242", "reference_status": "available" } } }),
    )?;
    emit(world, "refund.updated", "refund", &id)?;
    Ok(id)
}

/// A refund comes back from the bank: the buyer keeps nothing, the merchant has the money again.
///
/// # Errors
/// 400 if the refund did not succeed before.
pub fn fail(world: &mut World, id: &str) -> Res {
    let refund = world.live("refund", id, "refund")?;
    if params::text(&refund, "status") != Some("succeeded") {
        return Err(ApiError::bad(format!("Refund {id} has not succeeded, so it cannot fail.")));
    }
    let amount = params::int0(&refund, "amount");
    let currency = params::owned(&refund, "currency").unwrap_or_default();
    let entry = charge::balance(world, "refund_failure", amount, 0, &currency, id)?;
    world.change(
        "refund",
        id,
        json!({ "status": "failed", "failure_reason": "lost_or_stolen_card", "failure_balance_transaction": entry }),
    )?;
    let charge = params::owned(&refund, "charge").unwrap_or_default();
    let before = params::int0(&world.live("charge", &charge, "charge")?, "amount_refunded");
    world.change("charge", &charge, json!({ "amount_refunded": before - amount, "refunded": false }))?;
    emit_changed(world, "refund.updated", "refund", id, json!({ "status": "succeeded" }))?;
    emit(world, "refund.failed", "refund", id)?;
    world.live("refund", id, "refund")
}
