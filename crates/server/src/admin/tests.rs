//! The pages on a database of their own, driven through the router: who may see what, and for how long.

use crate::clock::Clock;
use crate::{App, Settings, password};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tributary_store::db::Location;
use tributary_store::pipeline::inbox::{self, NewEvent};
use tributary_store::vault::Key;
use tributary_store::workspaces::{self, Program};
use tributary_store::{Db, P, StoreError, Tx, Unit};

const NOW: i64 = 1_795_340_000_000;
const DAY: i64 = 86_400_000;
const PASSWORD: &str = "four green rivers run";

struct House {
    app: App,
    router: Router,
    _folder: tempfile::TempDir,
}

/// Two workspaces, A and B, with a program, a connection, an event and an unattributed sale each.
struct Furnish {
    master: Key,
    hash: String,
}

impl Unit for Furnish {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for letter in ["a", "b"] {
            let ws = format!("wsp_{letter}");
            workspaces::insert_workspace(tx, &self.master, &ws, "Acme & Sons", NOW).await?;
            let program = Program {
                workspace_id: ws.clone(),
                program_id: format!("prg_{letter}"),
                public_id: format!("{}{}", letter.to_uppercase(), "AAAAAAA"),
                name: "Partners".into(),
                kind: "affiliate".into(),
                currency: "usd".into(),
                website: "https://acme.test".into(),
                created_at: NOW,
                setup_done_at: Some(NOW),
                ..Program::default()
            };
            let terms = r#"{"reward":{"type":"percent","rate":300000},"duration":{"type":"lifetime"},"hold_days":30}"#;
            workspaces::insert_program(tx, &program, terms).await?;
            for role in ["owner", "analyst"] {
                let email = format!("{role}@{letter}.test");
                let id = format!("usr_{role}_{letter}");
                workspaces::insert_user(tx, &ws, &id, &email, &self.hash, role, NOW).await?;
            }
            let con = format!("con_{letter}");
            let sql = "INSERT INTO connection (workspace_id, connection_id, mode, account_id, account_name, api_base, \
                 api_key, key_hint, status, status_reason, warnings, polling, cursor_at, created_at, updated_at) \
                 VALUES ($1, $2, 'test', 'acct_1', 'Acme', 'http://127.0.0.1:1', $4, '', 'connected', '', '[]', $5, 0, $3, $3)";
            tx.exec(sql, &[P::T(&ws), P::T(&con), P::I(NOW), P::B(b"x"), P::F(false)]).await?;
            let sql = "INSERT INTO connection_program (workspace_id, connection_id, program_id, created_at) VALUES ($1, $2, $3, $4)";
            tx.exec(sql, &[P::T(&ws), P::T(&con), P::T(&program.program_id), P::I(NOW)]).await?;
            let sql = "INSERT INTO feed_span (workspace_id, connection_id, program_id, from_ms) VALUES ($1, $2, $3, 0)";
            tx.exec(sql, &[P::T(&ws), P::T(&con), P::T(&program.program_id)]).await?;
            let key = workspaces::data_key(tx, &self.master, &ws).await?;
            let payload = br#"{"id":"evt_1","object":"event","data":{"object":{"object":"charge","receipt_email":"dana@wolfe.test"}}}"#;
            let event = NewEvent {
                workspace_id: ws.clone(),
                connection_id: con.clone(),
                event_id: "evt_1".into(),
                type_: "charge.succeeded".into(),
                object_id: "ch_1".into(),
                api_version: "2026-05-27.dahlia".into(),
                created_at: NOW,
                received_at: NOW,
                via: "webhook",
                outcome: "parked",
                reason: "the amount is <b>odd</b>".into(),
                body: key.seal(&inbox::payload_place(&con, "evt_1"), payload)?,
            };
            inbox::insert_event(tx, &event).await?;
            let sql = "INSERT INTO sale (workspace_id, sale_id, connection_id, mode, root_id, state, occurred_at, currency, \
                 total, tax, shipping, discount, paid, captured, refunded, tax_unknown, rewardable, buyer_id, place_reason, \
                 unplaced, unsettled, outcome, updated_at) VALUES ($1, 'sal_1', $2, 'test', 'ch_1', 'paid', $3, 'usd', \
                 7200, 0, 0, 0, 7200, 7200, 0, $4, $4, 'cus_<i>1', 'nobody named it', $5, $5, '', $3)";
            tx.exec(sql, &[P::T(&ws), P::T(&con), P::I(NOW), P::F(true), P::F(false)]).await?;
            let sql = "INSERT INTO alias (workspace_id, connection_id, object_id, sale_id) VALUES ($1, $2, 'ch_1', 'sal_1')";
            tx.exec(sql, &[P::T(&ws), P::T(&con)]).await?;
        }
        Ok(())
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }
    fn cookies(&self) -> String {
        let all = self.headers.get_all(header::SET_COOKIE).iter();
        all.map(|value| value.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
    }
    /// What the page's forms carry.
    fn token(&self) -> &str {
        self.body.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap()
    }
}

