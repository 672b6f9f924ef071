//! Webhooks signed by Stripe's own SDKs, and all that must be refused.

use crate::support::tools::{Sdk, sign};
use crate::support::webhook::{print, v1};
use crate::support::{Engine, World, both_engines, now_s};
use serde_json::{Value, json};
use tributary_stripe::story::wrap;

both_engines!(
    what_official_sdks_sign_is_taken,
    what_is_not_rightly_signed_is_refused_and_nothing_is_kept,
    a_duplicate_in_parallel_is_kept_once,
    what_is_not_understood_is_kept_and_ignored_with_a_reason,
    the_secret_decides_the_connection_and_not_the_body,
    another_programs_events_do_not_enter,
    a_flood_of_wrong_signatures_holds_up_nobody_else,
    test_and_live_events_never_mix,
);

/// An event that nobody understands: it only has to arrive.
fn event(id: &str) -> Value {
    wrap(
        id,
        "customer.created",
        "2026-05-27.dahlia",
        now_s(),
        json!({ "id": format!("cus_{id}"), "object": "customer" }),
    )
}

fn text(event: &Value) -> String {
    String::from_utf8(print(event)).expect("JSON is UTF-8")
}

async fn kept(world: &World) -> Vec<String> {
    world.database.column("SELECT event_id FROM event ORDER BY event_id").await
}

async fn what_official_sdks_sign_is_taken(engine: Engine) {
    let world = World::connected(engine).await;
    let mut expected = Vec::new();
    for (sdk, tag) in [(Sdk::Node, "node"), (Sdk::Python, "python")] {
        // The oldest and the newest time that are allowed, with room for the seconds that a busy machine takes.
        let times = [now_s(), now_s() - 200, now_s() + 280];
        let bodies: Vec<String> = (0..times.len()).map(|n| text(&event(&format!("evt_{tag}_{n}")))).collect();
        let jobs: Vec<Value> = bodies
            .iter()
            .zip(times)
            .map(|(body, t)| json!({ "payload": body, "secret": world.secret, "timestamp": t }))
            .collect();
        for (n, (header, body)) in sign(sdk, &json!(jobs)).await.into_iter().zip(bodies).enumerate() {
            let answer = world.send(body, Some(&header)).await;
            assert!((200..300).contains(&answer.status), "{sdk:?} {n}: {answer:?}");
            expected.push(format!("evt_{tag}_{n}"));
        }
    }
    assert_eq!(kept(&world).await, expected);

    // Two v1 while a secret is rolled, in either order, and a v0 beside it as in test mode.
    let now = now_s();
    for (n, order) in ["bad,good", "good,bad", "v0,good"].into_iter().enumerate() {
        let body = text(&event(&format!("evt_two_{n}")));
        let good =
            sign(Sdk::Node, &json!([{ "payload": body, "secret": world.secret, "timestamp": now }])).await;
        let good = good[0].split_once("v1=").expect("a v1").1.to_owned();
        let bad = v1("whsec_the_one_before", now, body.as_bytes());
        let part = |name: &str| match name {
            "good" => format!("v1={good}"),
            "bad" => format!("v1={bad}"),
            _ => format!("v0={bad}"),
        };
        let parts = order.split(',').map(part).collect::<Vec<_>>().join(",");
        let answer = world.send(body, Some(&format!("t={now},{parts}"))).await;
        assert!((200..300).contains(&answer.status), "{order}: {answer:?}");
        expected.push(format!("evt_two_{n}"));
    }
    expected.sort();
    assert_eq!(kept(&world).await, expected);
    world.settled().await;
    world.finish().await;
}

/// A header as the official SDK makes it for this world's secret.
async fn official(secret: &str, body: &str, t: i64) -> String {
    sign(Sdk::Node, &json!([{ "payload": body, "secret": secret, "timestamp": t }])).await.remove(0)
}

