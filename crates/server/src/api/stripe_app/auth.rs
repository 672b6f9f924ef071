//! Who calls: an app token, which opens one workspace, and how often it may.

use super::{CALLS, MISSES};
use crate::api::auth::{bearer, unauthenticated};
use crate::api::error::ApiError;
use crate::api::token;
use crate::state::App;
use crate::track::visitor::Peer;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tributary_store::api::keys::{self, AppOpened};
use tributary_store::vault::token_hash;
use tributary_store::{StoreError, Tx, Unit};

/// A caller with a good app token.
pub struct AppCaller {
    /// The server.
    pub app: App,
    /// The workspace that the token opens.
    pub workspace_id: String,
    /// When the call came, ms UTC.
    pub now: i64,
}

struct Open(String);

impl Unit for Open {
    type Out = Option<AppOpened>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        keys::open_app(tx, &self.0).await
    }
}

fn too_many() -> ApiError {
    ApiError::TooMany("Too many calls at once. Try again in a few seconds.".to_owned())
}

impl FromRequestParts<App> for AppCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let (now, limits) = (app.now(), &app.stripe_app.limits);
        let text = bearer(parts)?;
        if let Some(mistake) = token::app_mistake(text) {
            return Err(unauthenticated(mistake));
        }
        let Some(opened) = app.db.read(Open(token_hash(text))).await? else {
            let Ok(peer) = Peer::from_request_parts(parts, app).await;
            let network = app.track.address(&parts.headers, peer);
            let granted = limits.take("app-miss", "", network, MISSES, now);
            let unknown = || unauthenticated("The app token is unknown or was revoked.");
            return Err(if granted { unknown() } else { too_many() });
        };
        if !limits.take("app", &opened.key_id, None, CALLS, now) {
            return Err(too_many());
        }
        Ok(Self { app: app.clone(), workspace_id: opened.workspace_id, now })
    }
}
