//! A sandbox, a client and a receiver of webhooks for the tests.
#![allow(dead_code, reason = "each test file uses its own part of these helpers")]
#![allow(clippy::unwrap_used, reason = "a helper that fails should end its test")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tributary_sandbox::{Config, Retries, Running, start};

pub const KEY: &str = "sk_test_forTheTests";

pub struct Bench {
    pub running: Running,
    pub http: reqwest::Client,
    pub base: String,
}

pub async fn bench() -> Bench {
    bench_with(|_| {}).await
}

pub async fn bench_with(change: impl FnOnce(&mut Config)) -> Bench {
    let mut config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        seed: 7,
        deliver_retries: Retries { first_delay: Duration::from_millis(5), attempts: 4, ..Retries::default() },
        ..Config::default()
    };
    change(&mut config);
    let running = start(config).await.unwrap();
    let base = running.base_url().to_owned();
    Bench { running, http: reqwest::Client::builder().no_proxy().build().unwrap(), base }
}

pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: HeaderMap,
}

impl Answer {
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    pub fn id(self) -> String {
        self.ok()["id"].as_str().unwrap().to_owned()
    }
}

impl Bench {
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}/v1/{path}", self.base)).bearer_auth(KEY)).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(format!("{}/v1/{path}", self.base)).bearer_auth(KEY).form(form)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.http.delete(format!("{}/v1/{path}", self.base)).bearer_auth(KEY)).await
    }

    pub async fn control(&self, path: &str, body: Value) -> Answer {
        self.send(self.http.post(format!("{}/_sandbox/{path}", self.base)).json(&body)).await
    }

    pub async fn see(&self, path: &str) -> Value {
        self.send(self.http.get(format!("{}/_sandbox/{path}", self.base))).await.ok()
    }

    pub fn no_violations(&self) {
        let violations = self.running.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }

    /// A session for one thing, paid by a guest.
    pub async fn sale(&self, amount: &str, extra: &[(&str, &str)]) -> Value {
        let mut form = vec![
            ("mode", "payment"),
            ("success_url", "https://shop.example/thanks"),
            ("line_items[0][price_data][currency]", "eur"),
            ("line_items[0][price_data][unit_amount]", amount),
            ("line_items[0][price_data][product_data][name]", "Thing"),
            ("line_items[0][quantity]", "1"),
        ];
        form.extend_from_slice(extra);
        let session = self.post("checkout/sessions", &form).await.id();
        self.control(&format!("checkout/sessions/{session}/pay"), json!({"email": "g@buyer.example"}))
            .await
            .ok()
    }

    pub async fn endpoint(&self, url: &str) -> (String, String) {
        let made = self.post("webhook_endpoints", &[("url", url), ("enabled_events[]", "*")]).await.ok();
        (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
    }
}

/// Takes webhooks; the first `refuse` ones get a 500.
pub struct Receiver {
    pub url: String,
    pub got: Got,
    pub refuse: Arc<AtomicU32>,
}

impl Receiver {
    pub async fn start() -> Self {
        let got = Got::default();
        let refuse = Arc::new(AtomicU32::new(0));
        let app =
            Router::new().route("/hook", post(take)).with_state((Arc::clone(&got), Arc::clone(&refuse)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, got, refuse }
    }

    pub fn events(&self) -> Vec<Value> {
        self.got.lock().unwrap().iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }

    pub fn types(&self) -> Vec<String> {
        self.events().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// Signature header and body of each webhook, as they came.
pub type Got = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

type Kept = (Got, Arc<AtomicU32>);

async fn take(State((got, refuse)): State<Kept>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
    got.lock().unwrap().push((signature, body.to_vec()));
    let refused = refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
    if refused { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

/// HMAC-SHA256 by its definition, so that the test does not trust the library that the sandbox uses.
pub fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    hex::encode(Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
}
