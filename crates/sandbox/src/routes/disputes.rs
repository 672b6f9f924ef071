//! Disputes: opened and decided by control routes, answered and given up here.

use super::{Call, list, update};
use crate::error::Res;
use crate::flows::dispute;
use crate::params;

/// Serves `disputes`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    let id = call.id().to_owned();
    Some(match operation {
        "GetDisputesDispute" => call.world.find("dispute", &id, "dispute"),
        "GetDisputes" => list(call, "dispute", "/v1/disputes", |o| {
            call.matches(o, "charge") && call.matches(o, "payment_intent")
        }),
        "PostDisputesDispute" if params::flag(call.params, "submit") => dispute::answer(call.world, &id),
        "PostDisputesDispute" => update(call, "dispute", &[]),
        "PostDisputesDisputeClose" => dispute::close(call.world, &id, "lost"),
        _ => return None,
    })
}
