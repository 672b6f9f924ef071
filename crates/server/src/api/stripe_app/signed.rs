//! The second lock, where the installation asks for it: Stripe signs who looks, with a secret of the app.
//!
//! The app's view asks the Dashboard for a signature and sends it as `Stripe-Signature`. It is made like a webhook's, over
//! the JSON text `{"user_id":"usr_…","account_id":"acct_…"}`.

use super::StripeApp;
use crate::api::auth::unauthenticated;
use crate::api::error::ApiError;
use axum::http::HeaderMap;
use secrecy::ExposeSecret;
use tributary_stripe::signature::{self, Secret, TOLERANCE_S};

/// What was signed. Both ids are letters, digits and underscores, so the text is the one that the Dashboard signs.
fn payload(user: &str, account: &str) -> String {
    format!(r#"{{"user_id":"{user}","account_id":"{account}"}}"#)
}

/// Checks it, if secrets are set; `now` is ms UTC.
pub(super) fn check(
    app: &StripeApp,
    headers: &HeaderMap,
    (user, account): (&str, &str),
    now: i64,
) -> Result<(), ApiError> {
    let Some(secrets) = app.secrets.get() else { return Ok(()) };
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(secret.expose_secret())).collect();
    let header = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    signature::verify(header, payload(user, account).as_bytes(), &secrets, now.div_euclid(1_000), TOLERANCE_S)
        .map(drop)
        .map_err(|error| {
            unauthenticated(&format!("This installation asks for calls that Stripe signed. {error}"))
        })
}
