//! Random histories of every shape of a payment, out of order, three of ten events twice, one of ten lost and brought
//! by a backfill, end in the same books on both databases: those that the sandbox reckons on its own.
//!
//! `SEED=n` plays one history alone. `TRIBUTARY_HISTORIES` and `TRIBUTARY_HISTORY_EVENTS` set how many and how long
//! ([docs/PERFORMANCE.md] says what the full size takes); `TRIBUTARY_HISTORY_REPLAY=0` leaves the replay at the end out.

use crate::support::books::Totals;
use crate::support::browser::Browser;
use crate::support::sandbox::Sandbox;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Histories, and events of each.
const HISTORIES: u64 = 200;
const EVENTS: u64 = 200;
/// Nothing is left out, unless `TRIBUTARY_HISTORY_WITHOUT` (names with commas between) says otherwise.
const WITHOUT: &str = "";
/// The pipeline may take so long for one event, at its slowest.
const LIMIT_PER_EVENT: Duration = Duration::from_millis(200);

fn number(name: &str, usual: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a whole number, not {text}")),
        Err(_) => usual,
    }
}

/// The two partners of a history.
fn partners(seed: u64) -> [String; 2] {
    [format!("S{seed}A"), format!("S{seed}B")]
}

async fn world(engine: Engine, sandbox: Option<&Sandbox>) -> World {
    let mut world = World::empty(engine).await;
    if let Some(sandbox) = sandbox {
        world.set("TRIBUTARY_STRIPE_API_BASE", &sandbox.base);
        prepare(&mut world).await;
    }
    world
}

async fn prepare(world: &mut World) {
    world.set_up_comparable().await;
    world.serve().await;
    let said = world.connect_with(&world.program, "rk_test_the_usual_one", None).await.ok().json();
    assert!(said["webhook_endpoint"].is_string(), "{said}");
}

/// The text of a partner's promotion code, as the histories make it.
fn code_of(key: &str) -> String {
    format!("CODE-{key}")
}

/// Every partner owns its promotion code.
async fn own_codes(world: &World, keys: &[String]) {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let token = browser.get(world, &format!("/p/{}/settings", world.program)).await.token();
    for key in keys {
        let partner =
            world.database.text(&format!("SELECT partner_id FROM partner WHERE key = '{key}'")).await;
        let path = format!("/p/{}/partners/{partner}/codes", world.program);
        let form = [("form_token", token.as_str()), ("code", &code_of(key)), ("promo_id", "")];
        assert_eq!(browser.post(world, &path, &form).await.status, 303, "{key}");
    }
}

/// Every delivery has arrived.
async fn flush(sandbox: &Sandbox, limit: Duration) {
    let end = Instant::now() + limit;
    loop {
        let said = sandbox.control("delivery/flush", &json!({})).await;
        if said["settled"] == true {
            return;
        }
        assert!(Instant::now() < end, "the events do not arrive within {limit:?}: {said}");
    }
}

/// What was lost is brought by reading the account again: the histories last for years, and Stripe keeps events for 30 days.
async fn heal(world: &World) {
    let arguments = ["stripe", "backfill", "--program", &world.program, "--objects", "--json"];
    let said = world.command(&arguments, "").await.ok().json();
    assert!(
        said["runs"][0]["new"].as_i64().is_some_and(|n| n > 0),
        "one event of ten was lost at first: {said}"
    );
}

/// The partners whose money is not what it must be, with the seed that tells how to play it again.
fn differences(owed: &Totals, got: &Totals) -> Vec<String> {
    let keys: std::collections::BTreeSet<_> = owed.keys().chain(got.keys()).collect();
    let of = |totals: &Totals, key| totals.get(key).copied().unwrap_or(0);
    keys.into_iter()
        .filter(|key| of(owed, key) != of(got, key))
        .map(|key| {
            let seed: String = key.0.chars().filter(char::is_ascii_digit).collect();
            let (must, is) = (of(owed, key), of(got, key));
            format!("{} {}: {is}, must be {must}; again by SEED={seed}", key.0, key.1)
        })
        .collect()
}

