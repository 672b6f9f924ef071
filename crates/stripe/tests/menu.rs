//! Every kind of call against every way in which an API can fail: each ends in a state that is written down here, in
//! bounded time, and nothing is done twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly, in its helpers too"
)]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tributary_domain::fact::Kind;
use tributary_stripe::client::{
    ApiError, ApiKey, Config, EventWalk, EventsQuery, ListQuery, NewEndpoint, StripeClient,
};
use tributary_stripe::facts::Fetch;
use tributary_stripe::lists::List;

/// A way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// 429 without a word on when.
    Limited,
    /// 429 with `Stripe-Should-Retry: true`.
    LimitedRetry,
    /// 429 with `Retry-After`.
    LimitedAfter,
    /// 500 with `Stripe-Should-Retry: false`.
    ErrorForGood,
    /// 500 before anything was done.
    Error,
    /// 500 after it was done.
    ErrorAfter,
    /// No answer, after it was done.
    Silence,
    /// The answer breaks off, after it was done.
    Reset,
    /// 409, such as for a key that is in use.
    Conflict,
    /// A page of a proxy, with 200.
    Html,
    /// JSON that ends too early, with 200 and the right length.
    Cut,
    /// 401
    Revoked,
    /// 403
    Forbidden,
    /// Lists: there is always more.
    Endless,
    /// Lists: the same page again.
    Same,
}

#[derive(Default)]
struct Known {
    fault: Option<(Fault, usize)>,
    requests: usize,
    /// What was written, by idempotency key.
    written: BTreeMap<String, Value>,
    deleted: usize,
}

#[derive(Clone)]
struct Double {
    known: Arc<Mutex<Known>>,
    base: String,
}

fn is_list(path: &str) -> bool {
    !path.trim_start_matches("/v1/").trim_start_matches("checkout/").contains('/')
        && !matches!(path, "/v1/account" | "/v1/balance")
}

/// The good answer.
fn good(path: &str, n: usize) -> Value {
    match path {
        "/v1/account" => json!({ "id": "acct_1", "object": "account" }),
        "/v1/balance" => json!({ "object": "balance", "livemode": false }),
        _ if is_list(path) => json!({ "object": "list", "data": [item(path, n)], "has_more": false }),
        _ => object(),
    }
}

fn object() -> Value {
    json!({ "id": "x_1", "object": "x", "url": "https://x.example", "status": "enabled", "enabled_events": [],
        "metadata": {}, "livemode": false, "secret": "whsec_1" })
}

fn item(path: &str, n: usize) -> Value {
    match path {
        "/v1/events" => {
            json!({ "id": format!("evt_{n}"), "object": "event", "type": "invoice.paid", "created": 1,
            "data": { "object": { "id": "in_1", "object": "invoice" } } })
        }
        _ => json!({ "id": format!("x_{n}"), "object": "x", "url": "https://x.example", "status": "enabled",
            "enabled_events": [], "metadata": {}, "livemode": false }),
    }
}

async fn answer(State(double): State<Double>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let _body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    let key = parts.headers.get("idempotency-key").map(|value| value.to_str().unwrap().to_owned());
    let (fault, n) = {
        let mut known = double.known.lock().unwrap();
        known.requests += 1;
        let fault = match &mut known.fault {
            Some((fault, left)) if *left > 0 => {
                *left -= 1;
                *fault
            }
            _ => Fault::None,
        };
        let before = matches!(
            fault,
            Fault::Limited
                | Fault::LimitedRetry
                | Fault::LimitedAfter
                | Fault::Error
                | Fault::ErrorForGood
                | Fault::Conflict
                | Fault::Revoked
                | Fault::Forbidden
        );
        if !before && parts.method == Method::POST {
            // A writing call carries its key; without one this test fails here.
            let key = key.unwrap();
            known.written.entry(key).or_insert_with(object);
        }
        if !before && parts.method == Method::DELETE {
            known.deleted += 1;
        }
        (fault, known.requests)
    };
    let list = parts.method == Method::GET && is_list(&path);
    let text = |status: u16, headers: &[(&str, &str)], body: String| {
        let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Body::from(body)).unwrap()
    };
    let refused = |message: &str| json!({ "error": { "type": "x", "message": message } }).to_string();
    let whole = if parts.method == Method::GET { good(&path, 1) } else { object() }.to_string();
    match fault {
        Fault::Limited => text(429, &[], refused("slow down")),
        Fault::LimitedRetry => text(429, &[("stripe-should-retry", "true")], refused("slow down")),
        Fault::LimitedAfter => text(429, &[("retry-after", "1")], refused("slow down")),
        Fault::ErrorForGood => text(500, &[("stripe-should-retry", "false")], refused("broken")),
        Fault::Error | Fault::ErrorAfter => text(500, &[], refused("broken")),
        Fault::Conflict => text(409, &[], refused("in use")),
        Fault::Revoked => text(401, &[], refused("Invalid API Key provided")),
        Fault::Forbidden => text(403, &[], refused("Having the 'rak_charge_read' permission would help")),
        Fault::Html => text(200, &[("content-type", "text/html")], "<html>Welcome</html>".to_owned()),
        Fault::Cut => text(200, &[], whole[..whole.len() - 2].to_owned()),
        Fault::Silence => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            text(200, &[], whole)
        }
        Fault::Reset => {
            let pieces = [Ok(Bytes::from_static(b"{\"id\":")), Err(std::io::Error::other("broken"))];
            Response::new(Body::from_stream(futures_util::stream::iter(pieces)))
        }
        Fault::Endless if list => text(
            200,
            &[],
            json!({ "object": "list", "data": [item(&path, n)], "has_more": true }).to_string(),
        ),
        Fault::Same if list => text(
            200,
            &[],
            json!({ "object": "list", "data": [item(&path, 7)], "has_more": true }).to_string(),
        ),
        _ => text(200, &[], whole),
    }
}

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Called {
    Account,
    Balance,
    Charge,
    Invoice,
    InvoicePaymentsOf,
    SessionsOf,
    RefundsOf,
    Events,
    Listed(List),
    Endpoints,
    Create,
    Update,
    Delete,
}

