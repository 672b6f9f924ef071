//! Codes and refresh tokens for tokens, the end of an authorisation, and the controls for both.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::connected::{route_connect, withdrawn};
use super::grants::{Agreed, Refusal};
use crate::auth::{self, Key};
use crate::clock::wall_seconds;
use crate::control::{read, reply};
use crate::error::{ApiError, Res};
use crate::faults::ApiFault;
use crate::shared::Shared;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    grant_type: String,
    code: String,
    refresh_token: String,
    client_id: String,
    stripe_user_id: String,
}

fn json_answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}

fn refuse(refusal: &Refusal) -> Response {
    json_answer(400, &json!({ "error": refusal.0, "error_description": refusal.1 }))
}

/// The secret key of an App's owner or a platform; a restricted key exchanges nothing.
fn owner(shared: &Shared, headers: &HeaderMap) -> Result<Key, ApiError> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    auth::key(&shared.config, &shared.limits(), authorization)
}

/// `POST /v1/oauth/token`
pub async fn app(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    exchange(&shared, "app", "/v1/oauth/token", &headers, &body).await
}

/// `POST /oauth/token`
pub async fn connect(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    exchange(&shared, "connect", "/oauth/token", &headers, &body).await
}

async fn exchange(
    shared: &Shared,
    flow: &'static str,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let fault = ApiFault::take(&mut shared.faults(), path);
    if let Some(fault) = &fault {
        tokio::time::sleep(std::time::Duration::from_millis(fault.delay_ms)).await;
    }
    let status = fault.as_ref().and_then(|fault| fault.status);
    let lost = |status| json_answer(status, &json!({ "error": "server_error" }));
    if let (Some(status), Some(false)) = (status, fault.as_ref().map(|fault| fault.after_work)) {
        return lost(status);
    }
    let answer = work(shared, flow, headers, body);
    match status {
        Some(status) => lost(status),
        None => answer.unwrap_or_else(|error| json_answer(error.status, &error.body())),
    }
}

fn work(shared: &Shared, flow: &'static str, headers: &HeaderMap, body: &[u8]) -> Result<Response, ApiError> {
    let key = owner(shared, headers)?;
    let form: Form = serde_urlencoded::from_bytes(body)
        .map_err(|e| ApiError::bad(format!("The form cannot be read: {e}")))?;
    let now = wall_seconds();
    let done = match form.grant_type.as_str() {
        "authorization_code" => shared.oauth().exchange(flow, &form.code, &key.account, key.livemode, now)?,
        "refresh_token" => shared.oauth().renew(flow, &form.refresh_token, now)?,
        other => Err(Refusal("unsupported_grant_type", format!("There is no grant type {other:?}."))),
    };
    let (access, refresh, agreed) = match done {
        Ok(done) => done,
        Err(refusal) => return Ok(refuse(&refusal)),
    };
    let account_id = shared.world(&(agreed.account.clone(), agreed.livemode), |w| w.account_id.clone())?;
    let mode = if agreed.livemode { "live" } else { "test" };
    let mut answer = json!({
        "access_token": access,
        "livemode": agreed.livemode,
        "refresh_token": refresh,
        "scope": if flow == "app" { "stripe_apps" } else { "read_write" },
        "stripe_publishable_key": format!("pk_{mode}_sandbox"),
        "stripe_user_id": account_id,
        "token_type": "bearer",
    });
    if flow == "app" {
        answer["expires_in"] = json!(shared.oauth().access_seconds);
    }
    Ok(json_answer(200, &answer))
}

/// `POST /oauth/deauthorize`
pub async fn deauthorize(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let done = owner(&shared, &headers).and_then(|key| {
        let form: Form = serde_urlencoded::from_bytes(&body)
            .map_err(|e| ApiError::bad(format!("The form cannot be read: {e}")))?;
        let named = |account: &str| {
            shared
                .world(&(account.to_owned(), key.livemode), |w| w.account_id == form.stripe_user_id)
                .unwrap_or(false)
        };
        let agreed = shared.oauth().find(|g| {
            g.agreed.flow == "connect"
                && g.owner == key.account
                && g.agreed.client_id == form.client_id
                && g.agreed.livemode == key.livemode
        });
        match agreed.into_iter().find(|agreed| named(&agreed.account)) {
            Some(agreed) => {
                leave(&shared, &agreed)?;
                Ok(json_answer(200, &json!({ "stripe_user_id": form.stripe_user_id })))
            }
            None => Ok(refuse(&Refusal(
                "invalid_client",
                "This application is not connected to the account, or the account does not exist.".to_owned(),
            ))),
        }
    });
    done.unwrap_or_else(|error| json_answer(error.status, &error.body()))
}

/// Tells of it first: afterwards nobody is left to be told.
fn leave(shared: &Shared, agreed: &Agreed) -> Res<()> {
    withdrawn(shared, agreed)?;
    route_connect(shared, &mut shared.worlds());
    shared.oauth().end(|g| g.agreed == *agreed);
    shared.wake.notify_one();
    Ok(())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    access_seconds: Option<i64>,
}

/// `POST /_sandbox/oauth/settings`
pub async fn settings(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    reply(read::<Settings>(&body).map(|wanted| {
        let mut oauth = shared.oauth();
        if let Some(seconds) = wanted.access_seconds {
            oauth.access_seconds = seconds.clamp(1, 86_400);
        }
        json!({ "access_seconds": oauth.access_seconds })
    }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Revoke {
    account: Option<String>,
}

/// `POST /_sandbox/oauth/revoke`: an account ends all that it had agreed to.
pub async fn revoke(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    reply(read::<Revoke>(&body).and_then(|wanted| {
        let account = wanted.account.unwrap_or_else(|| "default".to_owned());
        let all = shared.oauth().find(|g| g.agreed.account == account);
        for agreed in &all {
            leave(&shared, agreed)?;
        }
        Ok(json!({ "ended": all.len() }))
    }))
}
