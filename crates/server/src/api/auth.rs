//! Who calls: the API key, the program that it opens, and the mode.

use super::error::ApiError;
use super::token;
use crate::state::App;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use tributary_domain::money::Currency;
use tributary_store::api::Place;
use tributary_store::api::keys::{self, Opened};
use tributary_store::vault::{Key, token_hash};
use tributary_store::workspaces::Program;
use tributary_store::{StoreError, Tx, Unit};

const MODE: &str = "tributary-mode";

/// A caller with a good key.
pub struct Caller {
    /// The server.
    pub app: App,
    /// The program of the key.
    pub program: Program,
    /// Where the call works.
    pub place: Place,
    /// The key's own id, for the record.
    pub key_id: String,
    /// When the call came, ms UTC.
    pub now: i64,
}

impl Caller {
    /// The workspace's data key.
    pub(crate) async fn data_key(&self) -> Result<Key, StoreError> {
        self.app.data_key(&self.place.workspace_id).await
    }

    /// The program's own currency.
    pub(crate) fn currency(&self) -> Result<Currency, ApiError> {
        Currency::parse(&self.program.currency)
            .map_err(|e| StoreError::Inconsistent(format!("program currency: {e}")).into())
    }
}

struct Open(String);

impl Unit for Open {
    type Out = Option<Opened>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        keys::open(tx, &self.0).await
    }
}

pub(super) fn unauthenticated(why: &str) -> ApiError {
    ApiError::Unauthenticated(format!("Unauthenticated. {why}"))
}

/// The key of `Authorization: Bearer KEY`.
pub(super) fn bearer(parts: &Parts) -> Result<&str, ApiError> {
    let header = parts
        .headers
        .get(AUTHORIZATION)
        .ok_or_else(|| unauthenticated("Send the API key of the program as “Authorization: Bearer KEY”."))?;
    let text = header.to_str().map_err(|_| unauthenticated("The Authorization header is not plain text."))?;
    match text.trim().split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(key.trim()),
        _ => Err(unauthenticated("The Authorization header has the form “Bearer KEY”.")),
    }
}

/// The mode that the caller asked for, if it did.
fn asked_mode(parts: &Parts) -> Result<Option<&'static str>, ApiError> {
    match parts.headers.get(MODE).map(axum::http::HeaderValue::as_bytes) {
        None => Ok(None),
        Some(b"test") => Ok(Some("test")),
        Some(b"live") => Ok(Some("live")),
        Some(_) => Err(ApiError::field("Tributary-Mode", "The header Tributary-Mode is “test” or “live”.")),
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let key = bearer(parts)?;
        let opened = app.db.read(Open(token_hash(key))).await?;
        let opened = opened.ok_or_else(|| {
            unauthenticated(token::mistake(key).unwrap_or("The API key is unknown or was revoked."))
        })?;
        let place = Place {
            workspace_id: opened.program.workspace_id.clone(),
            program_id: opened.program.program_id.clone(),
            mode: asked_mode(parts)?.unwrap_or(opened.mode).to_owned(),
        };
        Ok(Self { app: app.clone(), program: opened.program, place, key_id: opened.key_id, now: app.now() })
    }
}
