//! From which pages a browser may read the endpoint.
//!
//! Stripe runs an app in a frame that is sandboxed without an origin, so its calls say `Origin: null`; the Dashboard's own
//! origin is for calls that it makes in the app's place. This only tells browsers what to do: what protects the answer is the
//! app token, which no other page has, and no cookie is ever looked at.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The origins of an app in Stripe's Dashboard.
pub const ORIGINS: [&str; 2] = ["null", "https://dashboard.stripe.com"];

/// Puts the headers on every answer: the origin itself if it is one of [`ORIGINS`], never a star, never credentials.
pub async fn allow(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = origin.filter(|origin| ORIGINS.iter().any(|known| origin == known)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    answer
}

/// `OPTIONS`: what a browser asks before it sends a token.
pub async fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, stripe-signature"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}
