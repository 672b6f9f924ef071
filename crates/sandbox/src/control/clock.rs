//! Moving the clock.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::{Which, on_world, read, reply};
use crate::error::ApiError;
use crate::shared::Shared;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Advance {
    seconds: i64,
    to: Option<i64>,
}

/// `POST /_sandbox/clock/advance`
pub async fn advance(State(shared): State<Arc<Shared>>, Query(which): Query<Which>, body: Bytes) -> Response {
    let wanted = match read::<Advance>(&body) {
        Ok(wanted) => wanted,
        Err(error) => return reply(Err(error)),
    };
    on_world(&shared, &which, |world| {
        let moved = world.clock.advance(wanted.seconds)
            && wanted.to.is_none_or(|to| to >= world.now() && world.clock.advance_to(to));
        if moved {
            Ok(json!({ "now": world.now() }))
        } else {
            Err(ApiError::bad("The clock goes forward only, and at most a hundred years."))
        }
    })
}
