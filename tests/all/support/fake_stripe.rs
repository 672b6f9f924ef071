//! A small Stripe inside the test: an account, and the objects that a test puts there.

use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
struct Known {
    objects: BTreeMap<String, Value>,
    live: bool,
    account: Option<String>,
}

/// A running double. It ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct FakeStripe {
    /// Where it listens.
    pub base: String,
    known: Arc<Mutex<Known>>,
}

impl FakeStripe {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let known = Arc::new(Mutex::new(Known::default()));
        let router = axum::Router::new().fallback(answer).with_state(known.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, known }
    }

    /// Puts an object there, to be found by its id and by its PaymentIntent.
    pub fn put(&self, object: Value) {
        let id = object["id"].as_str().expect("an object has an id").to_owned();
        self.known.lock().expect("unpoisoned").objects.insert(id, object);
    }

    /// From now on it says that it is another account.
    pub fn be(&self, account: &str) {
        self.known.lock().expect("unpoisoned").account = Some(account.to_owned());
    }

    /// From now on it says that it is in live mode.
    pub fn go_live(&self) {
        self.known.lock().expect("unpoisoned").live = true;
    }
}

async fn answer(
    State(known): State<Arc<Mutex<Known>>>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Response {
    let path = uri.path().to_owned();
    let known = known.lock().expect("unpoisoned");
    if method != Method::GET {
        let error =
            json!({ "error": { "type": "invalid_request_error", "message": "This double only reads." } });
        return (StatusCode::FORBIDDEN, axum::Json(error)).into_response();
    }
    match found(&known, &path, query.as_deref().unwrap_or_default()) {
        Some(value) => axum::Json(value).into_response(),
        None => {
            let error = json!({ "error": { "type": "invalid_request_error", "code": "resource_missing",
                "message": format!("No such object: {path}") } });
            (StatusCode::NOT_FOUND, axum::Json(error)).into_response()
        }
    }
}

fn found(known: &Known, path: &str, query: &str) -> Option<Value> {
    match path {
        "/v1/account" => {
            return Some(
                json!({ "id": known.account.as_deref().unwrap_or("acct_fake"), "object": "account", "country": "DE", "default_currency": "usd",
                "settings": { "dashboard": { "display_name": "Fake Ltd" } } }),
            );
        }
        "/v1/balance" => {
            return Some(json!({ "object": "balance", "livemode": known.live, "available": [] }));
        }
        _ => {}
    }
    let rest = path.strip_prefix("/v1/")?;
    let resource = rest.strip_prefix("checkout/").unwrap_or(rest);
    match resource.split_once('/') {
        Some((_, id)) if !id.contains('/') => known.objects.get(id).cloned(),
        Some(_) => None,
        None => Some(list(known, path, resource, &query.replace("%5B", "[").replace("%5D", "]"))),
    }
}

/// A list by PaymentIntent, which is all that look-ups need; any other list is empty.
fn list(known: &Known, path: &str, resource: &str, query: &str) -> Value {
    let kind = match resource {
        "sessions" => "checkout.session",
        "invoice_payments" => "invoice_payment",
        "refunds" => "refund",
        _ => "",
    };
    let asked = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned)
    };
    let intent = asked("payment_intent").or_else(|| asked("payment[payment_intent]"));
    let charge = asked("charge");
    let fits = |object: &&Value| {
        object["object"] == kind
            && intent
                .as_deref()
                .is_none_or(|id| object["payment_intent"] == id || object["payment"]["payment_intent"] == id)
            && charge.as_deref().is_none_or(|id| object["charge"] == id)
            && (intent.is_some() || charge.is_some())
    };
    let data: Vec<Value> = known.objects.values().filter(fits).cloned().collect();
    json!({ "object": "list", "url": path, "has_more": false, "data": data })
}
