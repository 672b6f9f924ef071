//! Connections over time: looked after, rolled without a gap, shared by programs, and their test data wiped.

use crate::support::browser::Browser;
use crate::support::sandbox::Sandbox;
use crate::support::story::commission;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, eventually, now_s};
use serde_json::json;
use std::time::Duration;
use tributary_stripe::story::wrap;

both_engines!(
    a_revoked_key_is_seen_within_a_minute_and_a_new_one_goes_on,
    a_permission_that_is_lost_is_seen_within_a_minute,
    who_looks_again_sees_at_once_what_is_wrong,
    an_endpoint_that_is_gone_is_told_of,
    a_roll_under_a_stream_of_events_loses_none,
    test_data_goes_in_one_step_and_live_data_stays,
    a_connection_feeds_a_second_program,
    a_key_takes_no_purchase_of_another_program,
);

const KEY: &str = "rk_test_the_usual_one";

fn at(world: &World, path: &str) -> String {
    format!("/p/{}/{path}", world.program)
}

async fn owner(world: &World) -> (Browser, String) {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let token = browser.get(world, &at(world, "settings/stripe")).await.token();
    (browser, token)
}

async fn id(world: &World) -> String {
    world.database.text("SELECT connection_id FROM connection ORDER BY created_at").await
}

async fn look_soon(world: &World) {
    world.database.damage("UPDATE connection SET looked_at = 0").await;
}

async fn until_number(world: &World, what: &str, sql: &str, wanted: i64) {
    eventually(what, Duration::from_secs(90), || async {
        (world.database.number(sql).await == wanted).then_some(())
    })
    .await;
}

async fn a_revoked_key_is_seen_within_a_minute_and_a_new_one_goes_on(engine: Engine) {
    let (mut world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    world.partner("ADA").await;
    // Somebody is told: an address that takes alerts.
    let taken = alerts().await;
    world.set("TRIBUTARY_ALERT_URL", &taken.0);
    world.stop().await;
    world.serve().await;
    sandbox.control("keys/revoke", &json!({ "key": KEY })).await;
    let broken = "SELECT COUNT(*) FROM connection WHERE status = 'broken'";
    let began = tokio::time::Instant::now();
    until_number(&world, "the revoked key is seen", broken, 1).await;
    assert!(began.elapsed() < Duration::from_secs(60), "within a minute: {:?}", began.elapsed());
    eventually("the alert arrives", Duration::from_secs(30), || async {
        let all = taken.1.lock().expect("alerts").clone();
        all.iter().any(|text: &String| text.contains("connection_broken")).then_some(())
    })
    .await;
    let (mut browser, _) = owner(&world).await;
    let page = browser.get(&world, &at(&world, "settings")).await;
    assert!(page.body.contains("does not answer as it should"), "the bar under the title: {}", page.body);
    assert_eq!(world.command(&["doctor", "--json"], "").await.code, 1, "the doctor says so too");
    // Events are taken all the same, and look-ups wait.
    sandbox.play(&world, "signup").await;
    assert!(world.database.number("SELECT COUNT(*) FROM event").await > 0);
    world.connect_with(&world.program, "rk_test_the_next_one", None).await.ok();
    until_number(&world, "the new key goes on", broken, 0).await;
    sandbox.agree(&world).await;
    world.finish().await;
    sandbox.stop().await;
}

/// The word under which Stripe's permission for invoices goes.
const LOST: &str = "invoice_read";

async fn a_permission_that_is_lost_is_seen_within_a_minute(engine: Engine) {
    let (mut world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, Some(&world.secret)).await.ok();
    world.partner("ADA").await;
    let taken = alerts().await;
    world.set("TRIBUTARY_ALERT_URL", &taken.0);
    world.stop().await;
    world.serve().await;
    eventually("the first look is over", Duration::from_secs(30), || async {
        (world.database.number("SELECT COUNT(*) FROM connection WHERE looked_at > 0").await == 1)
            .then_some(())
    })
    .await;
    let warned = format!("SELECT COUNT(*) FROM connection WHERE warnings LIKE '%{LOST}%'");
    assert_eq!(world.database.number(&warned).await, 0);
    sandbox.control("keys/lost", &json!({ "key": KEY, "permissions": [LOST] })).await;
    let began = tokio::time::Instant::now();
    until_number(&world, "the lost permission is seen", &warned, 1).await;
    assert!(began.elapsed() < Duration::from_secs(60), "within a minute: {:?}", began.elapsed());
    let told = eventually("the alert arrives", Duration::from_secs(30), || async {
        let all = taken.1.lock().expect("alerts").clone();
        all.into_iter().find(|text: &String| text.contains("connection_warning"))
    })
    .await;
    assert!(told.contains(LOST), "it names the permission: {told}");
    let (mut browser, _) = owner(&world).await;
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert!(page.body.contains(LOST), "the page names it: {}", page.body);
    let doctor = world.command(&["doctor", "--json"], "").await;
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.json()["connections"][0]["problems"].to_string().contains(LOST), "{doctor:?}");
    // It is let in all the same; what has to be asked about invoices waits, and is not given up.
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection WHERE status = 'connected'").await, 1);
    let charge = json!({ "id": "ch_lost", "object": "charge", "amount": 4200, "amount_captured": 4200, "amount_refunded": 0,
        "captured": true, "paid": true, "status": "succeeded", "currency": "usd", "created": now_s(),
        "customer": null, "payment_intent": "pi_lost", "metadata": { "partner_key": "ADA" } });
    world.deliver(&wrap("evt_lost", "charge.succeeded", "2026-05-27.dahlia", now_s(), charge)).await;
    let refused = format!("SELECT COUNT(*) FROM job WHERE state = 'ready' AND last_error LIKE '%{LOST}%'");
    until_number(&world, "the look-up is refused and kept", &refused, 1).await;
    sandbox.control("keys/lost", &json!({ "key": KEY, "permissions": [] })).await;
    look_soon(&world).await;
    until_number(&world, "it is taken back", &warned, 0).await;
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", commission(4200, 1, 1))]).await;
    world.finish().await;
    sandbox.stop().await;
}

