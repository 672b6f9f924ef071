//! What the sandbox holds.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use serde_json::json;

use super::{Which, on_world, reply};
use crate::shared::Shared;

/// Ids of undelivered events that are shown.
const SHOWN: usize = 100;

/// `GET /_sandbox/state`
pub async fn get(State(shared): State<Arc<Shared>>, Query(which): Query<Which>) -> Response {
    let (violations, violation_count) = shared.violations();
    on_world(&shared, &which, |world| {
        let (undelivered_count, undelivered) = world.queue.undelivered(SHOWN);
        Ok(json!({
            "account": world.account_id,
            "livemode": world.livemode,
            "now": world.now(),
            "counts": world.counts(),
            "settings": world.settings,
            "faults": world.queue.faults,
            "delivery": world.queue.tally(),
            "undelivered_count": undelivered_count,
            "undelivered": undelivered,
            "violation_count": violation_count,
            "violations": violations,
        }))
    })
}

/// `POST /_sandbox/violations/clear`
pub async fn clear(State(shared): State<Arc<Shared>>) -> Response {
    shared.forgive();
    reply(Ok(json!({ "violation_count": 0 })))
}
