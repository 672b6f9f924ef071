//! Disputes: read here, opened and closed by control routes.

use super::{Call, list};
use crate::error::Res;

/// Serves `disputes`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "GetDisputesDispute" => call.world.find("dispute", call.id(), "dispute"),
        "GetDisputes" => list(call, "dispute", "/v1/disputes", |o| {
            call.matches(o, "charge") && call.matches(o, "payment_intent")
        }),
        _ => return None,
    })
}