async fn who_looks_again_sees_at_once_what_is_wrong(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    let (mut browser, token) = owner(&world).await;
    let check = at(&world, &format!("settings/stripe/{}/check", id(&world).await));
    let form = [("form_token", token.as_str())];
    let alerts = async |kind: &str| {
        world.database.number(&format!("SELECT COUNT(*) FROM alert WHERE kind = 'connection_{kind}'")).await
    };
    // The regular look is not due for long: what is seen is seen by hand.
    world.database.damage("UPDATE connection SET looked_at = 9000000000000").await;
    sandbox.control("keys/lost", &json!({ "key": KEY, "permissions": [LOST] })).await;
    browser.post(&world, &check, &form).await;
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert!(page.body.contains("13 of 14 permissions"), "{}", page.body);
    assert!(page.body.contains(&format!("Give the key the permission {LOST}")), "the bar: {}", page.body);
    assert_eq!((alerts("warning").await, alerts("broken").await), (1, 0));
    sandbox.control("keys/lost", &json!({ "key": KEY, "permissions": [] })).await;
    browser.post(&world, &check, &form).await;
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert!(!page.body.contains(LOST) || page.body.contains("14 of 14 permissions"), "{}", page.body);
    assert!(!page.body.contains("Give the key the permission"), "it is taken back: {}", page.body);

    sandbox.control("keys/revoke", &json!({ "key": KEY })).await;
    browser.post(&world, &check, &form).await;
    assert_eq!(world.database.text("SELECT status FROM connection").await, "broken");
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert!(page.body.contains("does not answer as it should"), "{}", page.body);
    assert_eq!((alerts("warning").await, alerts("broken").await), (1, 1));
    sandbox.stop().await;
}

