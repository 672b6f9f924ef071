//! Disputes: opened by the buyer's bank, later won or lost.

use serde_json::{Value, json};

use super::charge;
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::params;
use crate::world::World;

/// Stripe's fee on a dispute, minor units.
const FEE: i64 = 1_500;
/// Time to answer.
const DUE_SECONDS: i64 = 9 * 86_400;

/// Opens a dispute on a captured charge and takes its money; without an amount, all that is not refunded.
///
/// # Errors
/// 400 for a charge that is not captured or disputed already, or too large an amount.
pub fn open(world: &mut World, charge: &str, amount: Option<i64>, reason: &str) -> Res {
    let found = world.live("charge", charge, "charge")?;
    let left = params::int0(&found, "amount_captured") - params::int0(&found, "amount_refunded");
    let amount = amount.unwrap_or(left);
    if params::flag(&found, "disputed") || !(1..=left).contains(&amount) {
        return Err(ApiError::bad(format!("Charge {charge} cannot be disputed over {amount}.")));
    }
    let currency = params::owned(&found, "currency").unwrap_or_default();
    let due = world.now() + DUE_SECONDS;
    let id = world.ids.next("dp");
    let entry = movement(world, -amount, FEE, &currency, &id)?;
    world.make(
        "dispute",
        "dp",
        json!({
            "id": id,
            "amount": amount,
            "balance_transactions": [entry],
            "charge": charge,
            "currency": currency,
            "evidence_details": { "due_by": due, "has_evidence": false, "past_due": false, "submission_count": 0 },
            "is_charge_refundable": false,
            "payment_intent": found["payment_intent"],
            "payment_method_details": { "type": "card", "card": { "brand": "visa", "case_type": "chargeback", "network_reason_code": "10" } },
            "reason": reason,
            "status": "needs_response",
        }),
    )?;
    world.change("charge", charge, json!({ "disputed": true }))?;
    emit(world, "charge.dispute.created", "dispute", &id)?;
    emit(world, "charge.dispute.funds_withdrawn", "dispute", &id)?;
    world.live("dispute", &id, "dispute")
}

fn movement(world: &mut World, amount: i64, fee: i64, currency: &str, dispute: &str) -> Res {
    let id = charge::balance(world, "adjustment", amount, fee, currency, dispute)?;
    world.live("balance_transaction", &id, "id")
}

/// Closes an open dispute: `won` brings the money back, `lost` does not.
///
/// # Errors
/// 400 for a dispute that is closed, or another outcome.
pub fn close(world: &mut World, id: &str, outcome: &str) -> Res {
    let dispute = world.live("dispute", id, "dispute")?;
    let open = !matches!(params::text(&dispute, "status"), Some("won" | "lost" | "warning_closed"));
    if !open || !matches!(outcome, "won" | "lost") {
        return Err(ApiError::bad(format!("Dispute {id} cannot be closed as {outcome}.")));
    }
    world.change("dispute", id, json!({ "status": outcome }))?;
    if outcome == "won" {
        let amount = params::int0(&dispute, "amount");
        let currency = params::owned(&dispute, "currency").unwrap_or_default();
        let mut all: Vec<Value> = params::list(&dispute, "balance_transactions").to_vec();
        all.push(movement(world, amount, -FEE, &currency, id)?);
        world.change("dispute", id, json!({ "balance_transactions": all }))?;
        emit(world, "charge.dispute.funds_reinstated", "dispute", id)?;
    }
    emit(world, "charge.dispute.closed", "dispute", id)?;
    world.live("dispute", id, "dispute")
}
