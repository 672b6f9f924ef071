//! What is said of one sale by several at the same moment: every word counts once, and replay says the same.

use crate::replay::{settled_world, true_of};
use crate::support::browser::Browser;
use crate::support::database::{Database, connect};
use crate::support::process::Output;
use crate::support::story::{Story, commission};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, now_s, within_limit};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use tributary_stripe::story::{Era, Plot};

both_engines!(
    parallel_calls_on_one_transaction_agree,
    a_decision_beside_a_refund_loses_nothing,
    terms_that_are_saved_at_once_are_versions,
    a_partner_has_one_status,
    replays_that_run_at_once_do_not_mix,
    who_is_erased_while_more_comes_in_is_erased_whole,
    two_programs_settle_beside_their_changes,
);

async fn parallel_calls_on_one_transaction_agree(engine: Engine) {
    let world = World::started(engine).await;
    world.partner("ADA").await;
    world.customer("u-1", None, "ADA").await;
    for n in 0..6 {
        let key = format!("t-{n}");
        let body = |amount: i64| json!({ "key": key, "customer": { "key": "u-1" }, "amount": amount });
        let bodies: Vec<Value> = (1..=5).map(|times| body(10 * times)).collect();
        let answers = join_all(bodies.iter().map(|body| world.post("/v1/transactions", body))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409]);
        let path = format!("/v1/transactions/{key}");
        let changes: Vec<Value> = (1..=5).map(|times| json!({ "amount": 100 * times })).collect();
        for answer in join_all(changes.iter().map(|change| world.put(&path, change))).await {
            answer.expect(200);
        }
    }
    world.settled().await;
    world.finish().await;
}

/// A sale over 100.00 and a refund of half of it, at the moment of a decision.
async fn a_decision_beside_a_refund_loses_nothing(engine: Engine) {
    let world = World::connected(engine).await;
    let (mut earned, mut races) = (0, Vec::new());
    for n in 0..20 {
        let tag = format!("race{n}");
        let plot = Plot { refund: 6_000, start_s: now_s() - 86_400, ..Plot::new(&tag) };
        let plot = Plot { client_reference_id: Some("ADA".to_owned()), ..plot };
        let story = Story { plot, era: Era::Dahlia, subscription: false, partner: Some("ADA") };
        story.put(&world.stripe);
        let (refunds, sale): (Vec<Value>, Vec<Value>) = story
            .events()
            .into_iter()
            .partition(|event| event["type"].as_str().is_some_and(|type_| type_.contains("refund")));
        world.deliver_all(&sale).await;
        earned += commission(10_000, 6_000, 12_000);
        races.push((story.plot.session(), refunds));
    }
    world.settled().await;
    for (session, refunds) in &races {
        let path = format!("/v1/transactions/{session}");
        let decide = async {
            world.request("POST", &format!("{path}/archive"), None).await.expect(200);
            world.request("POST", &format!("{path}/revoke-archive"), None).await.expect(200);
        };
        tokio::join!(world.deliver_all(refunds), decide);
    }
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", earned)]).await;
    world.finish().await;
}

async fn terms_that_are_saved_at_once_are_versions(engine: Engine) {
    let world = World::connected(engine).await;
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/settings/terms", world.program);
    let page = browser.get(&world, &path).await;
    let token = page.token();
    let form = |value: &'static str| {
        let rest = [("reward", "percent"), ("span", "lifetime"), ("count", ""), ("hold_days", "30")];
        let mut form = vec![("form_token", token.as_str()), ("value", value)];
        form.extend(rest);
        form
    };
    let before = world.database.number("SELECT COUNT(*) FROM terms").await;
    let saving = ["21", "22", "23", "24"].map(|value| {
        let (mut owner, world, path, form) = (browser.clone(), &world, &path, form(value));
        async move { owner.post(world, path, &form).await }
    });
    for saved in join_all(saving).await {
        assert!(saved.location.ends_with("notice=terms"), "{saved:?}");
    }
    assert_eq!(world.database.number("SELECT COUNT(*) FROM terms").await, before + 4);
    world.finish().await;
}

