//! Revoked keys, keys that lose permissions, and faults of the API.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::{read, reply};
use crate::auth::PERMISSIONS;
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
        let revoked = &mut shared.limits().revoked;
        if revoked.len() >= MAX_REVOKED {
            return Err(ApiError::bad(format!("At most {MAX_REVOKED} keys can be revoked.")));
        }
        revoked.insert(wanted.key);
        Ok(json!({ "revoked": revoked.len() }))
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lost {
    key: String,
    permissions: BTreeSet<String>,
}

/// `POST /_sandbox/keys/lost`: the permissions that a key has lost from now on, in the place of those before; none gives it
/// all of them back.
pub async fn lost(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    const MAX_KEYS: usize = 10_000;
    reply(read::<Lost>(&body).and_then(|wanted| {
        if let Some(odd) = wanted.permissions.iter().find(|name| !PERMISSIONS.contains(&name.as_str())) {
            return Err(ApiError::bad(format!("There is no permission {odd}.")));
        }
        let lost = &mut shared.limits().lost;
        if lost.len() >= MAX_KEYS {
            return Err(ApiError::bad(format!("At most {MAX_KEYS} keys can lose permissions.")));
        }
        lost.insert(wanted.key, wanted.permissions);
        Ok(json!({ "keys": lost.len() }))
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
