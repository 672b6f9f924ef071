//! Nothing missed: events while the server was down, an account's whole history, thin events; each disturbed, repeated,
//! and compared with what was received live.

use crate::support::process::{self, Running};
use crate::support::sandbox::Sandbox;
use crate::support::story::Story;
use crate::support::{Engine, World, both_engines, eventually, now_s};
use serde_json::{Value, json};
use std::time::Duration;
use tributary_stripe::story::{Era, Plot};

both_engines!(
    an_import_gives_the_books_of_having_received_everything,
    what_happened_while_the_server_was_down_is_read,
    beyond_thirty_days_it_says_so_and_an_import_closes_the_gap,
    stripe_s_faults_end_a_run_in_words,
    thin_events_bring_what_their_twins_bring,
    commands_refuse_what_they_cannot_use,
);

/// A key as an operator makes it.
pub const KEY: &str = "rk_test_the_usual_one";

/// A world on a sandbox that runs already, connected by a pasted secret: nothing is sent to it, nothing is polled.
async fn on(sandbox: &Sandbox, engine: Engine) -> World {
    let mut world = World::empty(engine).await;
    world.set("TRIBUTARY_STRIPE_API_BASE", &sandbox.base);
    world.setup().await;
    world.serve().await;
    world.connect_with(&world.program, KEY, Some(&world.secret)).await.ok();
    world.partner("ADA").await;
    world
}

/// The customers that a call made in one world, made in another one.
async fn same_customers(from: &World, to: &World) {
    for key in from.database.column("SELECT key FROM customer WHERE origin = 'api' ORDER BY key").await {
        to.customer(&key, Some(&format!("{key}@buyer.example")), "ADA").await;
    }
}

async fn journals(world: &World) -> i64 {
    world.database.number("SELECT COUNT(*) FROM journal").await
}

/// Waits until no run is under way.
async fn caught_up(world: &World) {
    eventually("all runs are over", Duration::from_secs(90), || async {
        let begun = world.database.number("SELECT COUNT(*) FROM import_run WHERE kind = 'events'").await;
        let runs = world.database.number("SELECT COUNT(*) FROM import_run WHERE state = 'running'").await;
        (begun > 0 && runs == 0).then_some(())
    })
    .await;
    world.settled().await;
}

fn backfill<'a>(world: &'a World, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["stripe", "backfill", "--program", &world.program, "--json"];
    arguments.extend(more);
    arguments
}

/// Bare charges of customers whose metadata name the partner: each is two events.
async fn charges(sandbox: &Sandbox, from: usize, until: usize) {
    for n in from..until {
        let email = format!("buyer{n}@shop.example");
        let form = [("email", email.as_str()), ("metadata[partner_key]", "ADA")];
        let made = sandbox.stripe(KEY, "POST", "customers", &form).await.expect(200);
        let customer = made.json["id"].as_str().expect("an id").to_owned();
        let amount = (1_000 + n * 7).to_string();
        let form = [("amount", amount.as_str()), ("currency", "usd"), ("customer", &customer)];
        let charge = sandbox.stripe(KEY, "POST", "charges", &form).await.expect(200);
        if n % 10 == 3 {
            let id = charge.json["id"].as_str().expect("an id").to_owned();
            sandbox.stripe(KEY, "POST", "refunds", &[("charge", &id), ("amount", "500")]).await.expect(200);
        }
    }
}

async fn slow(sandbox: &Sandbox, path: &str, calls: usize, delay_ms: u64) {
    let fault = json!({ "path_prefix": path, "delay_ms": delay_ms });
    sandbox.control("api_faults", &json!({ "faults": vec![fault; calls] })).await;
}

