//! Control routes under `/_sandbox`: JSON in, JSON out, for tests and demonstrations.

mod books;
mod clock;
mod delivery;
mod keys;
mod objects;
mod payments;
mod random;
mod shop;
mod state;
mod stories;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::shared::{Shared, WorldKey};
use crate::world::World;
pub use delivery::flush_world;

/// Every control route with what it takes; the index page shows this table.
pub const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/_sandbox/state", "counts, deliveries, violations"),
    ("GET", "/_sandbox/books", "what was paid and refunded, per currency and per sale"),
    (
        "POST",
        "/_sandbox/books/expected",
        "{percent_ppm, partners?, customers?, codes?}: what each partner must have earned",
    ),
    ("POST", "/_sandbox/random", "{seed, events, partners, without?}: plays a random history"),
    ("GET", "/_sandbox/stories", "names of the stories"),
    (
        "POST",
        "/_sandbox/stories/{name}",
        "{tributary_url?, api_key?, partner_key?, currency?, percent_ppm?, shuffle?, duplicate?}",
    ),
    (
        "POST",
        "/_sandbox/checkout/sessions/{id}/pay",
        "{email?, name?, async?, presentment?: {amount, currency}}",
    ),
    ("POST", "/_sandbox/checkout/sessions/{id}/async_succeed", "{}"),
    ("POST", "/_sandbox/checkout/sessions/{id}/async_fail", "{}"),
    (
        "POST",
        "/_sandbox/payment_links/{id}/pay",
        "{email?, name?, client_reference_id?, promotion_code?, async?}",
    ),
    ("POST", "/_sandbox/subscriptions/{id}/renew", "{count?, at_period_end?}"),
    ("POST", "/_sandbox/refunds/{id}/fail", "{}"),
    ("POST", "/_sandbox/refunds/{id}/succeed", "{}: the bank confirms a pending refund"),
    ("POST", "/_sandbox/charges/{id}/refund", "{amount?, pending?}"),
    ("POST", "/_sandbox/charges/{id}/dispute", "{amount?, reason?, inquiry?}"),
    ("POST", "/_sandbox/disputes/{id}/answer", "{}"),
    ("POST", "/_sandbox/disputes/{id}/escalate", "{}: an inquiry becomes a dispute"),
    ("POST", "/_sandbox/disputes/{id}/close", "{status: won|lost|warning_closed}"),
    ("GET", "/_sandbox/shop", "the demo shop: addresses, items, settings"),
    ("POST", "/_sandbox/shop", "{head?, script?, signup?: browser|server, api?, api_key?}"),
    ("POST", "/_sandbox/settings", "{tax_ppm, tax_inclusive, shipping}"),
    ("POST", "/_sandbox/clock/advance", "{seconds} or {to: unix seconds}"),
    ("POST", "/_sandbox/delivery", "{shuffle, duplicate_percent, drop_percent, hold}"),
    ("POST", "/_sandbox/delivery/redeliver", "{}: sends again what no endpoint got, as the dashboard does"),
    ("POST", "/_sandbox/delivery/flush", "{}: sends all that waits, and waits until it arrived"),
    (
        "POST",
        "/_sandbox/api_faults",
        "{faults: [{path_prefix, status, should_retry, delay_ms, truncate, after_work}]}",
    ),
    ("POST", "/_sandbox/keys/revoke", "{key}"),
    ("POST", "/_sandbox/keys/lost", "{key, permissions}: what the key may do no more; none gives all back"),
    ("POST", "/_sandbox/oauth/settings", "{access_seconds}"),
    ("POST", "/_sandbox/oauth/revoke", "{account}: it ends what it had agreed to"),
    ("POST", "/_sandbox/violations/clear", "{}"),
];

