//! Events: made from a snapshot of an object, kept, and queued for every endpoint that wants them.

use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::openapi::document::API_VERSION;
use crate::params;
use crate::world::World;

/// Makes the event `kind` about an object that is kept.
///
/// # Errors
/// 404 if there is no such object; 400 if the sandbox is full.
pub fn emit(world: &mut World, kind: &str, object_kind: &str, id: &str) -> Res<()> {
    let object = world.live(object_kind, id, "id")?;
    emit_value(world, kind, object, None)
}

/// Makes an event that also says which fields had which value before.
///
/// # Errors
/// See [`emit`].
pub fn emit_changed(world: &mut World, kind: &str, object_kind: &str, id: &str, before: Value) -> Res<()> {
    let object = world.live(object_kind, id, "id")?;
    emit_value(world, kind, object, Some(before))
}

/// Makes an event about any object.
///
/// # Errors
/// 500 if the object breaks Stripe's schema; 400 if the sandbox is full.
pub fn emit_value(world: &mut World, kind: &str, object: Value, before: Option<Value>) -> Res<()> {
    let endpoints = wanting(world, kind, false);
    let mut data = json!({ "object": object });
    if let Some(before) = before {
        data["previous_attributes"] = before;
    }
    let mut event = world.build(
        "event",
        "evt",
        json!({
            "api_version": API_VERSION,
            "data": data,
            "pending_webhooks": endpoints.len(),
            "request": { "id": world.request.id, "idempotency_key": world.request.idempotency_key },
            "type": kind,
        }),
    );
    crate::openapi::validate::component("event", &event).map_err(|breaches| broken(kind, &breaches))?;
    crate::expand::leave_out(&mut event["data"]["object"], &[]);
    let body = event.to_string();
    let told = event.clone();
    let id = world.keep("event", event)?;
    for endpoint in endpoints {
        world.queue.push(&id, &endpoint, &body);
    }
    if world.made_events.len() < MAX_MADE {
        world.made_events.push((id, told));
    }
    Ok(())
}

fn broken(kind: &str, breaches: &[crate::openapi::Breach]) -> ApiError {
    let said: Vec<String> = breaches.iter().take(3).map(ToString::to_string).collect();
    ApiError::internal(format!(
        "the sandbox made an event {kind} that breaks Stripe's schema: {}",
        said.join("; ")
    ))
}

/// Events that wait to be told to platforms; they are taken away at each round of deliveries.
const MAX_MADE: usize = 10_000;

/// Ids of the enabled endpoints that subscribe to a type, oldest first: those for the account's own events, or those
/// for the events of accounts connected to it.
pub fn wanting(world: &World, kind: &str, connect: bool) -> Vec<String> {
    let mut ids: Vec<String> = world
        .newest("webhook_endpoint")
        .filter(|e| params::text(e, "status") == Some("enabled"))
        .filter(|e| params::list(e, "enabled_events").iter().any(|t| t == "*" || t == kind))
        .filter_map(|e| params::owned(e, "id"))
        .filter(|id| world.connect_endpoints.contains(id) == connect)
        .collect();
    ids.reverse();
    ids
}