async fn what_is_not_rightly_signed_is_refused_and_nothing_is_kept(engine: Engine) {
    let world = World::connected(engine).await;
    let now = now_s();
    let body = text(&event("evt_refused"));
    let good = official(&world.secret, &body, now).await;
    let signature = good.split_once("v1=").expect("a v1").1.to_owned();
    let foreign = official("whsec_of_somebody_else_entirely", &body, now).await;
    let stale = official(&world.secret, &body, now - 302).await;
    let future = official(&world.secret, &body, now_s() + 330).await;
    let changed = body.replace("evt_refused", "evt_refusee");
    let minified = event("evt_refused").to_string();
    let parts = vec![format!("v1={signature}"); 100].join(",");
    let cases: Vec<(&str, &str, Option<String>)> = vec![
        ("no header", &body, None),
        ("empty header", &body, Some(String::new())),
        ("v0 only", &body, Some(good.replace("v1=", "v0="))),
        ("wrong secret", &body, Some(foreign)),
        ("stale", &body, Some(stale)),
        ("from the future", &body, Some(future)),
        ("changed byte", &changed, Some(good.clone())),
        ("printed anew", &minified, Some(good.clone())),
        ("truncated body", &body[..body.len() - 1], Some(good.clone())),
        ("truncated signature", &body, Some(good[..good.len() - 2].to_owned())),
        ("truncated header", &body, Some(good[..good.len() / 2].to_owned())),
        ("no time", &body, Some(format!("v1={signature}"))),
        ("two times", &body, Some(format!("t={now},{good}"))),
        ("another time", &body, Some(format!("t={},v1={signature}", now - 1))),
        ("time with a word", &body, Some(format!("t=now,v1={signature}"))),
        ("time with a sign", &body, Some(format!("t=+{now},v1={signature}"))),
        ("capital scheme", &body, Some(good.replace("v1=", "V1="))),
        ("a hundred parts", &body, Some(format!("t={now},{parts}"))),
        ("nonsense", &body, Some("🦀".to_owned())),
        ("signed with nothing", &body, Some(format!("t={now},v1={}", v1("", now, body.as_bytes())))),
    ];
    for (what, body, header) in cases {
        let answer = world.send(body.to_owned(), header.as_deref()).await;
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert!(!answer.text.contains(&world.secret), "{what}: the answer tells the secret");
    }
    // Rightly signed, and yet no event.
    for body in
        ["", "[]", "nonsense", "{\"object\":\"event\"}", "{\"id\":7}", "{\"id\":\"evt_x\"", "\u{feff}{}"]
    {
        let header = official(&world.secret, body, now_s()).await;
        let answer = world.send(body.to_owned(), Some(&header)).await;
        assert_eq!(answer.status, 400, "{body:?}: {answer:?}");
    }
    let not_text = vec![0xff_u8, 0xfe, b'{', b'}'];
    let header = format!("t={now},v1={}", v1(&world.secret, now, &not_text));
    assert_eq!(world.send(not_text, Some(&header)).await.status, 400, "no UTF-8");

    let mut large = event("evt_large");
    large["data"]["object"]["description"] = json!("x".repeat(2 * 1024 * 1024));
    let large = text(&large);
    let header = official(&world.secret, &large, now_s()).await;
    assert_eq!(world.send(large.clone(), Some(&header)).await.status, 413, "2 MB, rightly signed");
    assert_eq!(world.send(large, None).await.status, 413, "2 MB, not signed");

    let header = official(&world.secret, &body, now_s()).await;
    assert_eq!(world.send_to("ZZZZ9999", body.clone(), Some(&header)).await.status, 404, "unknown program");
    assert_eq!(world.send_to("../../x", body.clone(), Some(&header)).await.status, 404, "no program at all");
    assert_eq!(kept(&world).await, Vec::<String>::new());
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event_payload").await, 0);

    // After all that, the real one still enters.
    assert!((200..300).contains(&world.send(body, Some(&header)).await.status));
    assert_eq!(kept(&world).await, ["evt_refused"]);
}

