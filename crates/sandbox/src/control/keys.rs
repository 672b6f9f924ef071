//! Revoked keys and faults of the API.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::{read, reply};
use crate::error::ApiError;
use crate::faults::{ApiFault, MAX_FAULTS};
use crate::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    key: String,
}

/// `POST /_sandbox/keys/revoke`
pub async fn revoke(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    const MAX_REVOKED: usize = 10_000;
    reply(read::<Revoke>(&body).and_then(|wanted| {
        let mut revoked = shared.revoked();
        if revoked.len() >= MAX_REVOKED {
            return Err(ApiError::bad(format!("At most {MAX_REVOKED} keys can be revoked.")));
        }
        revoked.insert(wanted.key);
        Ok(json!({ "revoked": revoked.len() }))
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    faults: Vec<ApiFault>,
}

/// `POST /_sandbox/api_faults`: replaces the faults that wait.
pub async fn api_faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    reply(read::<Faults>(&body).and_then(|wanted| {
        let statuses = wanted.faults.iter().filter_map(|f| f.status);
        if wanted.faults.len() > MAX_FAULTS || statuses.clone().any(|s| !(400..600).contains(&s)) {
            return Err(ApiError::bad(format!(
                "At most {MAX_FAULTS} faults, with statuses from 400 to 599."
            )));
        }
        *shared.faults() = wanted.faults.into();
        Ok(json!({ "waiting": shared.faults().len() }))
    }))
}