async fn an_import_gives_the_books_of_having_received_everything(engine: Engine) {
    let (live, sandbox) = Sandbox::with_world(engine).await;
    live.connect_with(&live.program, KEY, None).await.ok();
    live.partner("ADA").await;
    for story in [
        "manual_capture",
        "guest_one_time",
        "async_paid",
        "async_failed",
        "failed_refund",
        "dispute_won",
        "dispute_lost",
        "inquiry",
        "inquiry_escalated",
        "credit_note",
        "credit_note_first",
        "out_of_band",
        "demo",
    ] {
        sandbox.play(&live, story).await;
    }
    charges(&sandbox, 0, 12).await;
    sandbox.control("delivery/flush", &json!({})).await;
    live.settled().await;
    let wanted = live.digest().await;

    // An empty installation learns all of it from lists alone.
    let empty = on(&sandbox, engine).await;
    same_customers(&live, &empty).await;
    let said = empty.command(&backfill(&empty, &["--objects"]), "").await.ok().json();
    assert_eq!((&said["ok"], &said["runs"][0]["state"]), (&json!(true), &json!("done")), "{said}");
    assert!(said["runs"][0]["counts"]["charges"].as_i64() > Some(12), "{said}");
    assert_eq!(empty.database.number("SELECT COUNT(*) FROM event").await, 0, "no event was read");
    empty.settled().await;
    assert_eq!(empty.target_totals().await, live.target_totals().await);
    assert_eq!(empty.digest().await, wanted, "an import gives the same books");
    assert_eq!(
        empty.database.number("SELECT COUNT(*) FROM observation WHERE request = 'sessions_of'").await,
        0,
        "bare charges need no look-ups"
    );
    empty.finish().await;

    // Again, and over the events: nothing is posted.
    for world in [&empty, &live] {
        let before = journals(world).await;
        world.command(&backfill(world, &["--objects"]), "").await.ok();
        world.settled().await;
        assert_eq!(journals(world).await, before, "a repeated import posts nothing");
        assert_eq!(world.digest().await, wanted);
    }
    live.finish().await;

    // Killed again and again, without a server: the same.
    let killed = on(&sandbox, engine).await;
    same_customers(&live, &killed).await;
    assert_eq!(killed.stop().await, 0);
    slow(&sandbox, "/v1/", 60, 250).await;
    let arguments = backfill(&killed, &["--objects"]);
    let mut pages = 0;
    for round in 0..3 {
        let mut running = Running::start(
            killed.prepared(&arguments),
            killed.folder.path().join(format!("backfill{round}.log")),
        );
        let more = eventually("a page is kept", Duration::from_secs(40), || async {
            let now = killed.database.number("SELECT COUNT(*) FROM observation").await;
            (now > pages).then_some(now)
        })
        .await;
        running.kill().await;
        pages = more;
    }
    let runs = "SELECT COUNT(*) FROM import_run WHERE kind = 'objects'";
    let said = killed.command(&arguments, "").await.ok().json();
    assert_eq!(said["ok"], true, "{said}");
    assert_eq!(killed.database.number(runs).await, 1, "it went on with the same run");
    killed.settled().await;
    assert_eq!(killed.digest().await, wanted, "kill -9 changes nothing");
    killed.serve().await;
    caught_up(&killed).await;
    assert_eq!(killed.digest().await, wanted, "events on top of it change nothing");
    killed.finish().await;
    sandbox.stop().await;
}

async fn what_happened_while_the_server_was_down_is_read(engine: Engine) {
    let (sleeper, sandbox) = {
        let mut world = World::empty(engine).await;
        let sandbox = Sandbox::start(&mut world).await;
        (on(&sandbox, engine).await, sandbox)
    };
    let calm = on(&sandbox, engine).await;
    for world in [&sleeper, &calm] {
        assert_eq!(world.stop().await, 0);
    }
    // 2,000 events while nobody listens.
    let tasks = (0..4).map(|part| charges(&sandbox, part * 238, (part + 1) * 238));
    futures_util::future::join_all(tasks).await;
    let happened = sandbox.look("state").await["counts"]["event"].as_i64().expect("a count");
    assert!(happened >= 2_000, "{happened}");
    // What a person would see: a first look at one of them by webhook, so that it is there already.
    let seen = "SELECT COUNT(*) FROM event WHERE via = 'backfill'";

    slow(&sandbox, "/v1/events", 14, 400).await;
    let mut known = 0;
    for _ in 0..3 {
        sleeper.serve().await;
        known = eventually("a page is kept", Duration::from_secs(40), || async {
            let now = sleeper.database.number(seen).await;
            (now > known).then_some(now)
        })
        .await;
        sleeper.kill().await;
    }
    sleeper.serve().await;
    calm.serve().await;
    let done = "SELECT COUNT(*) FROM import_run WHERE kind = 'events' AND state = 'done'";
    for world in [&sleeper, &calm] {
        eventually("the backfill is done", Duration::from_secs(120), || async {
            (world.database.number(done).await >= 1).then_some(())
        })
        .await;
        world.settled_within(Duration::from_secs(120)).await;
        let all = world.database.number("SELECT COUNT(*) FROM event").await;
        let twice = world.database.number("SELECT COUNT(*) - COUNT(DISTINCT event_id) FROM event").await;
        assert!(all >= 2_000 && twice == 0, "{all} events, {twice} twice");
        sandbox.agree(world).await;
    }
    assert_eq!(sleeper.digest().await, calm.digest().await, "kill -9 in the backfill changes nothing");
    // Once more over all of it: no row more, nothing posted.
    let before = (journals(&sleeper).await, sleeper.database.number("SELECT COUNT(*) FROM event").await);
    let since = "2020-01-01";
    let said = sleeper.command(&backfill(&sleeper, &["--events", "--since", since]), "").await.ok().json();
    assert!(said["runs"][0]["notes"].to_string().contains("30 days"), "{said}");
    assert_eq!(said["runs"][0]["new"], 0, "{said}");
    sleeper.settled().await;
    assert_eq!(
        (journals(&sleeper).await, sleeper.database.number("SELECT COUNT(*) FROM event").await),
        before
    );
    sleeper.finish().await;
}