async fn a_duplicate_in_parallel_is_kept_once(engine: Engine) {
    let world = World::connected(engine).await;
    let body = text(&event("evt_often"));
    let header = official(&world.secret, &body, now_s()).await;
    let sends = (0..50).map(|_| world.send(body.clone(), Some(&header)));
    for answer in futures_util::future::join_all(sends).await {
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event").await, 1);
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event_payload").await, 1);
    world.settled().await;
    let sum = world.database.number("SELECT SUM(events) FROM connection_day").await;
    assert_eq!(sum, 1, "the counter of the day counts one event");
    world.finish().await;
}

async fn what_is_not_understood_is_kept_and_ignored_with_a_reason(engine: Engine) {
    let world = World::connected(engine).await;
    let object = json!({ "id": "tax_1", "object": "tax.thing", "never": { "seen": [1, null, "x"] } });
    world.deliver(&wrap("evt_unknown_type", "tax.thing.exploded", "2099-01-01.zzz", now_s(), object)).await;
    world
        .deliver(&wrap("evt_without_object", "invoice.paid", "2026-05-27.dahlia", now_s(), Value::Null))
        .await;
    world.deliver(&json!({ "id": "evt_bare", "object": "event" })).await;
    let odd =
        json!({ "id": "in_odd", "object": "invoice", "total": "12x", "currency": 7, "status": "levitating" });
    world.deliver(&wrap("evt_odd", "invoice.paid", "2026-05-27.dahlia", now_s(), odd)).await;
    // A thin event of API v2 carries no object, and this one names none that is of use.
    let thin = json!({ "id": "evt_thin", "object": "v2.core.event", "type": "v1.tax.thing.exploded", "livemode": false,
        "created": "2026-11-22T20:00:00.000Z", "related_object": { "id": "tax_1", "type": "tax.thing", "url": "/v1/x" } });
    world.deliver(&thin).await;
    world.settled().await;

    let sql = "SELECT event_id, outcome, reason FROM event ORDER BY event_id";
    let rows = world.database.rows(sql).await;
    let ids: Vec<&str> = rows.iter().filter_map(|row| row[0].as_deref()).collect();
    assert_eq!(ids, ["evt_bare", "evt_odd", "evt_thin", "evt_unknown_type", "evt_without_object"]);
    for row in &rows {
        let (id, outcome, reason) =
            (row[0].as_deref(), row[1].as_deref(), row[2].clone().unwrap_or_default());
        assert!(reason.len() > 5, "{id:?} has no reason: {row:?}");
        if id != Some("evt_odd") {
            assert_eq!(outcome, Some("ignored"), "{row:?}");
        }
    }
    assert_eq!(world.database.number("SELECT COUNT(*) FROM commission").await, 0);

    // A poisoned event blocks nobody: a real purchase goes through right after.
    let plot = tributary_stripe::story::Plot::new("after");
    let events = tributary_stripe::story::payment_link(tributary_stripe::story::Era::Dahlia, &plot);
    world.deliver_all(&events).await;
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 1500)]).await;
}

async fn the_secret_decides_the_connection_and_not_the_body(engine: Engine) {
    let world = World::connected(engine).await;
    let mut foreign = event("evt_other_account");
    foreign["account"] = json!("acct_somebody_else");
    world.deliver(&foreign).await;
    let mut live = event("evt_live");
    live["livemode"] = json!(true);
    live["type"] = json!("charge.succeeded");
    live["data"]["object"] = json!({ "id": "ch_live", "object": "charge", "amount": 5000, "amount_captured": 5000,
        "captured": true, "paid": true, "status": "succeeded", "currency": "usd", "created": now_s(), "livemode": true,
        "invoice": null, "metadata": { "partner_key": "ADA" } });
    world.deliver(&live).await;
    world.settled().await;
    let rows = world.database.rows("SELECT event_id, outcome, reason FROM event ORDER BY event_id").await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in &rows {
        assert!(matches!(row[1].as_deref(), Some("ignored" | "parked")), "{row:?}");
        assert!(row[2].as_ref().is_some_and(|reason| reason.len() > 5), "{row:?}");
    }
    assert_eq!(
        world.database.number("SELECT COUNT(*) FROM sale").await,
        0,
        "a live event makes no sale in test mode"
    );
    // What is parked waits for a person: verify counts it, and replay posts nothing.
    let parked = world.database.number("SELECT COUNT(*) FROM event WHERE outcome = 'parked'").await;
    let said = world.command(&["verify", "--json"], "").await.ok().json();
    assert_eq!((&said["ok"], &said["waiting"]), (&json!(true), &json!(parked)), "{said}");
    world.replay().await;
}

