//! Disputes: opened by the buyer's bank, answered, later won or lost. An inquiry asks first and takes no money; it is
//! closed, or becomes a dispute.

use serde_json::{Value, json};

use super::charge;
use crate::error::{ApiError, Res};
use crate::events::{emit, emit_changed};
use crate::params;
use crate::world::World;

/// Stripe's fee on a dispute, minor units.
const FEE: i64 = 1_500;
/// Time to answer.
const DUE_SECONDS: i64 = 9 * 86_400;
/// How a dispute can end.
const CLOSED: [&str; 4] = ["won", "lost", "warning_closed", "prevented"];

/// Opens a dispute on a captured charge and takes its money; without an amount, all that is not refunded. An
/// `inquiry` takes nothing.
///
/// # Errors
/// 400 for a charge that is not captured or disputed already, or too large an amount.
pub fn open(world: &mut World, charge: &str, amount: Option<i64>, reason: &str, inquiry: bool) -> Res {
    let found = world.live("charge", charge, "charge")?;
    let left = charge::left(&found);
    let amount = amount.unwrap_or(left);
    if params::flag(&found, "disputed") || !(1..=left).contains(&amount) {
        return Err(ApiError::bad(format!("Charge {charge} cannot be disputed over {amount}.")));
    }
    let currency = params::owned(&found, "currency").unwrap_or_default();
    let due = world.now() + DUE_SECONDS;
    let id = world.ids.next("dp");
    let taken = if inquiry { Vec::new() } else { vec![movement(world, -amount, FEE, &currency, &id)?] };
    let case = if inquiry { "inquiry" } else { "chargeback" };
    world.make(
        "dispute",
        "dp",
        json!({
            "id": id,
            "amount": amount,
            "balance_transactions": taken,
            "charge": charge,
            "currency": currency,
            "evidence_details": { "due_by": due, "has_evidence": false, "past_due": false, "submission_count": 0 },
            "is_charge_refundable": inquiry,
            "payment_intent": found["payment_intent"],
            "payment_method_details": { "type": "card", "card": { "brand": "visa", "case_type": case, "network_reason_code": "10" } },
            "reason": reason,
            "status": if inquiry { "warning_needs_response" } else { "needs_response" },
        }),
    )?;
    world.change("charge", charge, json!({ "disputed": true }))?;
    emit(world, "charge.dispute.created", "dispute", &id)?;
    if !inquiry {
        emit(world, "charge.dispute.funds_withdrawn", "dispute", &id)?;
    }
    world.live("dispute", &id, "dispute")
}

fn movement(world: &mut World, amount: i64, fee: i64, currency: &str, dispute: &str) -> Res {
    let id = charge::balance(world, "adjustment", amount, fee, currency, dispute)?;
    world.live("balance_transaction", &id, "id")
}

/// A dispute that is not closed, and its status.
fn still_open(world: &World, id: &str) -> Res<(Value, String)> {
    let dispute = world.live("dispute", id, "dispute")?;
    let status = params::owned(&dispute, "status").unwrap_or_default();
    if CLOSED.contains(&status.as_str()) {
        return Err(ApiError::bad(format!("Dispute {id} is closed: {status}.")));
    }
    Ok((dispute, status))
}

/// The merchant's answer went to the bank.
///
/// # Errors
/// 400 for a closed dispute.
pub fn answer(world: &mut World, id: &str) -> Res {
    let (_, status) = still_open(world, id)?;
    let now = if status.starts_with("warning") { "warning_under_review" } else { "under_review" };
    world.change(
        "dispute",
        id,
        json!({ "status": now, "evidence_details": { "has_evidence": true, "submission_count": 1 } }),
    )?;
    emit_changed(world, "charge.dispute.updated", "dispute", id, json!({ "status": status }))?;
    world.live("dispute", id, "dispute")
}

/// An inquiry becomes a dispute: now the money is taken.
///
/// # Errors
/// 400 for what is no open inquiry.
pub fn escalate(world: &mut World, id: &str) -> Res {
    let (dispute, status) = still_open(world, id)?;
    if !status.starts_with("warning") {
        return Err(ApiError::bad(format!("Dispute {id} is no inquiry: {status}.")));
    }
    let currency = params::owned(&dispute, "currency").unwrap_or_default();
    let entry = movement(world, -params::int0(&dispute, "amount"), FEE, &currency, id)?;
    world.change(
        "dispute",
        id,
        json!({
            "status": "needs_response",
            "is_charge_refundable": false,
            "balance_transactions": [entry],
            "payment_method_details": { "card": { "case_type": "chargeback" } },
        }),
    )?;
    emit_changed(world, "charge.dispute.updated", "dispute", id, json!({ "status": status }))?;
    emit(world, "charge.dispute.funds_withdrawn", "dispute", id)?;
    world.live("dispute", id, "dispute")
}

/// Closes an open dispute: `won` brings the money back, `lost` does not. An inquiry ends as `warning_closed`.
///
/// # Errors
/// 400 for a dispute that is closed, or another outcome.
pub fn close(world: &mut World, id: &str, outcome: &str) -> Res {
    let (dispute, status) = still_open(world, id)?;
    let fits = match outcome {
        "won" | "lost" => !status.starts_with("warning"),
        "warning_closed" => status.starts_with("warning"),
        _ => false,
    };
    if !fits {
        return Err(ApiError::bad(format!("Dispute {id} ({status}) cannot be closed as {outcome}.")));
    }
    world.change("dispute", id, json!({ "status": outcome }))?;
    if outcome == "won" {
        let amount = params::int0(&dispute, "amount");
        let currency = params::owned(&dispute, "currency").unwrap_or_default();
        let mut all: Vec<Value> = params::list(&dispute, "balance_transactions").to_vec();
        all.push(movement(world, amount, -FEE, &currency, id)?);
        world.change("dispute", id, json!({ "balance_transactions": all }))?;
    }
    emit(world, "charge.dispute.closed", "dispute", id)?;
    if outcome == "won" {
        emit(world, "charge.dispute.funds_reinstated", "dispute", id)?;
    }
    world.live("dispute", id, "dispute")
}