/// The sales whose commissions are not what they must be, with all that is known of their objects.
async fn differing(sandbox: &Sandbox, partners: &[&str], world: &World) -> String {
    let terms =
        json!({ "percent_ppm": crate::support::story::RATE_PPM, "partners": partners, "customers": {} });
    let said = sandbox.control("books/expected", &terms).await;
    let mut told = Vec::new();
    for sale in said["sales"].as_array().expect("sales") {
        let root = sale["root"].as_str().expect("a root");
        let of = format!("(SELECT sale_id FROM alias WHERE object_id = '{root}')");
        let sql =
            format!("SELECT CAST(COALESCE(SUM(target), 0) AS BIGINT) FROM commission WHERE sale_id IN {of}");
        let wanted = if sale["partner"].is_null() { 0 } else { sale["net"].as_i64().expect("a number") };
        let is = world.database.number(&sql).await;
        if is != wanted && told.len() < 5 {
            let sql = format!("SELECT object_id, state FROM alias WHERE sale_id IN {of} ORDER BY object_id");
            told.push(format!(
                "{root}: {is}, must be {wanted}: {sale}\n{:?}",
                world.database.rows(&sql).await
            ));
            let sql = format!(
                "SELECT total, paid, captured, refunded, lost, disputed, state, unsettled FROM sale WHERE sale_id IN {of}"
            );
            told.push(format!("{:?}", world.database.rows(&sql).await));
        }
    }
    told.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_end_in_the_books_that_the_sandbox_reckons() {
    let seeds: Vec<u64> = match std::env::var("SEED") {
        Ok(_) => vec![number("SEED", 0)],
        Err(_) => (1..=number("TRIBUTARY_HISTORIES", HISTORIES)).collect(),
    };
    let events = number("TRIBUTARY_HISTORY_EVENTS", EVENTS);
    let mut one = world(Engine::Sqlite, None).await;
    let sandbox = Sandbox::start(&mut one).await;
    prepare(&mut one).await;
    let two = world(Engine::Postgres, Some(&sandbox)).await;
    let mut worlds = [one, two];
    let keys: Vec<String> = seeds.iter().flat_map(|seed| partners(*seed)).collect();
    for world in &worlds {
        for key in &keys {
            world.partner(key).await;
        }
        own_codes(world, &keys).await;
    }
    let faults = json!({ "shuffle": true, "duplicate_percent": 30, "drop_percent": 10, "hold": true });
    sandbox.control("delivery", &faults).await;
    let without = std::env::var("TRIBUTARY_HISTORY_WITHOUT").unwrap_or_else(|_| WITHOUT.to_owned());
    let without: Vec<&str> = without.split(',').filter(|name| !name.is_empty()).collect();
    let mut made = 0;
    for seed in &seeds {
        let wanted =
            json!({ "seed": seed, "events": events, "partners": partners(*seed), "without": without });
        made += sandbox.control("random", &wanted).await["events"].as_u64().expect("a number");
    }
    let limit = Duration::from_secs(60) + LIMIT_PER_EVENT * u32::try_from(made).expect("fits");
    for world in &mut worlds {
        world.command_limit = limit;
    }
    let start = Instant::now();
    let told = |what: &str| eprintln!("{:8.1} s: {what}", start.elapsed().as_secs_f64());
    flush(&sandbox, limit).await;
    told("delivered");
    for world in &worlds {
        world.settled_within(limit).await;
    }
    told("settled");
    sandbox.control("delivery", &json!({})).await;
    for world in &worlds {
        heal(world).await;
        told(&format!("{:?}: brought what was lost", world.engine));
    }
    let codes: BTreeMap<String, String> = keys.iter().map(|key| (code_of(key), key.clone())).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let owed = sandbox.owed(&keys, &BTreeMap::new(), &codes).await;
    assert!(owed.values().any(|net| *net > 0), "{owed:?}");
    let mut digests = Vec::new();
    for world in &worlds {
        world.settled_within(limit).await;
        let wrong = differences(&owed, &world.ledger_totals().await);
        if !wrong.is_empty() {
            let sales = differing(&sandbox, &keys, world).await;
            panic!("{:?}:\n{}\n{sales}", world.engine, wrong.join("\n"));
        }
        let wrong = differences(&owed, &world.target_totals().await);
        assert!(wrong.is_empty(), "{:?}, targets:\n{}", world.engine, wrong.join("\n"));
        told(&format!("{:?}: the books are right", world.engine));
        digests.push(world.digest().await);
    }
    assert_eq!(digests[0], digests[1], "both databases end in the same books (seeds {seeds:?})");
    told("verified");
    if number("TRIBUTARY_HISTORY_REPLAY", 1) > 0 {
        for world in &worlds {
            world.finish().await;
        }
        told("replayed");
    }
    let (count, spent) = (seeds.len(), start.elapsed().as_secs_f64());
    eprintln!("{count} histories, {made} events on two databases in {spent:.0} s, digest {}", digests[0]);
    sandbox.stop().await;
}
