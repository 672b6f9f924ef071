//! What the app in Stripe's Dashboard reads: one endpoint, opened by an app token, for Stripe's own pages alone.

pub mod auth;
pub mod cors;
pub mod customer;
pub mod report;
mod signed;

use crate::state::App;
use crate::track::limits::{Limits, Rate};
use axum::middleware;
use axum::routing::options;
use secrecy::SecretString;
use std::sync::OnceLock;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Calls with one token.
const CALLS: Rate = Rate { burst: 60, per_minute: 300 };
/// Calls of one network with tokens that open nothing.
const MISSES: Rate = Rate { burst: 30, per_minute: 30 };

/// What the endpoint remembers in memory.
#[derive(Debug, Default)]
pub struct StripeApp {
    limits: Limits,
    secrets: OnceLock<Vec<SecretString>>,
}

impl StripeApp {
    /// From now on every call must be signed by Stripe with one of these secrets of the app. Set once, before the server
    /// serves.
    pub fn require_signature(&self, secrets: Vec<SecretString>) {
        if self.secrets.set(secrets).is_err() {
            tracing::debug!("the app's signing secrets were set before");
        }
    }
}

/// The endpoint with the rules of its origins around it.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(customer::customer))
        .route(customer::PATH, options(cors::preflight))
        .layer(middleware::from_fn(cors::allow))
}
