//! Refunds: made, confirmed or failed later.

use serde_json::{Value, json};

use super::charge;
use crate::error::{ApiError, Res};
use crate::events::{emit, emit_changed};
use crate::params;
use crate::world::World;

/// A refund to make.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Minor units; all that is left if absent.
    pub amount: Option<i64>,
    /// Stripe's `reason`.
    pub reason: Option<String>,
    /// Metadata; null for none.
    pub metadata: Value,
    /// The bank has to confirm it first.
    pub pending: bool,
}

/// Refunds a captured charge.
///
/// # Errors
/// 400 for a charge that is not captured, refunded already, or for more than is left.
pub fn create(world: &mut World, charge: &str, wanted: &Wanted) -> Res<String> {
    let found = world.live("charge", charge, "charge")?;
    let refunded = params::int0(&found, "amount_refunded");
    let captured = params::int0(&found, "amount_captured");
    let amount = amount(charge, wanted.amount, captured, charge::left(&found))?;
    let currency = params::owned(&found, "currency").unwrap_or_default();
    let metadata = if wanted.metadata.is_null() { json!({}) } else { wanted.metadata.clone() };
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
            "reason": wanted.reason,
            "status": if wanted.pending { "pending" } else { "succeeded" },
        }),
    );
    if let Some(shown) = params::at(&found, "presentment_details") {
        let whole = i128::from(params::int0(shown, "presentment_amount"));
        let part = whole * i128::from(amount) / i128::from(params::int0(&found, "amount").max(1));
        refund["presentment_details"] = json!({
            "presentment_amount": i64::try_from(part).unwrap_or(i64::MAX),
            "presentment_currency": shown["presentment_currency"],
        });
    }
    if wanted.pending {
        refund["pending_reason"] = json!("processing");
    }
    let id = params::owned(&refund, "id").unwrap_or_default();
    refund["balance_transaction"] = json!(charge::balance(world, "refund", -amount, 0, &currency, &id)?);
    world.keep("refund", refund)?;
    world.change(
        "charge",
        charge,
        json!({ "amount_refunded": refunded + amount, "refunded": amount == charge::left(&found) }),
    )?;
    emit_changed(world, "charge.refunded", "charge", charge, json!({ "amount_refunded": refunded }))?;
    emit(world, "refund.created", "refund", &id)?;
    if !wanted.pending {
        // The bank's reference arrives a moment later.
        referenced(world, &id)?;
        emit(world, "refund.updated", "refund", &id)?;
    }
    Ok(id)
}

fn amount(charge: &str, wanted: Option<i64>, captured: i64, left: i64) -> Res<i64> {
    if captured == 0 {
        return Err(ApiError::bad(format!("Charge {charge} has nothing captured to refund.")));
    }
    if left == 0 {
        return Err(ApiError {
            code: Some("charge_already_refunded"),
            ..ApiError::bad(format!("Charge {charge} has already been refunded."))
        });
    }
    let amount = wanted.unwrap_or(left);
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
    Ok(amount)
}

fn referenced(world: &mut World, id: &str) -> Res {
    world.change(
        "refund",
        id,
        json!({ "destination_details": { "card": { "reference": "4242424242424242", "reference_status": "available" } } }),
    )
}

/// The bank confirms a pending refund.
///
/// # Errors
/// 400 for a refund that is not pending.
pub fn confirm(world: &mut World, id: &str) -> Res {
    let refund = world.live("refund", id, "refund")?;
    if params::text(&refund, "status") != Some("pending") {
        return Err(ApiError::bad(format!("Refund {id} is not pending.")));
    }
    let mut after = referenced(world, id)?;
    if let Some(map) = after.as_object_mut() {
        map.remove("pending_reason");
        map.insert("status".to_owned(), json!("succeeded"));
    }
    world.replace("refund", id, after)?;
    emit_changed(world, "refund.updated", "refund", id, json!({ "status": "pending" }))?;
    world.live("refund", id, "refund")
}

/// A refund comes back from the bank: the buyer keeps nothing, the merchant has the money again.
///
/// # Errors
/// 400 if the refund did not succeed before and is not pending.
pub fn fail(world: &mut World, id: &str) -> Res {
    let mut refund = world.live("refund", id, "refund")?;
    let before = params::owned(&refund, "status").unwrap_or_default();
    if !matches!(before.as_str(), "succeeded" | "pending") {
        return Err(ApiError::bad(format!("Refund {id} has not succeeded, so it cannot fail.")));
    }
    let amount = params::int0(&refund, "amount");
    let currency = params::owned(&refund, "currency").unwrap_or_default();
    let entry = charge::balance(world, "refund_failure", amount, 0, &currency, id)?;
    if let Some(map) = refund.as_object_mut() {
        map.remove("pending_reason");
        map.insert("status".to_owned(), json!("failed"));
        map.insert("failure_reason".to_owned(), json!("lost_or_stolen_card"));
        map.insert("failure_balance_transaction".to_owned(), json!(entry));
    }
    let charge = params::owned(&refund, "charge").unwrap_or_default();
    world.replace("refund", id, refund)?;
    let refunded = params::int0(&world.live("charge", &charge, "charge")?, "amount_refunded");
    world.change("charge", &charge, json!({ "amount_refunded": refunded - amount, "refunded": false }))?;
    emit_changed(world, "refund.updated", "refund", id, json!({ "status": before }))?;
    emit(world, "refund.failed", "refund", id)?;
    world.live("refund", id, "refund")
}
