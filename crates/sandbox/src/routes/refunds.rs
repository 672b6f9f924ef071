//! Refunds.

use serde_json::json;

use super::{Call, list, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::flows::refund::{self, Wanted};
use crate::params;

/// Serves `refunds`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostRefunds" => create(call),
        "GetRefundsRefund" => call.world.find("refund", call.id(), "refund"),
        "GetRefunds" => list(call, "refund", "/v1/refunds", |o| {
            call.matches(o, "charge") && call.matches(o, "payment_intent")
        }),
        "PostRefundsRefund" => change(call),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let charge = match (call.text("charge"), call.text("payment_intent")) {
        (Some(charge), _) => charge.to_owned(),
        (None, Some(intent)) => {
            let found = call.world.live("payment_intent", intent, "payment_intent")?;
            params::owned(&found, "latest_charge").ok_or_else(|| {
                ApiError::bad(format!(
                    "This PaymentIntent ({intent}) does not have a successful charge to refund."
                ))
            })?
        }
        (None, None) => {
            return Err(ApiError::bad(
                "One of the following params should be provided for this request: payment_intent or charge.",
            ));
        }
    };
    let wanted = Wanted {
        amount: params::int(call.params, "amount"),
        reason: params::owned(call.params, "reason"),
        metadata: params::merged_metadata(&json!({}), call.params.get("metadata")),
        pending: false,
    };
    let id = refund::create(call.world, &charge, &wanted)?;
    call.world.live("refund", &id, "refund")
}

fn change(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let after = update(call, "refund", &[])?;
    emit(call.world, "refund.updated", "refund", &id)?;
    Ok(after)
}
