//! The client against a server on loopback that answers, stalls, lies and breaks off.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly, in its helpers too")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tributary_domain::fact::Kind;
use tributary_stripe::client::{
    ApiError, ApiKey, Config, EventWalk, EventsQuery, Fetched, MAX_BODY, Mode, StripeClient,
    probe_permissions,
};
use tributary_stripe::connect::{ConnectError, validate_key};
use tributary_stripe::endpoint::{EndpointOutcome, EndpointSpec, MARK, ensure};
use tributary_stripe::facts::Fetch;

/// What was asked.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    uri: String,
    body: String,
    headers: axum::http::HeaderMap,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

type Reply = Box<dyn Fn(&Asked) -> Response<Body> + Send + Sync>;

/// A server that answers by a script: each request takes the next answer, the last one stays.
#[derive(Clone)]
struct Fake {
    script: Arc<Mutex<VecDeque<Reply>>>,
    last: Arc<Reply>,
    asked: Arc<Mutex<Vec<Asked>>>,
    base: String,
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let asked = Asked {
        method: parts.method.to_string(),
        uri: parts.uri.to_string(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        headers: parts.headers,
    };
    fake.asked.lock().unwrap().push(asked.clone());
    let next = fake.script.lock().unwrap().pop_front();
    match next {
        Some(reply) => reply(&asked),
        None => (fake.last)(&asked),
    }
}

async fn fake(script: Vec<Reply>, last: Reply) -> Fake {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake {
        script: Arc::new(Mutex::new(script.into())),
        last: Arc::new(last),
        asked: Arc::default(),
        base: format!("http://{}", listener.local_addr().unwrap()),
    };
    let router = Router::new().fallback(answer).with_state(fake.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    fake
}

impl Fake {
    fn client(&self) -> StripeClient {
        self.client_with("rk_test_verysecret123", |_| {})
    }

    fn client_with(&self, key: &str, change: impl FnOnce(&mut Config)) -> StripeClient {
        let mut config = Config::new(&self.base);
        config.jitter = Arc::new(|| 1000);
        config.attempt_timeout = Duration::from_secs(2);
        config.deadline = Duration::from_secs(6);
        change(&mut config);
        StripeClient::new(config, ApiKey::parse(key).unwrap()).unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn reply(status: u16, headers: &'static [(&'static str, &'static str)], body: impl Into<String>) -> Reply {
    let body = body.into();
    Box::new(move |_| {
        let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Body::from(body.clone())).unwrap()
    })
}

fn ok(body: impl Into<String>) -> Reply {
    reply(200, &[], body)
}

fn error(status: u16, body: &str) -> Reply {
    reply(status, &[], format!(r#"{{"error":{body}}}"#))
}

/// Announces more than it sends, then breaks off.
fn truncated() -> Reply {
    Box::new(|_| {
        let pieces =
            in_pieces(vec![Ok(Bytes::from_static(b"{\"id\":")), Err(std::io::Error::other("broken"))]);
        Response::new(pieces)
    })
}

fn in_pieces(pieces: Vec<Result<Bytes, std::io::Error>>) -> Body {
    Body::from_stream(futures_util::stream::iter(pieces))
}

/// Sends its headers at once and its body after a pause.
fn slow(pause: Duration) -> Reply {
    Box::new(move |_| {
        let late = async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"{}"))
        };
        Response::new(Body::from_stream(futures_util::stream::once(late)))
    })
}

const EMPTY: &str = r#"{"object":"list","data":[],"has_more":false}"#;

async fn charge(client: &StripeClient) -> Result<Bytes, ApiError> {
    client.retrieve(Kind::Charge, "ch_1").await.map(|reply| reply.body)
}

#[tokio::test]
async fn a_good_call_carries_version_and_key_and_gives_the_bytes_as_they_came() {
    let body = "{\"id\" : \"ch_1\",\n \"amount\":1.0}";
    let fake = fake(vec![], reply(200, &[("date", "Sun, 22 Nov 2026 20:00:00 GMT")], body)).await;
    let client = fake.client();
    assert_eq!(charge(&client).await.unwrap(), body);
    assert_eq!(client.server_time_s(), Some(1_795_377_600));
    let asked = &fake.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("GET", "/v1/charges/ch_1"));
    assert_eq!(asked.header("stripe-version"), "2026-05-27.dahlia");
    assert_eq!(asked.header("authorization"), "Bearer rk_test_verysecret123");
    assert!(!format!("{client:?}").contains("verysecret"));
}

#[tokio::test]
async fn server_errors_are_repeated_and_then_heal() {
    let script =
        vec![error(500, r#"{"message":"x"}"#), truncated(), error(409, "{}"), ok(r#"{"id":"ch_1"}"#)];
    let fake = fake(script, error(400, "{}")).await;
    assert!(charge(&fake.client()).await.is_ok());
    assert_eq!(fake.asked().len(), 4);
}

#[tokio::test]
async fn after_three_repetitions_it_is_unavailable() {
    let fake = fake(vec![], error(503, r#"{"message":"down"}"#)).await;
    let client = fake.client_with("rk_test_1234", |config| config.retries = 2);
    assert!(
        matches!(charge(&client).await, Err(ApiError::Unavailable { reason }) if reason.contains("down"))
    );
    assert_eq!(fake.asked().len(), 3);
}

#[tokio::test]
async fn stripes_own_word_on_repeating_wins() {
    let again = reply(429, &[("stripe-should-retry", "true")], r#"{"error":{}}"#);
    let fake_one = fake(vec![again, ok("{}")], error(400, "{}")).await;
    assert!(charge(&fake_one.client()).await.is_ok());
    let never = reply(500, &[("stripe-should-retry", "false")], r#"{"error":{}}"#);
    let fake_two = fake(vec![never], ok("{}")).await;
    assert!(matches!(charge(&fake_two.client()).await, Err(ApiError::Unavailable { .. })));
    assert_eq!(fake_two.asked().len(), 1);
    let limited = reply(429, &[("retry-after", "9")], r#"{"error":{}}"#);
    let fake_three = fake(vec![limited], ok("{}")).await;
    let error = charge(&fake_three.client()).await.unwrap_err();
    assert_eq!(error, ApiError::RateLimited { retry_after_s: Some(9) });
    assert!(error.to_string().contains("9 s"));
}

#[tokio::test]
async fn a_retry_after_beyond_the_deadline_is_not_waited_for() {
    let later = reply(503, &[("retry-after", "3600")], r#"{"error":{"message":"later"}}"#);
    let fake = fake(vec![later], ok("{}")).await;
    let begin = std::time::Instant::now();
    assert!(matches!(charge(&fake.client()).await, Err(ApiError::Unavailable { .. })));
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn refusals_have_names_and_are_not_repeated() {
    type Check = fn(&ApiError) -> bool;
    let cases: [(u16, &str, Check); 7] = [
        (401, r#"{"message":"Invalid API Key provided: rk_test_****t123"}"#, |e| {
            matches!(e, ApiError::Unauthorised { .. }) && !e.to_string().contains("t123")
        }),
        (
            403,
            r#"{"message":"Having the 'rak_charge_read' permission would allow this."}"#,
            |e| matches!(e, ApiError::Forbidden { permission: Some(p), .. } if p == "charge_read"),
        ),
        (
            404,
            r#"{"code":"resource_missing","message":"No such charge: 'ch_1'"}"#,
            |e| matches!(e, ApiError::NotFound { message } if message.contains("ch_1")),
        ),
        (
            404,
            r#"{"message":"Unrecognized request URL (GET: /v1/charges/ch_1)."}"#,
            |e| matches!(e, ApiError::NoSuchCall { path } if path == "/v1/charges/ch_1"),
        ),
        (
            400,
            r#"{"code":"parameter_unknown","param":"foo","message":"Received unknown parameter: foo"}"#,
            |e| matches!(e, ApiError::Invalid { status: 400, code: Some(c), param: Some(p), .. } if c == "parameter_unknown" && p == "foo"),
        ),
        (402, r#"{"message":"declined"}"#, |e| matches!(e, ApiError::Invalid { status: 402, .. })),
        (429, "{}", |e| matches!(e, ApiError::RateLimited { retry_after_s: None })),
    ];
    for (status, body, check) in cases {
        let fake = fake(vec![], error(status, body)).await;
        let error = charge(&fake.client()).await.unwrap_err();
        assert!(check(&error), "{status}: {error:?}");
        assert_eq!(fake.asked().len(), 1, "{status}");
        assert!(!error.to_string().contains("verysecret"));
    }
}

#[tokio::test]
async fn pages_that_are_not_stripes_are_told() {
    for body in ["<html>Login</html>", "", "[]", "null", "{\"id\":", "\"text\""] {
        let fake = fake(vec![], ok(body)).await;
        assert!(matches!(charge(&fake.client()).await, Err(ApiError::NotJson { status: 200, .. })), "{body}");
        assert_eq!(fake.asked().len(), 1, "{body}");
    }
    let moved = reply(302, &[("location", "http://127.0.0.1:1/elsewhere")], "");
    let fake_one = fake(vec![], moved).await;
    assert!(matches!(charge(&fake_one.client()).await, Err(ApiError::NotJson { status: 302, .. })));
    let fake_two = fake(vec![], reply(404, &[], "404: Not Found")).await;
    assert!(matches!(charge(&fake_two.client()).await, Err(ApiError::NoSuchCall { .. })));
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    let chunk = Bytes::from(vec![b' '; 1 << 20]);
    let endless: Reply = Box::new(move |_| {
        let pieces = (0..=MAX_BODY / chunk.len() + 1).map(|_| Ok(chunk.clone())).collect();
        Response::new(in_pieces(pieces))
    });
    let fake = fake(vec![], endless).await;
    assert_eq!(charge(&fake.client()).await, Err(ApiError::TooLarge));
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_deadline() {
    let fake = fake(vec![], slow(Duration::from_secs(60))).await;
    let client = fake.client_with("rk_test_1234", |config| {
        config.attempt_timeout = Duration::from_millis(200);
        config.deadline = Duration::from_millis(900);
    });
    let begin = std::time::Instant::now();
    assert!(
        matches!(charge(&client).await, Err(ApiError::Unavailable { reason }) if reason.contains("time"))
    );
    assert!(begin.elapsed() < Duration::from_secs(3));
    let posted = client.create_webhook_endpoint(&new_endpoint()).await;
    assert!(matches!(posted, Err(ApiError::UnknownOutcome { .. })), "{posted:?}");
}

#[tokio::test]
async fn nothing_listens_is_unavailable_also_for_writing() {
    let mut config = Config::new("http://127.0.0.1:9");
    config.retries = 1;
    config.jitter = Arc::new(|| 1000);
    let client = StripeClient::new(config, ApiKey::parse("rk_test_1234").unwrap()).unwrap();
    assert!(matches!(charge(&client).await, Err(ApiError::Unavailable { .. })));
    let posted = client.create_webhook_endpoint(&new_endpoint()).await;
    assert!(matches!(posted, Err(ApiError::Unavailable { .. })), "never sent, so known: {posted:?}");
}

fn new_endpoint() -> tributary_stripe::client::NewEndpoint<'static> {
    tributary_stripe::client::NewEndpoint {
        url: "https://shop.example.com/hook",
        enabled_events: &["invoice.paid", "charge.refunded"],
        connection_id: "con_1",
        description: "Tributary",
        idempotency_key: "key-1",
        connect: false,
    }
}

#[tokio::test]
async fn a_repeated_writing_call_keeps_its_key() {
    let script = vec![error(500, "{}"), truncated(), ok(r#"{"id":"we_1","secret":"whsec_hush"}"#)];
    let fake = fake(script, error(400, "{}")).await;
    let made = fake.client().create_webhook_endpoint(&new_endpoint()).await.unwrap();
    assert_eq!(made.id, "we_1");
    assert!(!format!("{made:?}").contains("hush"));
    let asked = fake.asked();
    assert_eq!(asked.len(), 3);
    for one in &asked {
        assert_eq!(one.header("idempotency-key"), "key-1");
        assert_eq!((one.method.as_str(), one.uri.as_str()), ("POST", "/v1/webhook_endpoints"));
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(one.body.as_bytes()).into_owned().collect();
        for (name, value) in [
            ("url", "https://shop.example.com/hook"),
            ("api_version", "2026-05-27.dahlia"),
            ("metadata[tributary_connection]", "con_1"),
            ("enabled_events[0]", "invoice.paid"),
            ("enabled_events[1]", "charge.refunded"),
        ] {
            assert!(pairs.contains(&(name.to_owned(), value.to_owned())), "{name}: {pairs:?}");
        }
    }
}

#[tokio::test]
async fn a_broken_answer_to_a_writing_call_has_an_unknown_outcome() {
    let fake = fake(vec![], truncated()).await;
    let client = fake.client_with("rk_test_1234", |config| config.retries = 1);
    let posted = client.create_webhook_endpoint(&new_endpoint()).await;
    assert!(matches!(posted, Err(ApiError::UnknownOutcome { .. })), "{posted:?}");
    assert!(matches!(charge(&client).await, Err(ApiError::Unavailable { .. })));
}

#[tokio::test]
async fn ids_that_lead_elsewhere_are_refused_before_anything_is_sent() {
    let fake = fake(vec![], ok("{}")).await;
    let long = "x".repeat(300);
    for id in ["", "../account", "ch_1/refund", "ch_1?expand[]=x", "ch 1", "ch_1#", "ch_1%2f", "ä", &long] {
        let got = fake.client().retrieve(Kind::Charge, id).await;
        assert!(matches!(got, Err(ApiError::BadId { .. })), "{id}");
    }
    assert!(fake.asked().is_empty());
}

fn page(ids: std::ops::Range<usize>, has_more: bool) -> String {
    let items: Vec<_> =
        ids.map(|n| format!(r#"{{"id":"evt_{n}", "type":"invoice.paid","created":{n}}}"#)).collect();
    format!(r#"{{"object":"list","data":[{}],"has_more":{has_more}}}"#, items.join(","))
}

#[tokio::test]
async fn a_walk_over_events_goes_page_by_page_and_keeps_the_bytes() {
    let fake = fake(vec![ok(page(0..100, true)), ok(page(100..200, true))], ok(page(200..250, false))).await;
    let client = fake.client();
    let query = EventsQuery {
        types: &["invoice.paid", "charge.refunded"],
        created_gte_s: Some(7),
        ..EventsQuery::default()
    };
    let (mut walk, mut seen) = (EventWalk::new(10, None), 0);
    while let Some(page) = walk.next(&client, &query).await.unwrap() {
        for event in page.events {
            assert_eq!(event.envelope.id, format!("evt_{seen}"));
            assert!(event.raw.starts_with(br#"{"id":"evt_"#), "the blanks are kept too");
            seen += 1;
        }
    }
    assert_eq!(seen, 250);
    let asked = fake.asked();
    assert_eq!(asked.len(), 3);
    let query: Vec<_> = url::form_urlencoded::parse(asked[1].uri.split_once('?').unwrap().1.as_bytes())
        .into_owned()
        .collect();
    for (name, value) in [
        ("starting_after", "evt_99"),
        ("types[1]", "charge.refunded"),
        ("created[gte]", "7"),
        ("limit", "100"),
    ] {
        assert!(query.contains(&(name.to_owned(), value.to_owned())), "{query:?}");
    }
}

#[tokio::test]
async fn lists_without_end_are_found_out() {
    let same = fake(vec![], ok(page(0..10, true))).await;
    let client = same.client();
    let mut walk = EventWalk::new(50, None);
    let query = EventsQuery::default();
    assert!(walk.next(&client, &query).await.is_ok());
    assert!(matches!(walk.next(&client, &query).await, Err(ApiError::EndlessList { page: 2, .. })));
    assert!(matches!(client.refunds_of("ch_1").await, Err(ApiError::EndlessList { .. })));

    let hollow = fake(vec![], ok(r#"{"object":"list","data":[],"has_more":true}"#)).await;
    assert!(matches!(hollow.client().sessions_of("pi_1").await, Err(ApiError::EndlessList { page: 1, .. })));

    let counter = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let ever_new: Reply = Box::new(move |_| {
        let n = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Response::new(Body::from(page(n..n + 1, true)))
    });
    let endless = fake(vec![], ever_new).await;
    let (client, mut walk) = (endless.client(), EventWalk::new(5, None));
    let mut pages = 0;
    let error = loop {
        match walk.next(&client, &query).await {
            Ok(_) => pages += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(pages, 4);
    assert!(matches!(error, ApiError::EndlessList { page: 5, .. }), "{error:?}");
}

#[tokio::test]
async fn fetches_give_bodies_or_missing() {
    let missing = || error(404, r#"{"code":"resource_missing","message":"No such invoice"}"#);
    let fake_one = fake(vec![], missing()).await;
    let client = fake_one.client();
    let invoice = Fetch::Object { kind: Kind::Invoice, id: "in_1".to_owned() };
    assert_eq!(client.fetch(&invoice).await, Ok(Fetched::Missing));
    let sessions = Fetch::SessionsOf { payment_intent: "pi_1".to_owned() };
    assert!(
        matches!(client.fetch(&sessions).await, Err(ApiError::NotFound { .. })),
        "a list is never missing"
    );

    let refused = || error(400, r#"{"message":"cannot expand"}"#);
    let fake_two = fake(vec![refused(), refused(), ok(r#"{"id":"in_1"}"#)], ok(EMPTY)).await;
    let client = fake_two.client();
    assert!(
        matches!(client.fetch(&invoice).await, Ok(Fetched::Pages(pages)) if pages == [r#"{"id":"in_1"}"#])
    );
    let payments = Fetch::InvoicePaymentsOf { payment_intent: "pi_1".to_owned() };
    assert!(matches!(client.fetch(&payments).await, Ok(Fetched::Pages(pages)) if pages == [EMPTY]));
    let asked = fake_two.asked();
    assert!(asked[0].uri.contains("payments") && asked[0].uri.contains("amount_paid_off_stripe"));
    assert!(asked[1].uri.contains("payments") && !asked[1].uri.contains("off_stripe"));
    assert!(!asked[2].uri.contains("expand"));
    let uri = asked[3].uri.replace("%5B", "[").replace("%5D", "]");
    assert!(
        uri.starts_with("/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]=pi_1"),
        "{uri}"
    );
}

/// A Stripe of which each path answers for itself.
fn by_path(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Reply {
    Box::new(move |asked| {
        let (status, body) = answer(asked);
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
}

fn narrow(asked: &Asked) -> (u16, String) {
    let path = asked.uri.split('?').next().unwrap();
    let forbidden = |name: &str| {
        (403, format!(r#"{{"error":{{"message":"The key lacks 'rak_{name}', a permission."}}}}"#))
    };
    match path {
        "/v1/account" => forbidden("account_read"),
        "/v1/balance" => (200, r#"{"object":"balance","livemode":false}"#.to_owned()),
        "/v1/charges" => forbidden("charge_read"),
        "/v1/coupons" => forbidden("coupon_read"),
        "/v1/checkout/sessions" => (404, "404: Not Found".to_owned()),
        _ => (200, EMPTY.to_owned()),
    }
}

#[tokio::test]
async fn a_narrow_key_is_taken_with_a_list_of_what_it_lacks() {
    let fake = fake(vec![], by_path(narrow)).await;
    let validation = validate_key(&fake.client()).await.unwrap();
    assert_eq!((validation.account_id, validation.livemode), (None, false));
    assert_eq!(validation.missing.len(), 1, "{:?}", validation.missing);
    assert!(validation.missing[0].contains("charge_read"));
    assert!(validation.warnings.iter().any(|warning| warning.contains("coupon_read")));
    assert!(validation.warnings.iter().any(|warning| warning.contains("may not read the account")));
    assert!(validation.warnings.iter().any(|warning| warning.contains("could not be checked")));
    assert_eq!(validation.probes.len(), 14);
    let probes = probe_permissions(&fake.client(), &|_, _| {}).await.unwrap();
    assert_eq!(probes, validation.probes);
}

#[tokio::test]
async fn a_full_key_names_its_account_and_a_secret_key_is_warned_of() {
    let all = |asked: &Asked| match asked.uri.split('?').next().unwrap() {
        "/v1/account" => {
            (200, r#"{"id":"acct_1","settings":{"dashboard":{"display_name":"Ada's shop"}}}"#.to_owned())
        }
        "/v1/balance" => (200, r#"{"livemode":true}"#.to_owned()),
        _ => (200, EMPTY.to_owned()),
    };
    let fake = fake(vec![], by_path(all)).await;
    let validation = validate_key(&fake.client_with("sk_live_1234", |_| {})).await.unwrap();
    assert_eq!(validation.account_id.as_deref(), Some("acct_1"));
    assert_eq!(validation.display_name.as_deref(), Some("Ada's shop"));
    assert!(validation.livemode && validation.missing.is_empty());
    assert_eq!(validation.warnings.len(), 1, "{:?}", validation.warnings);
    let mismatch = validate_key(&fake.client()).await;
    assert_eq!(mismatch, Err(ConnectError::ModeMismatch { key: Mode::Test, stripe: Mode::Live }));
}

#[tokio::test]
async fn a_revoked_key_is_an_error_that_says_what_to_do() {
    let fake = fake(vec![], error(401, r#"{"message":"Expired API Key provided"}"#)).await;
    let error = validate_key(&fake.client()).await.unwrap_err();
    assert!(error.to_string().contains("Make a new restricted key"), "{error}");
}

/// A Stripe that keeps webhook endpoints.
struct Endpoints {
    kept: Mutex<Vec<(String, String, String)>>,
    made: std::sync::atomic::AtomicUsize,
    limit: usize,
}

impl Endpoints {
    fn answer(&self, asked: &Asked) -> (u16, String) {
        let mut kept = self.kept.lock().unwrap();
        let json = |(id, url, mark): &(String, String, String)| {
            let types: Vec<_> = tributary_stripe::events::subscribed();
            format!(
                r#"{{"id":"{id}","url":"{url}","status":"enabled","api_version":"2020-08-27","metadata":{{"{MARK}":"{mark}"}},"enabled_events":{}}}"#,
                serde_json::to_string(&types).unwrap()
            )
        };
        match asked.method.as_str() {
            "GET" => {
                let all: Vec<_> = kept.iter().map(json).collect();
                (200, format!(r#"{{"object":"list","data":[{}],"has_more":false}}"#, all.join(",")))
            }
            "DELETE" => {
                let id = asked.uri.rsplit('/').next().unwrap();
                kept.retain(|endpoint| endpoint.0 != id);
                (200, format!(r#"{{"id":"{id}","deleted":true}}"#))
            }
            _ if asked.uri != "/v1/webhook_endpoints" => (200, json(&kept[0])),
            _ if kept.len() >= self.limit => (
                400,
                r#"{"error":{"message":"You have reached the maximum of 16 test webhook endpoints."}}"#
                    .to_owned(),
            ),
            _ => {
                let n = self.made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let of = |name: &str| {
                    let pairs = url::form_urlencoded::parse(asked.body.as_bytes());
                    pairs.into_owned().find(|pair| pair.0 == name).unwrap().1
                };
                kept.push((format!("we_{n}"), of("url"), of(&format!("metadata[{MARK}]"))));
                (200, format!(r#"{{"id":"we_{n}","secret":"whsec_{n}"}}"#))
            }
        }
    }
}

async fn endpoints(limit: usize) -> (Fake, Arc<Endpoints>) {
    let state = Arc::new(Endpoints { kept: Mutex::default(), made: 0.into(), limit });
    let answering = state.clone();
    (fake(vec![], by_path(move |asked| answering.answer(asked))).await, state)
}

fn spec<'s>(stored: Option<&'s str>, attempt: &'s str) -> EndpointSpec<'s> {
    EndpointSpec {
        url: "https://shop.example.com/hook",
        connection_id: "con_1",
        description: "Tributary",
        stored,
        attempt,
        connect: false,
    }
}

#[tokio::test]
async fn a_connection_has_one_endpoint_however_often_it_is_asked_for() {
    let (fake, state) = endpoints(16).await;
    let client = fake.client();
    let made = ensure(&client, &spec(None, "a")).await.unwrap();
    let EndpointOutcome::Created { id, replaced, .. } = made else { panic!("{made:?}") };
    assert!(replaced.is_empty());
    let found = ensure(&client, &spec(Some(&id), "b")).await.unwrap();
    let EndpointOutcome::Found { id: again, updated: false, note: Some(note) } = found else {
        panic!("{found:?}")
    };
    assert_eq!(again, id);
    assert!(note.contains("2020-08-27"), "{note}");
    // the secret was lost: the old one goes, a new one comes
    let made = ensure(&client, &spec(None, "c")).await.unwrap();
    let EndpointOutcome::Created { id: new, replaced, .. } = made else { panic!("{made:?}") };
    assert_eq!(replaced, std::slice::from_ref(&id));
    assert_ne!(new, id);
    assert_eq!(state.kept.lock().unwrap().len(), 1);
    // moved to another address: kept, and told the new address
    let moved = EndpointSpec { url: "https://new.example.com/hook", ..spec(Some(&new), "d") };
    let found = ensure(&client, &moved).await.unwrap();
    assert!(matches!(found, EndpointOutcome::Found { updated: true, .. }), "{found:?}");
    // foreign endpoints are left alone
    state.kept.lock().unwrap().push(("we_foreign".into(), "https://other.example".into(), "con_2".into()));
    ensure(&client, &spec(None, "e")).await.unwrap();
    assert!(state.kept.lock().unwrap().iter().any(|endpoint| endpoint.0 == "we_foreign"));
}

#[tokio::test]
async fn limits_permissions_and_private_addresses_are_outcomes() {
    let (full, _) = endpoints(0).await;
    let outcome = ensure(&full.client(), &spec(None, "a")).await.unwrap();
    assert!(
        matches!(&outcome, EndpointOutcome::LimitReached { message } if message.contains("signing secret")),
        "{outcome:?}"
    );

    let body = r#"{"message":"Having the 'rak_webhook_read' permission would allow this."}"#;
    let closed = fake(vec![], error(403, body)).await;
    let outcome = ensure(&closed.client(), &spec(None, "a")).await.unwrap();
    assert!(
        matches!(&outcome, EndpointOutcome::NoPermission { message } if message.contains("webhook_write")),
        "{outcome:?}"
    );

    let refused =
        fake(vec![ok(EMPTY)], error(400, r#"{"param":"url","message":"URL must be publicly accessible"}"#))
            .await;
    let outcome = ensure(&refused.client(), &spec(None, "a")).await.unwrap();
    assert!(matches!(outcome, EndpointOutcome::NotPublic { .. }), "{outcome:?}");
}