/// Archived while somebody corrects the name: what is shown is what sales go by.
async fn a_partner_has_one_status(engine: Engine) {
    let world = World::connected(engine).await;
    for n in 0..6 {
        let key = format!("P{n}");
        world.partner(&key).await;
        let path = format!("/v1/partners/{key}");
        let archive = format!("{path}/archive");
        let names = [json!({ "name": "Ann" }), json!({ "name": "Anne" }), json!({ "tags": ["vip"] })];
        let (archived, changed) = tokio::join!(
            world.request("POST", &archive, None),
            join_all(names.iter().map(|name| world.put(&path, name)))
        );
        archived.expect(200);
        changed.into_iter().for_each(|answer| drop(answer.expect(200)));
        let shown = world.database.text(&format!("SELECT status FROM partner WHERE key = '{key}'")).await;
        let sql = format!(
            "SELECT s.status FROM partner_status s JOIN partner p ON p.workspace_id = s.workspace_id \
             AND p.partner_id = s.partner_id WHERE p.key = '{key}' ORDER BY s.from_ms DESC LIMIT 1"
        );
        assert_eq!((shown.as_str(), world.database.text(&sql).await.as_str()), ("archived", "archived"));
    }
    world.finish().await;
}

/// Each has laid its rows beside in tables of its own: one is through, and whoever was overtaken says so.
async fn replays_that_run_at_once_do_not_mix(engine: Engine) {
    let world = settled_world(engine).await;
    let (digest, totals) = (world.digest().await, world.ledger_totals().await);
    assert_eq!(world.stop().await, 0);
    let sale = world.database.text("SELECT MIN(sale_id) FROM commission WHERE target > 0").await;
    for sql in [
        format!("UPDATE sale SET paid = paid - 100, captured = captured - 100 WHERE sale_id = '{sale}'"),
        format!("UPDATE scope SET generation = generation + 1, whole = {}", true_of(engine)),
    ] {
        world.database.damage(&sql).await;
    }
    assert_eq!(world.command(&["replay", "--json"], "").await.code, 1);
    let runs = (0..3).map(|_| world.command(&["replay", "--apply", "--json"], ""));
    let said = join_all(runs).await;
    let through = |one: &Output| matches!(one.code, 0 | 1);
    assert!(said.iter().any(through), "{said:?}");
    for one in said.iter().filter(|one| !through(one)) {
        assert!(one.stderr.contains("another `replay --apply`"), "{one:?}");
    }
    assert_eq!(world.digest().await, digest);
    assert_eq!(world.ledger_totals().await, totals);
    assert_eq!(world.replay().await["digest"], digest.as_str());
    let left = match engine {
        Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'shadow_%'",
        Engine::Postgres => "SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'shadow_%'",
    };
    assert_eq!(world.database.number(left).await, 0, "nothing is left beside");
}

/// Half of what a person bought comes in while the person is erased.
async fn who_is_erased_while_more_comes_in_is_erased_whole(engine: Engine) {
    let world = World::connected(engine).await;
    let mut earned = 0;
    for n in 0..4 {
        let (tag, name) = (format!("gone{n}"), format!("canary{n}x"));
        let plot = Plot { email: format!("{name}@example.com"), ..Plot::new(&tag) };
        let plot = Plot { client_reference_id: Some("ADA".to_owned()), ..plot };
        let story = Story { plot, era: Era::Dahlia, subscription: true, partner: Some("ADA") };
        story.put(&world.stripe);
        let events = story.events();
        let (first, rest) = events.split_at(events.len() / 2);
        world.deliver_all(first).await;
        world.settled().await;
        let email = story.plot.email.clone();
        let arguments = ["erase", "--email", &email, "--for-good", "--json"];
        let (erased, ()) = tokio::join!(world.command(&arguments, ""), world.deliver_all(rest));
        erased.ok();
        world.settled().await;
        let ids: Vec<String> =
            events.iter().filter_map(|event| event["id"].as_str()).map(str::to_owned).collect();
        let sql = "SELECT event_id FROM event_payload ORDER BY event_id";
        let left: Vec<String> =
            world.database.column(sql).await.into_iter().filter(|id| ids.contains(id)).collect();
        let named =
            |event: &&Value| event.to_string().contains(&name) || event.to_string().contains("\"cus_");
        for event in events.iter().filter(named) {
            assert!(!left.contains(&event["id"].as_str().expect("an id").to_owned()), "{}", event["type"]);
        }
        let tables = ["customer", "fact", "alias", "buyer_hint", "evidence", "known_as", "observation"];
        for table in tables {
            for row in world.database.rows(&format!("SELECT * FROM {table}")).await {
                let text = row.into_iter().flatten().collect::<Vec<_>>().join("|");
                assert!(!text.contains(&name), "{table}: {text}");
            }
        }
        earned += story.earned();
    }
    world.expect_totals(&[("ADA", "usd", earned)]).await;
    world.finish().await;
}