async fn another_programs_events_do_not_enter(engine: Engine) {
    let world = World::connected(engine).await;
    let second = world.setup_program("Second", "usd", "10%").await.ok().json();
    let second = second["program_public_id"].as_str().expect("an id").to_owned();
    let body = text(&event("evt_wrong_door"));
    let header = official(&world.secret, &body, now_s()).await;
    // The second program has no connection: it knows no secret, so everything is refused.
    assert_eq!(world.send_to(&second, body.clone(), Some(&header)).await.status, 400);
    assert_eq!(kept(&world).await, Vec::<String>::new());

    // Attached to the same connection, it takes the same secret, and the event is still one.
    let said = world.connect_with(&second, "sk_test_the_usual_one", Some(&world.secret)).await.ok().json();
    assert!(said["connection_id"].is_string(), "{said}");
    assert_eq!(
        world.database.number("SELECT COUNT(*) FROM connection").await,
        1,
        "one connection for one account"
    );
    assert!((200..300).contains(&world.send_to(&second, body.clone(), Some(&header)).await.status));
    assert!((200..300).contains(&world.send(body, Some(&header)).await.status));
    assert_eq!(kept(&world).await, ["evt_wrong_door"]);
}

async fn a_flood_of_wrong_signatures_holds_up_nobody_else(engine: Engine) {
    let world = World::connected(engine).await;
    let wrong = format!("t={},v1={}", now_s(), "0".repeat(64));
    let flood = async {
        let mut answers = std::collections::BTreeMap::<(u16, bool), usize>::new();
        for _ in 0..20 {
            let sent = (0..30).map(|n| world.send(format!("{{\"id\":\"evt_bad{n}\"}}"), Some(&wrong)));
            for answer in futures_util::future::join_all(sent).await {
                let cut = answer.text.starts_with("Too many requests with a wrong signature");
                *answers.entry((answer.status, cut)).or_default() += 1;
            }
        }
        answers
    };
    let good = async {
        for n in 0..40 {
            let body = text(&event(&format!("evt_good{n}")));
            let header = format!("t={},v1={}", now_s(), v1(&world.secret, now_s(), body.as_bytes()));
            let answer = world.send(body, Some(&header)).await;
            assert!((200..300).contains(&answer.status), "a good one from the same address: {answer:?}");
        }
    };
    let (answers, ()) = tokio::join!(flood, good);
    assert!(answers.keys().all(|(status, _)| *status == 400), "{answers:?}");
    assert!(answers.get(&(400, true)).is_some_and(|count| *count > 100), "the flood is cut: {answers:?}");
    assert_eq!(kept(&world).await.len(), 40);
}

async fn test_and_live_events_never_mix(engine: Engine) {
    let world = World::connected(engine).await;
    let (mut sent, mut mine) = (Vec::new(), 0);
    for n in 0..200 {
        let mut one = event(&format!("evt_mixed{n:03}"));
        one["livemode"] = json!(n % 3 == 0);
        mine += usize::from(n % 3 != 0);
        sent.push(one);
    }
    for some in sent.chunks(25) {
        let all = some.iter().map(|one| world.deliver(one));
        futures_util::future::join_all(all).await;
    }
    world.settled().await;
    let ignored = "SELECT COUNT(*) FROM event WHERE outcome = 'ignored' AND reason = 'a live event at a test connection'";
    assert_eq!(usize::try_from(world.database.number(ignored).await).ok(), Some(200 - mine));
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event").await, 200);
}
