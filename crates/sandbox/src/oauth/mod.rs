//! OAuth as Stripe does it for Stripe Apps and for Connect: a page that asks, endpoints that exchange codes and renew
//! tokens, and the end of an authorisation. Which member is Stripe's way and which is a guess, docs/STRIPE.md says.

mod connected;
mod decide;
mod grants;
mod token;

pub use connected::route_connect;
pub use grants::Grants;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::shared::Shared;

/// The pages and endpoints.
pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/oauth/v2/authorize", get(decide::app))
        .route("/oauth/authorize", get(decide::connect))
        .route("/oauth/decide", post(decide::decide))
        .route("/v1/oauth/token", post(token::app))
        .route("/oauth/token", post(token::connect))
        .route("/oauth/deauthorize", post(token::deauthorize))
        .route("/_sandbox/oauth/settings", post(token::settings))
        .route("/_sandbox/oauth/revoke", post(token::revoke))
}