/// Two programs on one connection, whose terms, partners and customers change while both are settled.
async fn two_programs_settle_beside_their_changes(engine: Engine) {
    let world = World::connected(engine).await;
    let second = world.setup_program("Second", "usd", "10%").await.ok().json();
    let second = second["program_public_id"].as_str().expect("an id").to_owned();
    world.connect_with(&second, "sk_test_the_usual_one", Some(&world.secret)).await.ok();
    let stories: Vec<Story> = (0..12)
        .map(|n| {
            let plot = Plot { client_reference_id: Some("ADA".to_owned()), ..Plot::new(&format!("two{n}")) };
            Story { plot, era: Era::Dahlia, subscription: n % 2 == 0, partner: Some("ADA") }
        })
        .collect();
    let events: Vec<Value> = stories.iter().flat_map(Story::events).collect();
    stories.iter().for_each(|story| story.put(&world.stripe));
    let deliver = async {
        for chunk in events.chunks(5) {
            world.deliver_all(chunk).await;
        }
    };
    let change = async {
        for n in 0..12 {
            let key = format!("X{n}");
            world.partner(&key).await;
            world.put(&format!("/v1/partners/{key}"), &json!({ "name": "Ann" })).await.expect(200);
            world.customer(&format!("c-{n}"), None, &key).await;
        }
    };
    tokio::join!(deliver, change);
    world.settled().await;
    let earned: i64 = stories.iter().map(Story::earned).sum();
    world.expect_totals(&[("ADA", "usd", earned)]).await;
    world.finish().await;
}

/// Twenty calls wait for one program: events still come in, and what is read is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_program_leaves_room_for_others() {
    within_limit(async {
        let world = World::connected(Engine::Postgres).await;
        world.partner("BOB").await;
        let Database::Postgres(url) = &world.database else { panic!("not PostgreSQL") };
        let holder = connect(url).await;
        holder.batch_execute("BEGIN; SELECT * FROM program FOR NO KEY UPDATE").await.expect("held");
        let name = json!({ "name": "Robert" });
        let calls = join_all((0..20).map(|_| world.put("/v1/partners/BOB", &name)));
        let story = Story {
            plot: Plot { client_reference_id: Some("ADA".to_owned()), ..Plot::new("room") },
            era: Era::Dahlia,
            subscription: false,
            partner: Some("ADA"),
        };
        story.put(&world.stripe);
        let beside = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            world.deliver_all(&story.events()).await;
            for _ in 0..5 {
                world.get("/v1/partners/BOB").await.expect(200);
            }
            holder.batch_execute("COMMIT").await.expect("let go");
        };
        let (answers, ()) = tokio::join!(calls, beside);
        // Some had no turn in time, and were told so.
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 503)), "{answers:?}");
        assert!(answers.iter().any(|answer| answer.status == 200), "{answers:?}");
        world.settled().await;
        world.expect_totals(&[("ADA", "usd", story.earned())]).await;
        world.finish().await;
    })
    .await;
}
