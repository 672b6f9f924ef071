//! Faults of the delivery, and its flush.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Which, on_world, read, reply};
use crate::deliver::queue::Faults;
use crate::error::ApiError;
use crate::shared::{Shared, WorldKey};

/// A flush waits no longer; then it says what still waits.
const LONGEST_FLUSH: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// `POST /_sandbox/delivery`
pub async fn set(State(shared): State<Arc<Shared>>, Query(which): Query<Which>, body: Bytes) -> Response {
    match read::<Faults>(&body) {
        Ok(faults) if faults.duplicate_percent <= 100 && faults.drop_percent <= 100 => {
            on_world(&shared, &which, |world| {
                world.queue.faults = faults;
                Ok(json!(world.queue.faults))
            })
        }
        Ok(_) => reply(Err(ApiError::bad("A percentage is at most 100."))),
        Err(error) => reply(Err(error)),
    }
}

/// `POST /_sandbox/delivery/flush`
pub async fn flush(State(shared): State<Arc<Shared>>, Query(which): Query<Which>) -> Response {
    reply(flush_world(&shared, &which.key()).await)
}

/// `POST /_sandbox/delivery/redeliver`
pub async fn redeliver(State(shared): State<Arc<Shared>>, Query(which): Query<Which>) -> Response {
    on_world(&shared, &which, |world| {
        let lost = world.queue.take_lost();
        let count = lost.len();
        for (event, endpoint) in lost {
            let Some(body) = world.get("event", &event).map(Value::to_string) else { continue };
            world.queue.again(&event, &endpoint, &body);
        }
        Ok(json!({ "redelivered": count }))
    })
}

/// Lets all deliveries of a world go and waits until they have arrived or were given up.
///
/// # Errors
/// 400 if there are too many accounts.
pub async fn flush_world(shared: &Shared, key: &WorldKey) -> Result<Value, ApiError> {
    shared.world(key, |world| world.queue.flush())?;
    shared.wake.notify_one();
    let end = Instant::now() + LONGEST_FLUSH;
    loop {
        let (settled, tally) = shared.world(key, |world| (world.queue.settled(), world.queue.tally()))?;
        if settled || Instant::now() >= end {
            return Ok(json!({ "settled": settled, "delivery": tally }));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