impl Called {
    fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Account,
            Self::Balance,
            Self::Charge,
            Self::Invoice,
            Self::InvoicePaymentsOf,
            Self::SessionsOf,
            Self::RefundsOf,
            Self::Events,
            Self::Endpoints,
            Self::Create,
            Self::Update,
            Self::Delete,
        ];
        all.extend(List::ALL.map(Self::Listed));
        all
    }

    const fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }

    /// Walks over pages until the end?
    const fn walks(self) -> bool {
        matches!(
            self,
            Self::InvoicePaymentsOf
                | Self::SessionsOf
                | Self::RefundsOf
                | Self::Events
                | Self::Endpoints
                | Self::Listed(_)
        )
    }

    async fn call(self, client: &StripeClient) -> Result<(), ApiError> {
        match self {
            Self::Account => client.account().await.map(drop),
            Self::Balance => client.balance().await.map(drop),
            Self::Charge => client.retrieve(Kind::Charge, "ch_1").await.map(drop),
            Self::Invoice => client.retrieve(Kind::Invoice, "in_1").await.map(drop),
            Self::InvoicePaymentsOf => {
                client.fetch(&Fetch::InvoicePaymentsOf { payment_intent: "pi_1".into() }).await.map(drop)
            }
            Self::SessionsOf => {
                client.fetch(&Fetch::SessionsOf { payment_intent: "pi_1".into() }).await.map(drop)
            }
            Self::RefundsOf => client.fetch(&Fetch::RefundsOf { charge: "ch_1".into() }).await.map(drop),
            Self::Events => {
                let mut walk = EventWalk::new(5, None);
                while walk.next(client, &EventsQuery::default()).await?.is_some() {}
                Ok(())
            }
            Self::Listed(list) => {
                let mut after: Option<String> = None;
                for page in 1..=5 {
                    let query = ListQuery {
                        list,
                        created_gte_s: None,
                        created_lt_s: None,
                        starting_after: after.as_deref(),
                    };
                    let got = client.list_page(&query).await?;
                    match got.next(&query, page)? {
                        None => return Ok(()),
                        next => after = next,
                    }
                }
                Err(ApiError::EndlessList {
                    path: list.path().into(),
                    page: 5,
                    reason: "the caller's own limit",
                })
            }
            Self::Endpoints => client.webhook_endpoints().await.map(drop),
            Self::Create => {
                let new = NewEndpoint {
                    url: "https://x.example",
                    connection_id: "con_1",
                    enabled_events: &["invoice.paid"],
                    description: "d",
                    idempotency_key: "row_1",
                    connect: false,
                };
                client.create_webhook_endpoint(&new).await.map(drop)
            }
            Self::Update => client
                .update_webhook_endpoint("we_1", "https://x.example", &["invoice.paid"], "row_1")
                .await
                .map(drop),
            Self::Delete => client.delete_webhook_endpoint("we_1").await,
        }
    }
}