/// The routes.
pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/state", get(state::get))
        .route("/_sandbox/books", get(books::get))
        .route("/_sandbox/books/expected", post(books::expected))
        .route("/_sandbox/random", post(random::play))
        .route("/_sandbox/stories", get(stories::list))
        .route("/_sandbox/stories/{name}", post(stories::play))
        .route("/_sandbox/checkout/sessions/{id}/pay", post(payments::pay_session))
        .route("/_sandbox/checkout/sessions/{id}/async_succeed", post(payments::async_succeed))
        .route("/_sandbox/checkout/sessions/{id}/async_fail", post(payments::async_fail))
        .route("/_sandbox/payment_links/{id}/pay", post(payments::pay_link))
        .route("/_sandbox/subscriptions/{id}/renew", post(objects::renew))
        .route("/_sandbox/refunds/{id}/fail", post(objects::fail_refund))
        .route("/_sandbox/refunds/{id}/succeed", post(objects::confirm_refund))
        .route("/_sandbox/charges/{id}/refund", post(objects::refund_charge))
        .route("/_sandbox/disputes/{id}/answer", post(objects::answer_dispute))
        .route("/_sandbox/disputes/{id}/escalate", post(objects::escalate_dispute))
        .route("/_sandbox/charges/{id}/dispute", post(objects::dispute))
        .route("/_sandbox/disputes/{id}/close", post(objects::close_dispute))
        .route("/_sandbox/shop", get(shop::get).post(shop::set))
        .route("/_sandbox/settings", post(objects::settings))
        .route("/_sandbox/clock/advance", post(clock::advance))
        .route("/_sandbox/delivery", post(delivery::set))
        .route("/_sandbox/delivery/redeliver", post(delivery::redeliver))
        .route("/_sandbox/delivery/flush", post(delivery::flush))
        .route("/_sandbox/api_faults", post(keys::api_faults))
        .route("/_sandbox/keys/revoke", post(keys::revoke))
        .route("/_sandbox/keys/lost", post(keys::lost))
        .route("/_sandbox/violations/clear", post(state::clear))
        .layer(middleware::from_fn(same_site))
}

/// The same for routes that lie elsewhere: only what is under `/_sandbox` is a control.
pub async fn same_site_controls(request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/_sandbox/") {
        same_site(request, next).await
    } else {
        next.run(request).await
    }
}

/// A page of another site must not play with the sandbox through the developer's browser, nor by a name that was
/// made to point to this machine.
async fn same_site(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok()).unwrap_or("none");
    let host = text(header::HOST).map(|host| format!("http://{host}"));
    let origin = text(header::ORIGIN).filter(|o| o != "null");
    let at_home = |url: &Option<String>| url.as_ref().is_none_or(|u| crate::deliver::send::is_loopback(u));
    if matches!(site, "same-origin" | "none") && at_home(&host) && at_home(&origin) {
        next.run(request).await
    } else {
        fail(&ApiError::bad("Control routes are not open to pages of other sites.").with_status(403))
    }
}

/// Which world a control route means.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Which {
    /// Name of the account, `default` by default.
    account: Option<String>,
    /// `test` (default) or `live`.
    mode: Option<String>,
}

impl Which {
    /// The world's key.
    pub fn key(&self) -> WorldKey {
        (self.account.clone().unwrap_or_else(|| "default".to_owned()), self.mode.as_deref() == Some("live"))
    }
}

/// Reads a JSON body; no body at all is `{}`.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Res<T> {
    let text: &[u8] = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|e| ApiError::bad(format!("The body cannot be used: {e}")))
}

/// Works on a world and answers with what comes out.
pub fn on_world(shared: &Shared, which: &Which, work: impl FnOnce(&mut World) -> Res) -> Response {
    let done = shared.world(&which.key(), work).and_then(|result| result);
    shared.wake.notify_one();
    reply(done)
}

/// A result as an answer.
pub fn reply(result: Res) -> Response {
    match result {
        Ok(value) => json_answer(StatusCode::OK, &value),
        Err(error) => fail(&error),
    }
}

fn fail(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_answer(status, &error.body())
}

fn json_answer(status: StatusCode, value: &Value) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| json!({}).to_string());
    (status, headers, text).into_response()
}
