//! The surface on SQLite, request by request; both engines and the browser are tested from outside.

use crate::api::tests::harness::Api;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use tributary_store::{P, StoreError, Tx, Unit};

const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

struct Surface {
    api: Api,
}

struct Count(&'static str);
impl Unit for Count {
    type Out = Vec<Vec<i64>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let rows = tx.rows(self.0, &[]).await?;
        let wide = |row: &tributary_store::Row| (0..).map_while(|at| row.int(at).ok()).collect();
        Ok(rows.iter().map(wide).collect())
    }
}

struct Run(&'static str);
impl Unit for Run {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        tx.exec(self.0, &[] as &[P<'_>]).await
    }
}

impl Surface {
    async fn new() -> Self {
        let api = Api::new().await;
        let (status, _) =
            api.call("POST", "/v1/partners", r#"{"email":"ada@partners.example","key":"ada"}"#).await;
        assert_eq!(status, 201);
        Self { api }
    }

    async fn send(
        &self,
        request: axum::http::request::Builder,
        body: &str,
    ) -> (StatusCode, HeaderMap, String) {
        let request: Request<Body> = request.body(Body::from(body.to_owned())).unwrap();
        let answer = crate::router(self.api.app.clone()).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, "").await
    }

    async fn follow(&self, path: &str, agent: &str) -> url::Url {
        let (status, headers, body) = self.get(path, &[("user-agent", agent)]).await;
        assert_eq!(status, StatusCode::FOUND, "{path}");
        assert_eq!(body, "", "nothing is reflected");
        headers["location"].to_str().unwrap().parse().unwrap()
    }

    async fn visit(&self, body: Value) -> (StatusCode, Value) {
        let path = format!("/t/{}/visit", self.api.program.public_id);
        let request =
            Request::post(path).header("user-agent", BROWSER).header("origin", "https://shop.example");
        let (status, headers, text) = self.send(request, &body.to_string()).await;
        assert_eq!(headers["access-control-allow-origin"], "*");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn count(&self, sql: &'static str) -> Vec<Vec<i64>> {
        self.api.app.track.queue.flush().await;
        self.api.app.db.read(Count(sql)).await.unwrap()
    }
}

fn parameter(url: &url::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

const VISITS: &str = "SELECT COUNT(*) FROM visit";
const LINK_DAY: &str = "SELECT visits, repeats, bots, prefetches, heads FROM link_day";

#[tokio::test]
async fn a_short_link_counts_a_person_once_in_half_an_hour() {
    let at = Surface::new().await;
    let first = at.follow("/r/ada?utm_source=x&aff=other&to=", BROWSER).await;
    assert_eq!(first.host_str(), Some("shop.example"));
    assert_eq!(parameter(&first, "aff").as_deref(), Some("ada"));
    assert_eq!(parameter(&first, "utm_source").as_deref(), Some("x"));
    let id = parameter(&first, "tributary_visit").unwrap();
    assert!(super::visitor::is_visit_id(&id), "{id}");
    let long = format!("/r/{}/ada", at.api.program.public_id);
    let again = at.follow(&long, BROWSER).await;
    assert_eq!(parameter(&again, "tributary_visit"), Some(id.clone()), "the same visit");
    assert_eq!(at.count(VISITS).await, [[1]]);
    at.api.wait(tributary_store::track::REPEAT_MS);
    let later = at.follow(&long, BROWSER).await;
    assert_ne!(parameter(&later, "tributary_visit"), Some(id));
    assert_eq!(at.count(LINK_DAY).await, [[2, 1, 0, 0, 0]]);
    assert_eq!(at.count("SELECT visits, rejected FROM program_day").await, [[2, 0]]);
    assert_eq!(at.count("SELECT visits, customers FROM partner_day").await, [[2, 0]]);
    let columns = "SELECT COUNT(*) FROM visit WHERE landing = 'https://shop.example/start' AND via = 'link' AND mode = 'test'";
    assert_eq!(at.count(columns).await, [[2]]);
}

#[tokio::test]
async fn what_is_no_person_is_led_on_and_counted_apart() {
    let at = Surface::new().await;
    let path = "/r/ada";
    let person = ("user-agent", BROWSER);
    for headers in [
        vec![("user-agent", "facebookexternalhit/1.1")],
        vec![],
        vec![person, ("sec-purpose", "prefetch;prerender")],
        vec![person, ("purpose", "prefetch")],
        vec![person, ("sec-fetch-dest", "image")],
        vec![person, ("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")],
        vec![person, ("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")],
    ] {
        let (status, answer, _) = at.get(path, &headers).await;
        assert_eq!(status, StatusCode::FOUND, "{headers:?}");
        let location: url::Url = answer["location"].to_str().unwrap().parse().unwrap();
        assert_eq!(
            location.as_str(),
            "https://shop.example/start?x=1&aff=ada",
            "no visit to name: {headers:?}"
        );
    }
    let (status, ..) = at.send(Request::head(path).header("user-agent", BROWSER), "").await;
    assert_eq!(status, StatusCode::FOUND);
    assert_eq!(at.count(VISITS).await, [[0]]);
    assert_eq!(at.count(LINK_DAY).await, [[0, 0, 2, 5, 1]]);
    assert_eq!(at.count("SELECT visits, rejected FROM program_day").await, [[0, 8]]);
    let (status, headers, _) =
        at.get(path, &[person, ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")]).await;
    assert_eq!(status, StatusCode::FOUND);
    assert_eq!(headers["cache-control"], "no-store");
    assert!(headers.contains_key("referrer-policy") && !headers.contains_key("set-cookie"));
    assert_eq!(at.count(VISITS).await, [[1]]);
}

#[tokio::test]
async fn what_nobody_has_leads_home_or_to_a_plain_page() {
    let at = Surface::new().await;
    let public_id = at.api.program.public_id.clone();
    for path in [
        format!("/r/{public_id}/nobody"),
        format!("/r/{public_id}"),
        format!("/r/{public_id}/%2F%2Fevil.example"),
    ] {
        assert_eq!(at.follow(&path, BROWSER).await.as_str(), "https://shop.example/start?x=1", "{path}");
    }
    for path in ["/r/nobody", "/r/ZZZZZZZZ/ada", "/r/%00", "/r/%3Cscript%3E"] {
        let (status, headers, body) = at.get(path, &[("user-agent", BROWSER)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(body, "There is no link at this address.\n");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    assert_eq!(at.count(VISITS).await, [[0]]);
    assert_eq!(at.count("SELECT visits, rejected FROM program_day").await, [[0, 3]]);
}

#[tokio::test]
async fn an_archived_link_and_a_partner_that_is_gone_lead_home() {
    let at = Surface::new().await;
    assert!(parameter(&at.follow("/r/ada", BROWSER).await, "aff").is_some());
    let gone = "UPDATE partner SET status = 'archived', updated_at = updated_at + 1";
    at.api.app.db.write(Run(gone)).await.unwrap();
    at.api.app.track.cache.refresh(&at.api.app).await.unwrap();
    assert_eq!(at.follow("/r/ada", BROWSER).await.as_str(), "https://shop.example/start?x=1");
    assert_eq!(at.count(VISITS).await, [[1]]);
}

#[tokio::test]
async fn the_script_carries_the_programs_settings_and_is_remembered_for_five_minutes() {
    let at = Surface::new().await;
    let path = format!("/t/{}.js", at.api.program.public_id);
    let (status, headers, script) = at.get(&path, &[("referer", "https://shop.example/")]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(script.contains(&format!("\"http://api.example/t/{}\"", at.api.program.public_id)));
    assert!(
        script.contains(r"/^(?:buy\.stripe\.com)(?::\d+)?$/")
            && script.contains("\"aff\"")
            && script.contains("2592000")
    );
    assert!(!script.contains("TRIBUTARY_"));
    assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(headers["cache-control"], "public, max-age=300");
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(!headers.contains_key("set-cookie"));
    let tag = headers["etag"].to_str().unwrap().to_owned();
    let (status, headers, body) = at.get(&path, &[("if-none-match", &tag)]).await;
    assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(headers["etag"], tag.as_str());
    let (status, headers, body) = at.get("/t/ZZZZZZZZ.js", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.starts_with("//") && body.lines().count() == 1, "a comment");
    assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
    let seen = "SELECT COUNT(*) FROM sighting WHERE kind = 'script' AND url = 'https://shop.example/'";
    assert_eq!(at.count(seen).await, [[1]]);
}

#[tokio::test]
async fn the_script_is_small_on_the_wire() {
    let at = Surface::new().await;
    let path = format!("/t/{}.js", at.api.program.public_id);
    let get = async |accepted: &str| {
        let request = Request::get(&path).header("accept-encoding", accepted).body(Body::empty()).unwrap();
        let answer = crate::router(at.api.app.clone()).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        assert_eq!(parts.headers["vary"], "accept-encoding", "{accepted}");
        let coding = parts.headers.get("content-encoding").map(|coding| coding.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (coding, parts.headers["etag"].clone(), body)
    };
    let (_, tag, plain) = get("").await;
    for (accepted, coding, most) in [
        ("gzip, deflate, br, zstd", "br", 1_250),
        ("gzip;q=0.5, br", "br", 1_250),
        ("gzip, deflate", "gzip", 1_400),
        ("br;q=0, gzip", "gzip", 1_400),
    ] {
        let (given, same_tag, body) = get(accepted).await;
        assert_eq!((given.as_deref(), &same_tag), (Some(coding), &tag), "{accepted}");
        assert!(body.len() <= most, "{accepted}: {} bytes", body.len());
        let mut unpacked = Vec::new();
        if coding == "br" {
            brotli::BrotliDecompress(&mut body.as_ref(), &mut unpacked).unwrap();
        } else {
            std::io::copy(&mut flate2::read::GzDecoder::new(body.as_ref()), &mut unpacked).unwrap();
        }
        assert_eq!(unpacked, plain, "{accepted}");
    }
    for refused in ["identity", "br;q=0, gzip;q=0", "compress"] {
        let (given, same_tag, body) = get(refused).await;
        assert_eq!((given, same_tag, &body), (None, tag.clone(), &plain), "{refused}");
    }
}

#[tokio::test]
async fn the_script_tells_of_an_arrival() {
    let at = Surface::new().await;
    let told = |key: &str, visitor: &str| json!({"key": key, "visitor": visitor, "page": "https://shop.example/pricing?token=1#x", "referrer": "https://blog.example/p?q=1"});
    let (status, answer) = at.visit(told("ada", "0.123")).await;
    assert_eq!(status, StatusCode::OK);
    let id = answer["visit"].as_str().unwrap().to_owned();
    // The same visitor, by its first name and by the visit that it remembers.
    for visitor in ["0.123", id.as_str()] {
        let (status, answer) = at.visit(told("ada", visitor)).await;
        assert_eq!((status, answer["visit"].as_str()), (StatusCode::OK, Some(id.as_str())));
    }
    let (_, answer) = at.visit(told("ada", "0.456")).await;
    assert_ne!(answer["visit"], id.as_str());
    assert_eq!(at.visit(told("nobody", "0.1")).await.0, StatusCode::NO_CONTENT);
    assert_eq!(at.count(LINK_DAY).await, [[2, 2, 0, 0, 0]]);
    let kept = "SELECT COUNT(*) FROM visit WHERE landing = 'https://shop.example/pricing' \
         AND referrer = 'https://blog.example/p' AND via = 'script'";
    assert_eq!(at.count(kept).await, [[2]]);
    assert_eq!(
        at.count("SELECT COUNT(*) FROM sighting WHERE url = 'https://shop.example/pricing'").await,
        [[2]]
    );
}

#[tokio::test]
async fn a_visit_from_elsewhere_or_of_no_form_changes_nothing() {
    let at = Surface::new().await;
    let path = format!("/t/{}/visit", at.api.program.public_id);
    let good = r#"{"key":"ada","page":"https://shop.example/"}"#;
    let long = format!(r#"{{"key":"ada","page":"{}"}}"#, "x".repeat(5_000));
    for (origin, agent, body, wanted) in [
        ("https://evil.example", BROWSER, good, 202),
        ("null", BROWSER, good, 202),
        ("https://shop.example.evil.example", BROWSER, good, 202),
        ("https://shop.example", BROWSER, r#"{"key":"ada","page":"https://evil.example/"}"#, 202),
        ("https://shop.example", "curl/8", good, 202),
        ("https://shop.example", BROWSER, r#"{"key":"a b"}"#, 204),
        ("https://shop.example", BROWSER, r#"{"key":""}"#, 204),
        ("https://shop.example", BROWSER, r#"{"key":7}"#, 400),
        ("https://shop.example", BROWSER, "[", 400),
        ("https://shop.example", BROWSER, "", 400),
        ("https://shop.example", BROWSER, long.as_str(), 413),
    ] {
        let request = Request::post(&path).header("origin", origin).header("user-agent", agent);
        let (status, headers, _) = at.send(request, body).await;
        assert_eq!(status.as_u16(), wanted, "{origin} {body}");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
    assert_eq!(at.count(VISITS).await, [[0]]);
    let (status, headers, _) = at.send(Request::options(&path), "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(headers["access-control-allow-headers"], "content-type");
}

#[tokio::test]
async fn queued_visits_are_counted_once_too() {
    let at = Surface::new().await;
    at.api.app.db.write(Run("UPDATE program SET visits_queued = TRUE")).await.unwrap();
    let first = parameter(&at.follow("/r/ada", BROWSER).await, "tributary_visit");
    assert!(first.is_some());
    assert_eq!(parameter(&at.follow("/r/ada", BROWSER).await, "tributary_visit"), first);
    assert_eq!(at.count(LINK_DAY).await, [[1, 1, 0, 0, 0]]);
    assert_eq!(at.count(VISITS).await, [[1]]);
}

#[tokio::test]
async fn a_flood_from_one_network_still_gets_through_and_is_counted_as_a_program() {
    let at = Surface::new().await;
    for n in 0..310 {
        at.follow("/r/ada", &format!("{BROWSER} {n}")).await;
    }
    assert_eq!(at.count(LINK_DAY).await, [[300, 0, 10, 0, 0]]);
}

impl Surface {
    async fn sign_up(&self, body: &str) -> (u16, String) {
        let path = format!("/t/{}/signup", self.api.program.public_id);
        let request = Request::post(path).header("origin", "https://shop.example");
        let (status, _, text) = self.send(request, body).await;
        self.api.app.track.signups.flush().await;
        (status.as_u16(), text)
    }
}

const CUSTOMERS: &str =
    "SELECT COUNT(*), SUM(CASE WHEN partner_by = 'browser' THEN 1 ELSE 0 END) FROM customer";

#[tokio::test]
async fn a_sign_up_makes_a_customer_once_and_tells_nothing() {
    let at = Surface::new().await;
    let body = r#"{"key":"u1","email":"Mia@Customers.example","name":"Mia","partner":"ada","visitor":"0.5","page":"https://shop.example/join?x=1"}"#;
    for _ in 0..3 {
        assert_eq!(at.sign_up(body).await, (204, String::new()));
    }
    assert_eq!(at.count(CUSTOMERS).await, [[1, 1]]);
    assert_eq!(
        at.count("SELECT COUNT(*) FROM browser_signup WHERE page = 'https://shop.example/join'").await,
        [[1]]
    );
    assert_eq!(at.count("SELECT COUNT(*) FROM customer WHERE email = 'mia@customers.example'").await, [[1]]);
    // Without a key the address is the key; by a visit alone the partner is known, too.
    let (_, answer) = at.visit(json!({"key": "ada", "page": "https://shop.example/"})).await;
    let id = answer["visit"].as_str().unwrap();
    let by_visit = json!({"email": "b@customers.example", "visitor": id}).to_string();
    assert_eq!(at.sign_up(&by_visit).await.0, 204);
    assert_eq!(at.count(CUSTOMERS).await, [[2, 2]]);
    assert_eq!(at.count("SELECT COUNT(*) FROM browser_signup WHERE visit_id IS NOT NULL").await, [[1]]);
    assert_eq!(at.count("SELECT COUNT(*) FROM sighting WHERE kind = 'signup'").await, [[1]]);
}

#[tokio::test]
async fn forged_and_flooding_sign_ups_change_nothing() {
    let at = Surface::new().await;
    for (body, wanted) in [
        (r#"{"key":"u1"}"#, 204),
        (r#"{"key":"u1","partner":"nobody"}"#, 204),
        (r#"{"key":"u1","partner":"../ada"}"#, 204),
        (r#"{"key":"u1","partner":"ada","page":"https://evil.example/"}"#, 204),
        (r#"{"partner":"ada"}"#, 422),
        (r#"{"partner":"ada","email":"nobody"}"#, 422),
        ("{\"partner\":\"ada\",\"key\":\"a\\u0000b\"}", 422),
        (r#"{"partner":"ada","key":{"$ne":1}}"#, 400),
        ("null", 400),
    ] {
        assert_eq!(at.sign_up(body).await.0, wanted, "{body}");
    }
    assert_eq!(at.count("SELECT COUNT(*) FROM customer").await, [[0]]);
    for n in 0..40 {
        let body = json!({"key": format!("f{n}"), "partner": "ada"}).to_string();
        assert_eq!(at.sign_up(&body).await, (204, String::new()));
    }
    let made = at.count("SELECT COUNT(*) FROM customer").await[0][0];
    assert!((1..=20).contains(&made), "{made}");
}
