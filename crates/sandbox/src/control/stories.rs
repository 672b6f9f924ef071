//! Playing stories.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::json;

use super::{Which, read, reply};
use crate::error::ApiError;
use crate::shared::Shared;
use crate::stories::{self, Options, STORIES};

/// `GET /_sandbox/stories`
pub async fn list() -> Response {
    let all: Vec<_> = STORIES
        .iter()
        .map(|s| json!({ "name": s.name, "about": s.about, "needs_api": s.needs_api }))
        .collect();
    reply(Ok(json!({ "stories": all })))
}

/// `POST /_sandbox/stories/{name}`: a transcript; 502 if a step of the story failed.
pub async fn play(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    if !STORIES.iter().any(|story| story.name == name) {
        return reply(Err(ApiError::missing("story", &name, "name")));
    }
    let options = match read::<Options>(&body) {
        Ok(options) => options,
        Err(error) => return reply(Err(error)),
    };
    let transcript = stories::play(shared, which.key(), &name, options).await;
    match transcript {
        Ok(transcript) if transcript["failed"].is_null() => reply(Ok(transcript)),
        Ok(transcript) => {
            let mut response = reply(Ok(transcript));
            *response.status_mut() = axum::http::StatusCode::BAD_GATEWAY;
            response
        }
        Err(error) => reply(Err(error)),
    }
}