type Taken = std::sync::Arc<std::sync::Mutex<Vec<String>>>;

/// A place that takes alerts; the first one is not taken, so that it comes again.
async fn alerts() -> (String, Taken) {
    let taken = Taken::default();
    let kept = std::sync::Arc::clone(&taken);
    let first = std::sync::atomic::AtomicBool::new(true);
    let first = std::sync::Arc::new(first);
    let take = move |body: String| {
        let (kept, first) = (std::sync::Arc::clone(&kept), std::sync::Arc::clone(&first));
        async move {
            if first.swap(false, std::sync::atomic::Ordering::SeqCst) {
                return axum::http::StatusCode::SERVICE_UNAVAILABLE;
            }
            kept.lock().expect("alerts").push(body);
            axum::http::StatusCode::NO_CONTENT
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/alerts", listener.local_addr().expect("an address"));
    let router = axum::Router::new().route("/alerts", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, taken)
}

async fn an_endpoint_that_is_gone_is_told_of(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let said = world.connect_with(&world.program, KEY, None).await.ok().json();
    let endpoint = said["webhook_endpoint"].as_str().expect("an endpoint").to_owned();
    let path = format!("webhook_endpoints/{endpoint}");
    let warned = "SELECT COUNT(*) FROM alert WHERE kind = 'connection_warning'";
    sandbox.stripe("sk_test_by_hand", "POST", &path, &[("disabled", "true")]).await.expect(200);
    look_soon(&world).await;
    until_number(&world, "a disabled endpoint is told of", warned, 1).await;
    let (mut browser, _) = owner(&world).await;
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert!(page.body.contains("is disabled at Stripe"), "{}", page.body);
    look_soon(&world).await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(world.database.number(warned).await, 1, "told once");
    sandbox.stripe("sk_test_by_hand", "DELETE", &path, &[]).await.expect(200);
    look_soon(&world).await;
    until_number(&world, "an endpoint that is gone is told of", warned, 2).await;
    assert_eq!(world.command(&["doctor", "--json"], "").await.code, 1);
    world.connect_with(&world.program, KEY, None).await.ok();
    look_soon(&world).await;
    let clean = "SELECT COUNT(*) FROM connection WHERE warnings LIKE '%is gone at Stripe%'";
    until_number(&world, "the new endpoint is well", clean, 0).await;
    sandbox.stop().await;
}

async fn a_roll_under_a_stream_of_events_loses_none(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    let (mut browser, token) = owner(&world).await;
    let base = at(&world, &format!("settings/stripe/{}", id(&world).await));
    let form = [("form_token", token.as_str())];
    let make = async |n: usize| {
        let email = format!("buyer{n}@shop.example");
        sandbox.stripe("sk_test_shop", "POST", "customers", &[("email", &email)]).await.expect(200);
    };
    let stream = async {
        for n in 0..60 {
            make(n).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let roll = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let begun = browser.post(&world, &format!("{base}/roll"), &form).await;
        assert!(begun.location.ends_with("roll-begun"), "{begun:?}");
        for _ in 0..200 {
            let done = browser.post(&world, &format!("{base}/roll"), &form).await;
            if done.location.ends_with("roll-done") {
                return;
            }
            assert!(done.location.ends_with("roll-waits"), "{done:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the roll did not end");
    };
    tokio::join!(stream, roll);
    for n in 60..70 {
        make(n).await;
    }
    let kept = "SELECT COUNT(*) FROM event WHERE type = 'customer.created'";
    until_number(&world, "every event is kept", kept, 70).await;
    assert_eq!(sandbox.endpoints().await.len(), 1, "the first endpoint is gone");
    let page = browser.get(&world, &format!("{base}/secrets")).await;
    assert!(page.body.contains("Verified last") && page.body.contains("Ends"), "{}", page.body);
    // By hand: what is no secret is refused, and a second one is taken beside the first.
    let bad = [("form_token", token.as_str()), ("secret", "sk_test_1234567"), ("end", "true")];
    let answer = browser.post(&world, &format!("{base}/secrets"), &bad).await;
    assert!(answer.location.ends_with("bad-signing"), "{answer:?}");
    let good = [("form_token", token.as_str()), ("secret", world.secret.as_str())];
    let answer = browser.post(&world, &format!("{base}/secrets"), &good).await;
    assert!(answer.location.ends_with("secret-added"), "{answer:?}");
    world
        .deliver(&json!({ "id": "evt_by_hand", "object": "event", "type": "customer.created", "created": 1,
        "livemode": false, "data": { "object": { "id": "cus_h", "object": "customer" } } }))
        .await;
    make(70).await;
    until_number(&world, "both secrets are good", kept, 72).await;
    sandbox.stop().await;
}

async fn test_data_goes_in_one_step_and_live_data_stays(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    world.partner("ADA").await;
    sandbox.play(&world, "demo").await;
    world.settled().await;
    for mode in ["test", "live"] {
        for n in 0..3 {
            let customer = json!({ "key": format!("{mode}-{n}"), "partner": { "key": "ADA" } });
            let sale = json!({ "key": format!("sale-{n}"), "customer": { "key": format!("{mode}-{n}") },
                "amount": 100, "action": "sale" });
            for (path, body) in [("customers", &customer), ("transactions", &sale)] {
                let request =
                    world.http.post(format!("{}/v1/{path}", world.base())).bearer_auth(&world.api_key);
                let request =
                    request.header("Tributary-Mode", mode).header("content-type", "application/json");
                let answer = request.body(body.to_string()).send().await.expect("an answer");
                let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap_or_default());
                assert!(matches!(status, 200 | 201), "{mode} {path}: {status} {text}");
            }
        }
    }
    world.settled().await;
    let tables =
        ["customer", "sale", "commission", "journal", "entry", "api_transaction", "decision", "visit"];
    let count = async |mode: &str| {
        let mut all = Vec::new();
        for table in tables {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE mode = '{mode}'");
            all.push((table, world.database.number(&sql).await));
        }
        all
    };
    let (live, test) = (count("live").await, count("test").await);
    assert!(test.iter().any(|(table, n)| *table == "entry" && *n > 0), "{test:?}");
    assert!(live.iter().any(|(table, n)| *table == "entry" && *n > 0), "{live:?}");
    assert!(world.database.number("SELECT COUNT(*) FROM event").await > 0);

    let (mut browser, token) = owner(&world).await;
    let path = at(&world, "settings/test-data");
    let typed = |word| [("form_token", token.as_str()), ("word", word)];
    assert_eq!(browser.post(&world, &path, &typed("wipe")).await.status, 422);
    assert_eq!(count("test").await, test, "nothing goes without the words");
    let wiped = browser.post(&world, &path, &typed("Wipe test data")).await;
    assert!(wiped.location.ends_with("notice=wiped"), "{wiped:?}");
    for (table, n) in count("test").await {
        assert_eq!(n, 0, "{table}");
    }
    // Every table that has a mode, those of later versions included; only what was set up stays.
    let schema = match engine {
        Engine::Sqlite => {
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'mode' WHERE m.type = 'table'"
        }
        Engine::Postgres => {
            "SELECT table_name::text FROM information_schema.columns WHERE column_name = 'mode' AND table_schema = 'public'"
        }
    };
    for row in world.database.rows(schema).await {
        let table = row[0].as_deref().expect("a name");
        if !matches!(table, "connection" | "oauth_client" | "oauth_state") {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE mode = 'test'");
            assert_eq!(world.database.number(&sql).await, 0, "{table} keeps test data");
        }
    }
    assert_eq!(count("live").await, live, "live data stays");
    for table in ["event", "event_payload", "observation"] {
        assert_eq!(world.database.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    for table in ["fact", "evidence", "alias"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE connection_id NOT LIKE 'api:%:live'");
        assert_eq!(world.database.number(&sql).await, 0, "{table}");
    }
    assert_eq!(world.database.number("SELECT COUNT(*) FROM alert WHERE kind = 'test_data_wiped'").await, 1);
    world.finish().await;
    // It goes on: the same story again, from nothing.
    sandbox.play(&world, "renewals").await;
    world.finish().await;
    sandbox.stop().await;
}

async fn a_key_takes_no_purchase_of_another_program(engine: Engine) {
    let (mut world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    world.partner("ADA").await;
    sandbox.play(&world, "half_refund").await;
    sandbox.play(&world, "guest_one_time").await;
    world.settled().await;
    let second = world.setup_program("Second", "usd", "10%").await.ok().json();
    let (mut browser, token) = owner(&world).await;
    let attach = format!(
        "/p/{}/settings/stripe/{}/attach",
        second["program_public_id"].as_str().unwrap(),
        id(&world).await
    );
    let form = [("form_token", token.as_str())];
    assert!(browser.post(&world, &attach, &form).await.location.ends_with("attached"));
    let (totals, digest) = (world.ledger_totals().await, world.digest().await);
    assert!(!totals.is_empty());
    second["api_key"].as_str().expect("a key").clone_into(&mut world.api_key);
    world.partner("BOB").await;
    world.customer("c2", None, "BOB").await;
    let sql = "SELECT a.object_id FROM alias a JOIN sale s ON s.workspace_id = a.workspace_id AND s.sale_id = a.sale_id \
         WHERE s.state = 'paid' AND a.state IS NOT NULL ORDER BY a.object_id";
    let mut tried = 0;
    for key in world.database.column(sql).await {
        let known = ["in_", "ch_", "pi_", "cs_"].iter().any(|start| key.starts_with(start));
        for (more, value) in [("rewardable", json!(false)), ("reward", json!("500.00"))] {
            let body = json!({ "key": key, "amount": "1.00", "customer": { "key": "c2" }, more: value });
            if known {
                world.post("/v1/transactions", &body).await.expect_error(409);
                tried += 1;
            }
        }
        world.get(&format!("/v1/transactions/{key}")).await.expect_error(404);
    }
    assert!(tried >= 10, "{tried}");
    world.settled().await;
    assert_eq!((world.ledger_totals().await, world.digest().await), (totals, digest));
    world.finish().await;
    sandbox.stop().await;
}

async fn a_connection_feeds_a_second_program(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    let second = world.setup_program("Second", "usd", "10%").await.ok().json();
    let second = second["program_public_id"].as_str().expect("an id").to_owned();
    let (mut browser, token) = owner(&world).await;
    let id = id(&world).await;
    let form = [("form_token", token.as_str())];
    let page = browser.get(&world, &format!("/p/{second}/settings/stripe")).await;
    assert!(page.body.contains("Feed this program too"), "{}", page.body);
    let fed = "SELECT COUNT(*) FROM connection_program";
    let attach = format!("/p/{second}/settings/stripe/{id}/attach");
    assert!(browser.post(&world, &attach, &form).await.location.ends_with("attached"));
    assert_eq!(world.database.number(fed).await, 2);
    assert_eq!(sandbox.endpoints().await.len(), 1, "one endpoint a connection");
    // The program whose address is the endpoint's stays; the other may go.
    let first = at(&world, &format!("settings/stripe/{id}/detach"));
    assert!(browser.post(&world, &first, &form).await.location.ends_with("detach-last"));
    let detach = format!("/p/{second}/settings/stripe/{id}/detach");
    assert!(browser.post(&world, &detach, &form).await.location.ends_with("detached"));
    assert_eq!(world.database.number(fed).await, 1);
    let unknown = format!("/p/{second}/settings/stripe/con_nobody/attach");
    assert_eq!(browser.post(&world, &unknown, &form).await.status, 404);
    sandbox.stop().await;
}