impl House {
    async fn new(public_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Sqlite(folder.path().join("t.db"))).await.unwrap();
        db.migrate().await.unwrap();
        let master = Key::random().unwrap();
        db.write(Furnish { master: master.clone(), hash: password::hash(PASSWORD).unwrap() }).await.unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: public_url.parse().unwrap(),
            stripe_api_base: "http://127.0.0.1:1".into(),
            poll_seconds: 10,
            link_delay_ms: 0,
            raw_payload_days: 0,
        };
        let app = App::new(db, master, Clock::fixed(NOW), settings);
        let router = super::routes(&app).with_state(app.clone());
        Self { app, router, _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    async fn get(&self, path: &str, cookies: &str) -> Answer {
        self.send(Request::get(path).header(header::COOKIE, cookies).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, cookies: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, cookies)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    async fn log_in(&self, email: &str, password: &str) -> Answer {
        let password = crate::ui::text::encode(password);
        self.post("/login", "", &format!("email={email}&password={password}&next=/")).await
    }

    async fn cookies(&self, email: &str) -> String {
        let answer = self.log_in(email, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.cookies()
    }
}

const PAGES: [&str; 22] = [
    "",
    "partners",
    "partners/new",
    "customers",
    "search",
    "links",
    "transactions",
    "transactions/ch_1",
    "events",
    "events/con_a/evt_1",
    "settings",
    "settings/terms",
    "settings/keys",
    "settings/stripe",
    "settings/stripe/con_a/disconnect",
    "settings/stripe/con_a/key",
    "settings/profile",
    "settings/sessions",
    "integration",
    "integration/api",
    "integration/stripe",
    "integration/guides/payment-links",
];

/// The address of a page of a program; the first has none of its own.
fn at(program: &str, page: &str) -> String {
    format!("/p/{program}/{page}").trim_end_matches('/').to_owned()
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_log_in_and_back() {
    let house = House::new("http://127.0.0.1:8787").await;
    for page in PAGES {
        let answer = house.get(&at("AAAAAAAA", page), "tributary_session=00").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let back = crate::ui::text::encode(&at("AAAAAAAA", page));
        assert_eq!(answer.location(), format!("/login?next={back}"));
    }
    assert_eq!(house.get("/", "").await.location(), "/login");
    let polled = Request::get("/p/AAAAAAAA/events").header("hx-request", "true").body(Body::empty()).unwrap();
    let polled = house.send(polled).await;
    assert_eq!(
        (polled.status, polled.headers["hx-redirect"].to_str().unwrap()),
        (StatusCode::UNAUTHORIZED, "/login")
    );
}

#[tokio::test]
async fn pages_show_their_own_workspace_and_nothing_of_another() {
    let house = House::new("http://127.0.0.1:8787").await;
    let cookies = house.cookies("owner@a.test").await;
    assert_eq!(house.get("/", &cookies).await.location(), "/p/AAAAAAAA");
    for page in PAGES {
        let answer = house.get(&at("AAAAAAAA", page), &cookies).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}: {}", answer.body);
        assert!(
            !answer.body.contains("dana") && !answer.body.contains("<i>1") && !answer.body.contains("<b>odd")
        );
        assert!(answer.body.contains("Acme &#38; Sons"), "{page}");
        for path in [at("BAAAAAAA", page), at("CAAAAAAA", page), format!("/p/AAAAAAAA/{page}x")] {
            assert_eq!(house.get(&path, &cookies).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    let foreign = house.get("/p/AAAAAAAA/events/con_b/evt_1", &cookies).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let list = house.get("/p/AAAAAAAA/transactions?state=unattributed", &cookies).await;
    assert!(list.body.contains("$72.00") && list.body.contains("1 event is parked"), "{}", list.body);
    let found = house.get("/p/AAAAAAAA/transactions?q=ch_1", &cookies).await;
    assert_eq!(found.location(), "/p/AAAAAAAA/transactions/ch_1");
    let odd = "/p/AAAAAAAA/transactions?q=%25%27%5C%22%3Cb%3E&state=no&order=x&before=~&after=9~%00";
    assert_eq!(house.get(odd, &cookies).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_by_itself_after_idle_days_after_thirty_days_and_at_log_out() {
    let house = House::new("http://127.0.0.1:8787").await;
    let page = "/p/AAAAAAAA/events";
    let cookies = house.cookies("owner@a.test").await;
    for day in 1..=5 {
        house.app.clock.set(NOW + day * 6 * DAY - 1);
        assert_eq!(house.get(page, &cookies).await.status, StatusCode::OK, "day {}", day * 6);
    }
    house.app.clock.set(NOW + 30 * DAY);
    assert_eq!(house.get(page, &cookies).await.status, StatusCode::SEE_OTHER, "whole life");

    let cookies = house.cookies("owner@a.test").await;
    house.app.clock.set(NOW + 37 * DAY);
    assert_eq!(house.get(page, &cookies).await.status, StatusCode::SEE_OTHER, "idle");
    house.app.clock.set(NOW + 31 * DAY);
    assert_eq!(house.get(page, &cookies).await.status, StatusCode::SEE_OTHER, "an ended session stays ended");

    let cookies = house.cookies("owner@a.test").await;
    let shown = house.get(page, &cookies).await;
    assert_eq!(house.post("/logout", &cookies, "form_token=00").await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.get(page, &cookies).await.status, StatusCode::OK);
    let out = house.post("/logout", &cookies, &format!("form_token={}", shown.token())).await;
    assert_eq!(out.location(), "/login");
    assert_eq!(house.get(page, &cookies).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_log_in_makes_a_new_session_and_ends_the_one_before() {
    let house = House::new("http://127.0.0.1:8787").await;
    let first = house.cookies("owner@a.test").await;
    let form = format!("email=Owner@A.test&password={}&next=//evil.test", crate::ui::text::encode(PASSWORD));
    let second = house.post("/login", &first, &form).await;
    assert_eq!(second.location(), "/login?entered=1&next=%2F", "no foreign address is followed");
    assert_ne!(first, second.cookies());
    assert_eq!(house.get("/p/AAAAAAAA/events", &first).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.get("/p/AAAAAAAA/events", &second.cookies()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn wrong_passwords_and_unknown_accounts_get_one_answer_and_a_limit() {
    let house = House::new("http://127.0.0.1:8787").await;
    let wrong = house.log_in("owner@a.test", "no").await;
    let unknown = house.log_in("nobody@a.test", "no").await;
    assert_eq!((wrong.status, unknown.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert_eq!(wrong.body.replace("owner@", "nobody@"), unknown.body);
    for _ in 0..9 {
        house.log_in("owner@a.test", "no").await;
    }
    let limited = house.log_in("owner@a.test", PASSWORD).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: i64 = limited.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    house.app.clock.set(NOW + wait * 1000);
    assert_eq!(house.log_in("owner@a.test", PASSWORD).await.status, StatusCode::SEE_OTHER);
    for odd in ["", "email=a", "email=a&password=b&next=/&role=owner", "%ff=1"] {
        assert_eq!(house.post("/login", "", odd).await.status, StatusCode::BAD_REQUEST, "{odd}");
    }
    assert_eq!(house.post("/login", "", &"x".repeat(40_000)).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_event_is_run_again_only_with_the_token_by_those_who_may() {
    let house = House::new("http://127.0.0.1:8787").await;
    let owner = house.cookies("owner@a.test").await;
    let analyst = house.cookies("analyst@a.test").await;
    let event = "/p/AAAAAAAA/events/con_a/evt_1";
    let rerun = format!("{event}/rerun");
    assert!(house.get(event, &owner).await.body.contains("Parked"));
    let old = house.get(event, &owner).await;
    let others = house.get(event, &analyst).await;
    for (cookies, token) in [(&owner, "00"), (&owner, others.token()), (&analyst, others.token())] {
        assert_eq!(
            house.post(&rerun, cookies, &format!("form_token={token}")).await.status,
            StatusCode::FORBIDDEN
        );
    }
    let token = format!("form_token={}", old.token());
    let foreign = house.post("/p/AAAAAAAA/events/con_b/evt_1/rerun", &owner, &token).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert!(house.get(event, &owner).await.body.contains("Parked"), "nothing changed so far");
    assert_eq!(house.post(&rerun, &owner, &token).await.location(), event);
    assert!(house.get(event, &owner).await.body.contains("Waiting"));
}

#[tokio::test]
async fn https_protects_the_cookies_and_every_answer_has_its_belts() {
    let house = House::new("https://partners.acme.test").await;
    let answer = house.log_in("owner@a.test", PASSWORD).await;
    let set: Vec<_> =
        answer.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap().to_owned()).collect();
    let session = set.iter().find(|cookie| cookie.starts_with("__Host-tributary=")).unwrap();
    for part in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(session.contains(part), "{session}");
    }
    for path in ["/login", "/nothing", "/p/AAAAAAAA/events", "/assets/nothing"] {
        let headers = house.get(path, &answer.cookies()).await.headers;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY), "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    }
    let plain = House::new("http://acme.test").await;
    assert!(plain.get("/login", "").await.body.contains("plain http"));
    assert!(!plain.get("/login", "").await.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn pages_are_sent_compressed_and_the_api_answers_json_where_nothing_is() {
    let house = House::new("http://127.0.0.1:8787").await;
    let request = Request::get("/login").header(header::ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap();
    assert_eq!(house.send(request).await.headers[header::CONTENT_ENCODING], "gzip");
    let api = house.get("/v1/nothing", "").await;
    assert_eq!(api.status, StatusCode::NOT_FOUND);
    assert!(api.body.starts_with("{\"message\""));
}