/// How a call must end under a fault that comes once, and under one that stays.
fn expected(called: Called, fault: Fault, stays: bool) -> (&'static str, Option<usize>) {
    let unknown = if called.writes() { "unknown outcome" } else { "unavailable" };
    match fault {
        Fault::None => ("ok", Some(1)),
        Fault::Limited => ("rate limited", Some(1)),
        Fault::LimitedRetry | Fault::LimitedAfter if stays => ("rate limited", None),
        Fault::ErrorForGood => ("unavailable", Some(1)),
        Fault::Error | Fault::ErrorAfter if stays => ("unavailable", Some(4)),
        Fault::Conflict if stays => ("invalid", Some(4)),
        Fault::Silence | Fault::Reset if stays => (unknown, None),
        Fault::Html | Fault::Cut if called.writes() => ("unknown outcome", Some(1)),
        Fault::Html | Fault::Cut => ("not JSON", Some(1)),
        Fault::Revoked => ("unauthorised", Some(1)),
        Fault::Forbidden => ("forbidden", Some(1)),
        Fault::Endless | Fault::Same if called.walks() && stays => ("endless", None),
        Fault::Endless | Fault::Same if called.walks() => ("ok", Some(2)),
        Fault::Endless | Fault::Same => ("ok", Some(1)),
        _ => ("ok", Some(2)),
    }
}

fn ended(result: &Result<(), ApiError>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(ApiError::RateLimited { .. }) => "rate limited",
        Err(ApiError::Unavailable { .. }) => "unavailable",
        Err(ApiError::UnknownOutcome { .. }) => "unknown outcome",
        Err(ApiError::NotJson { .. }) => "not JSON",
        Err(ApiError::Unauthorised { .. }) => "unauthorised",
        Err(ApiError::Forbidden { .. }) => "forbidden",
        Err(ApiError::EndlessList { .. }) => "endless",
        Err(ApiError::Invalid { .. }) => "invalid",
        Err(_) => "something else",
    }
}

async fn double() -> Double {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let double = Double { known: Arc::default(), base };
    let router = Router::new().fallback(answer).with_state(double.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    double
}

const FAULTS: [Fault; 16] = [
    Fault::None,
    Fault::Limited,
    Fault::LimitedRetry,
    Fault::LimitedAfter,
    Fault::ErrorForGood,
    Fault::Error,
    Fault::ErrorAfter,
    Fault::Silence,
    Fault::Reset,
    Fault::Conflict,
    Fault::Html,
    Fault::Cut,
    Fault::Revoked,
    Fault::Forbidden,
    Fault::Endless,
    Fault::Same,
];

/// One cell of the table.
async fn cell(called: Called, fault: Fault, stays: bool) -> Option<String> {
    let double = double().await;
    let mut config = Config::new(&double.base);
    config.jitter = Arc::new(|| 1000);
    config.attempt_timeout = Duration::from_millis(700);
    config.deadline = Duration::from_secs(8);
    let client = StripeClient::new(config, ApiKey::parse("rk_test_verysecret123").unwrap()).unwrap();
    double.known.lock().unwrap().fault = Some((fault, if stays { 1_000_000 } else { 1 }));
    let begun = Instant::now();
    let result = called.call(&client).await;
    let took = begun.elapsed();
    let known = double.known.lock().unwrap();
    let (wanted, requests) = expected(called, fault, stays);
    let mut wrong = Vec::new();
    if ended(&result) != wanted {
        wrong.push(format!("ended {result:?}, not {wanted}"));
    }
    if requests.is_some_and(|wanted| wanted != known.requests) {
        wrong.push(format!("{} requests, not {requests:?}", known.requests));
    }
    if known.requests > 120 || took > Duration::from_secs(10) {
        wrong.push(format!("unbounded: {} requests in {took:?}", known.requests));
    }
    if known.written.len() > 1 {
        wrong.push("written twice".to_owned());
    }
    if let Err(error) = &result
        && (error.to_string().contains("verysecret") || error.to_string().is_empty())
    {
        wrong.push(format!("odd words: {error}"));
    }
    (!wrong.is_empty()).then(|| format!("{called:?} × {fault:?} (stays: {stays}): {}", wrong.join("; ")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_ends_in_its_state_under_every_fault() {
    let mut cells = Vec::new();
    for called in Called::all() {
        for fault in FAULTS {
            cells.push((called, fault, false));
            cells.push((called, fault, true));
        }
    }
    let count = cells.len();
    let mut wrong: Vec<String> = Vec::new();
    for some in cells.chunks(48) {
        let runs = some.iter().map(|(called, fault, stays)| cell(*called, *fault, *stays));
        wrong.extend(futures_util::future::join_all(runs).await.into_iter().flatten());
    }
    assert!(count > 600, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
