//! Random histories.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;

use super::{Which, on_world, read, reply};
use crate::error::ApiError;
use crate::random::{self, MOST_EVENTS, Wanted};
use crate::shared::Shared;

/// `POST /_sandbox/random`: the same seed in the same world plays the same history.
pub async fn play(State(shared): State<Arc<Shared>>, Query(which): Query<Which>, body: Bytes) -> Response {
    match read::<Wanted>(&body) {
        Ok(wanted) if wanted.events > MOST_EVENTS || wanted.partners.is_empty() => {
            reply(Err(ApiError::bad(format!("At most {MOST_EVENTS} events, and at least one partner."))))
        }
        Ok(wanted) => on_world(&shared, &which, |world| random::play(world, &wanted)),
        Err(error) => reply(Err(error)),
    }
}