async fn beyond_thirty_days_it_says_so_and_an_import_closes_the_gap(engine: Engine) {
    let mut world = World::empty(engine).await;
    let sandbox = Sandbox::start(&mut world).await;
    let world = on(&sandbox, engine).await;
    charges(&sandbox, 0, 4).await;
    assert_eq!(world.stop().await, 0);
    let day = 86_400_000;
    let now = now_s() * 1000;
    let long_ago =
        format!("UPDATE connection SET cursor_at = {}, created_at = {}", now - 40 * day, now - 50 * day);
    world.database.damage(&long_ago).await;
    // Stripe's own time goes on as well: what it kept is older than 30 days, and gone.
    sandbox.control("clock/advance", &json!({ "seconds": 35 * 86_400 })).await;
    world.serve().await;
    eventually("the backfill is done", Duration::from_secs(60), || async {
        let done = "SELECT COUNT(*) FROM import_run WHERE state = 'done' AND gap_from IS NOT NULL";
        (world.database.number(done).await == 1).then_some(())
    })
    .await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event").await, 0);
    let mut browser = crate::support::browser::Browser::log_in(
        &world,
        crate::support::world::EMAIL,
        crate::support::world::PASSWORD,
    )
    .await;
    let overview = format!("/p/{}", world.program);
    let bar = "Stripe keeps events for 30 days";
    assert!(browser.get(&world, &overview).await.body.contains(bar), "the bar tells of the gap");
    let said = world.command(&backfill(&world, &["--since", "2000-01-01"]), "").await.ok().json();
    assert_eq!(said["runs"][0]["kind"], "objects", "what is older than 30 days is read as objects: {said}");
    sandbox.agree(&world).await;
    assert!(!browser.get(&world, &overview).await.body.contains(bar), "the gap is closed");
    world.finish().await;
}

async fn stripe_s_faults_end_a_run_in_words(engine: Engine) {
    let mut world = World::empty(engine).await;
    let sandbox = Sandbox::start(&mut world).await;
    let world = on(&sandbox, engine).await;
    charges(&sandbox, 0, 3).await;
    let arguments = backfill(&world, &["--objects"]);

    // 429 with a word on when, 500, a cut body: tried again until it goes well.
    let faults = [
        json!({ "path_prefix": "/v1/customers", "status": 429, "should_retry": true }),
        json!({ "path_prefix": "/v1/invoices", "status": 500 }),
        json!({ "path_prefix": "/v1/charges", "truncate": true }),
        json!({ "path_prefix": "/v1/charges", "status": 429 }),
        json!({ "path_prefix": "/v1/refunds", "status": 500, "after_work": true }),
    ];
    sandbox.control("api_faults", &json!({ "faults": faults })).await;
    let said = world.command(&arguments, "").await.ok().json();
    assert_eq!(said["ok"], true, "{said}");
    sandbox.agree(&world).await;
    let (posted, digest) = (journals(&world).await, world.digest().await);

    // Out of order for long: the command says so, the run stays and goes on later.
    let down = json!({ "path_prefix": "/v1/charges", "status": 500, "should_retry": false });
    sandbox.control("api_faults", &json!({ "faults": vec![down; 4] })).await;
    let gone = world.command(&arguments, "").await;
    if gone.code == 3 {
        let said = gone.json();
        assert!(said["error"].as_str().is_some_and(|words| words.contains("goes on")), "{said}");
    } else {
        assert_eq!(gone.code, 0, "{gone:?}");
    }
    world.command(&arguments, "").await.ok();

    // Revoked: it stops with Stripe's words, and the connection shows it.
    sandbox.control("keys/revoke", &json!({ "key": KEY })).await;
    let revoked = world.command(&arguments, "").await;
    assert_eq!(revoked.code, 1, "{revoked:?}");
    let error = revoked.json()["runs"][0]["error"].to_string();
    assert!(error.contains("key"), "{error}");
    assert_eq!(world.database.text("SELECT status FROM connection").await, "broken");
    world.settled().await;
    assert_eq!((journals(&world).await, world.digest().await), (posted, digest), "nothing was doubled");
}

fn thin(event: &Value) -> Value {
    let object = &event["data"]["object"];
    let id = event["id"].as_str().expect("an id");
    json!({
        "id": format!("{id}_thin"),
        "object": "v2.core.event",
        "type": format!("v1.{}", event["type"].as_str().expect("a type")),
        "created": "2026-11-20T10:00:00.000Z",
        "livemode": false,
        "context": null,
        "related_object": { "id": object["id"], "type": object["object"], "url": "/v1/elsewhere" },
    })
}

async fn thin_events_bring_what_their_twins_bring(engine: Engine) {
    let world = World::connected(engine).await;
    let story = Story { plot: Plot::new("thin"), era: Era::Dahlia, subscription: true, partner: Some("ADA") };
    story.put(&world.stripe);
    let events = story.events();
    let twins: Vec<Value> = events.iter().map(thin).collect();
    world.deliver_all(&twins).await;
    world.deliver_all(&twins).await;
    let stray = json!({ "id": "evt_stray", "object": "v2.core.event", "type": "v2.core.health.something.new",
        "created": "2026-11-20T10:00:00.000Z", "related_object": null });
    world.deliver(&stray).await;
    let fetched = eventually("all was fetched", Duration::from_secs(60), || async {
        let left = world.database.number("SELECT COUNT(*) FROM job WHERE state = 'ready'").await;
        let waits = world.database.number("SELECT COUNT(*) FROM event WHERE outcome = 'pending'").await;
        if left + waits > 0 {
            return None;
        }
        Some(world.database.number("SELECT COUNT(*) FROM observation").await)
    })
    .await;
    assert!(fetched > 0, "objects were fetched");
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", story.earned())]).await;
    let rows = world.database.number("SELECT COUNT(*) FROM event").await;
    assert_eq!(rows, i64::try_from(twins.len()).expect("fits") + 1, "each is stored once");
    let reason = world.database.text("SELECT reason FROM event WHERE event_id = 'evt_stray'").await;
    assert!(reason.contains("v2.core.health"), "{reason}");
    assert_eq!(
        world.database.text("SELECT outcome FROM event WHERE event_id = 'evt_stray'").await,
        "ignored"
    );
    // The snapshots of the same changes double nothing.
    let before = journals(&world).await;
    world.deliver_all(&events).await;
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", story.earned())]).await;
    assert_eq!(journals(&world).await, before);
    world.finish().await;
}

async fn commands_refuse_what_they_cannot_use(engine: Engine) {
    let world = World::started(engine).await;
    let program = world.program.clone();
    let usage: [&[&str]; 9] = [
        &["stripe", "backfill", "--json"],
        &["stripe", "backfill", "--program", "NOSUCH22", "--json"],
        &["stripe", "backfill", "--connection", "con_none", "--json"],
        &["stripe", "backfill", "--program", &program, "--since", "yesterday", "--json"],
        &["stripe", "backfill", "--program", &program, "--since", "2199-01-01", "--json"],
        &["stripe", "backfill", "--program", &program, "--events", "--objects", "--json"],
        &["reconcile", "--program", "NOSUCH22", "--from", "2026-01-01", "--to", "2026-01-31", "--json"],
        &["reconcile", "--program", &program, "--from", "2026-02-01", "--to", "2026-01-01", "--json"],
        &["reconcile", "--program", &program, "--from", "2020-01-01", "--to", "2026-01-01", "--json"],
    ];
    for arguments in usage {
        let refused = world.command(arguments, "").await;
        assert_eq!(refused.code, 2, "{arguments:?}: {refused:?}");
    }
    for arguments in [
        &["stripe", "backfill", "--program", &program, "--json"][..],
        &["reconcile", "--program", &program, "--from", "2026-01-01", "--to", "2026-01-31", "--json"],
    ] {
        let refused = world.command(arguments, "").await;
        assert_eq!(refused.code, 1, "{arguments:?}: {refused:?}");
        assert!(refused.expect_failure("connect").contains("connect"));
    }
    world.connect().await;
    // Out of reach: said so, for scripts that try again.
    world.database.damage("UPDATE connection SET api_base = 'http://127.0.0.1:9'").await;
    let mut command = world.prepared(&["stripe", "backfill", "--program", &program, "--json"]);
    command.env("TRIBUTARY_LOG", "error");
    let gone = process::run(command, "", Duration::from_secs(120)).await;
    assert_eq!(gone.code, 3, "{gone:?}");
}
