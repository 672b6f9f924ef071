//! Customers whose key or address changes: what the old one brought stays theirs, whoever has it next.

use crate::dated;
use crate::support::story::{Story, commission};
use crate::support::{Engine, World, both_engines, mixed, now_s};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tributary_stripe::story::{Era, Plot};

both_engines!(
    a_former_address_keeps_its_purchases,
    a_former_key_keeps_its_purchases,
    who_had_an_address_is_read_by_the_purchase_in_any_order,
    what_a_browser_said_is_nothing_that_a_customer_was,
    sign_ups_of_browsers_hide_nobody,
    of_two_programs_who_gave_it_up_comes_last,
    erasure_knows_a_person_by_what_it_was_known_as,
);

const DAY: i64 = 86_400;

fn story(tag: &str, start_s: i64, email: &str, subscription: bool) -> Story {
    let email = format!("{email}@example.com");
    let plot = Plot { client_reference_id: None, refund: 0, email, start_s, ..Plot::new(tag) };
    Story { plot, era: Era::Dahlia, subscription, partner: None }
}

fn keyed(tag: &str, start_s: i64, key: &str, subscription: bool) -> Story {
    let mut story = story(tag, start_s, tag, subscription);
    story.plot.client_reference_id = Some(key.to_owned());
    story
}

/// What Stripe tells of stories until an instant (Unix seconds), and after it.
fn split(stories: &[&Story], at_s: i64) -> (Vec<Value>, Vec<Value>) {
    let events = stories.iter().flat_map(|story| story.events());
    events.partition(|event| event["created"].as_i64().is_some_and(|made| made < at_s))
}

async fn tell(world: &World, stories: &[&Story], events: &[Value]) {
    for story in stories {
        story.put(&world.stripe);
    }
    world.deliver_all(events).await;
    world.settled().await;
}

async fn change(world: &World, key: &str, body: &Value) {
    world.put(&format!("/v1/customers/{key}"), body).await.expect(200);
    world.settled().await;
}

/// What ADA and BOB have for so many sales of one price each.
async fn expect_sales(world: &World, ada: i64, bob: i64) {
    let each = commission(10_000, 1, 1);
    let mut totals = vec![("ADA", "usd", ada * each)];
    totals.extend((bob > 0).then_some(("BOB", "usd", bob * each)));
    world.expect_totals(&totals).await;
}

async fn a_former_address_keeps_its_purchases(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    world.customer("u-kim", Some("old@example.com"), "ADA").await;
    let now = now_s();
    let (guest, renewed) =
        (story("guest", now - 20 * DAY, "old", false), story("renewed", now - 20 * DAY, "old", true));
    let (told, later) = split(&[&guest, &renewed], now);
    tell(&world, &[&guest, &renewed], &told).await;
    expect_sales(&world, 2, 0).await;
    let digest = world.digest().await;

    change(&world, "u-kim", &json!({ "email": "new@example.com" })).await;
    expect_sales(&world, 2, 0).await;
    assert_eq!(world.digest().await, digest, "another address changes nothing that was");
    world.finish().await;

    // Nobody else has the old one: who goes on to buy with it is who had it.
    let just = now_s();
    let forgot = story("forgot", just, "old", true);
    let moved = story("moved", just, "new", false);
    tell(&world, &[&forgot, &moved], &split(&[&forgot, &moved], just + 7_200).0).await;
    expect_sales(&world, 4, 0).await;
    // Stripe tells whole seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    // Somebody else has it now: buys for BOB, and takes nothing along.
    world.customer("u-lea", Some("old@example.com"), "BOB").await;
    world.settled().await;
    expect_sales(&world, 4, 0).await;
    let fresh = story("fresh", now + 7_200, "old", true);
    tell(&world, &[&fresh], &split(&[&fresh], now + 10_800).0).await;
    expect_sales(&world, 4, 1).await;
    world.deliver_all(&later).await;
    world.settled().await;
    expect_sales(&world, 5, 1).await;
    world.finish().await;

    // Taken back, the address is had by two; what each brought stays. Another one in between changes nothing.
    let twice = json!({ "email": "newer@example.com" });
    world.put("/v1/customers/u-kim", &twice).await.expect(200);
    change(&world, "u-kim", &json!({ "email": "old@example.com" })).await;
    expect_sales(&world, 5, 1).await;
    world.finish().await;
}

async fn a_former_key_keeps_its_purchases(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    world.customer("u-1", None, "ADA").await;
    world.customer("cus_byhand", None, "ADA").await;
    let now = now_s();
    let first = keyed("first", now - 20 * DAY, "u-1", true);
    let by_id = story("byhand", now - 20 * DAY, "x", true);
    assert_eq!(by_id.plot.customer(), "cus_byhand");
    let (told, later) = split(&[&first, &by_id], now);
    tell(&world, &[&first, &by_id], &told).await;
    expect_sales(&world, 2, 0).await;
    let digest = world.digest().await;

    change(&world, "u-1", &json!({ "key": "u-2" })).await;
    change(&world, "cus_byhand", &json!({ "key": "u-3" })).await;
    expect_sales(&world, 2, 0).await;
    assert_eq!(world.digest().await, digest, "another key changes nothing that was");
    world.customer("u-1", None, "BOB").await;
    world.customer("cus_byhand", None, "BOB").await;
    world.settled().await;
    expect_sales(&world, 2, 0).await;
    world.finish().await;

    let (old, new) = (keyed("old", now + 7_200, "u-1", false), keyed("new", now + 7_200, "u-2", false));
    tell(&world, &[&old, &new], &split(&[&old, &new], now + 10_800).0).await;
    expect_sales(&world, 3, 1).await;
    world.deliver_all(&later).await;
    world.settled().await;
    expect_sales(&world, 5, 1).await;
    world.finish().await;
}

async fn who_had_an_address_is_read_by_the_purchase_in_any_order(engine: Engine) {
    let start = Plot::new("x").start_s;
    let stories = [
        // ADA's had the address until day 10, BOB's has it from day 20 on.
        story("early", start + DAY, "old", true),
        story("between", start + 15 * DAY, "old", true),
        story("late", start + 25 * DAY, "old", true),
        story("guest", start + 40 * DAY, "old", false),
        story("moved", start + 40 * DAY, "new", false),
    ];
    let events: Vec<Value> = stories.iter().flat_map(Story::events).collect();
    let mut digests = BTreeSet::new();
    for seed in 0..3 {
        let world = World::comparable(engine).await;
        world.partner("BOB").await;
        for story in &stories {
            story.put(&world.stripe);
        }
        let events = mixed(&events, seed);
        let half = events.len() / 2;
        world.customer("u-kim", Some("old@example.com"), "ADA").await;
        world.deliver_all(&events[..half]).await;
        change(&world, "u-kim", &json!({ "email": "new@example.com" })).await;
        world.customer("u-lea", Some("old@example.com"), "BOB").await;
        world.settled().await;
        // The change and the sign-ups were then and not just now.
        let (from, until, next) = (start * 1_000, (start + 10 * DAY) * 1_000, (start + 20 * DAY) * 1_000);
        let sql = format!(
            "UPDATE known_as SET from_ms = {from} WHERE from_ms = (SELECT MIN(from_ms) FROM known_as); \
             UPDATE known_as SET from_ms = {until} WHERE from_ms <> {from}; \
             UPDATE customer SET created_at = {from} WHERE key = 'u-kim'; \
             UPDATE customer SET created_at = {next} WHERE key = 'u-lea'"
        );
        world.database.damage(&sql).await;
        world.deliver_all(&events[half..]).await;
        world.settled().await;
        // What was told before the times were changed is mended, if there was any.
        world.command(&["replay", "--apply", "--json"], "").await;
        world.command(&["verify", "--rebuild", "--json"], "").await.ok();
        expect_sales(&world, 5, 3).await;
        digests.insert(world.digest().await);
        world.finish().await;
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

/// As if a form in the browser had told of a customer.
async fn told_by_browser(world: &World, key: &str) {
    let sql = format!("UPDATE customer SET partner_by = 'browser' WHERE key = '{key}'");
    world.database.damage(&sql).await;
}

async fn what_a_browser_said_is_nothing_that_a_customer_was(engine: Engine) {
    for with_partner in [false, true] {
        let world = World::connected(engine).await;
        world.partner("BOB").await;
        world.customer("u-1", Some("victim@example.com"), "BOB").await;
        told_by_browser(&world, "u-1").await;
        // A customer elsewhere who did change an address.
        world.customer("u-9", Some("nine@example.com"), "ADA").await;
        change(&world, "u-9", &json!({ "email": "ninth@example.com" })).await;
        if with_partner {
            change(&world, "u-1", &json!({ "email": "real@example.com", "partner": { "key": "ADA" } })).await;
        } else {
            let sign_up = json!({ "key": "u-1", "email": "real@example.com", "partner": { "key": "ADA" } });
            let answer = world.post("/v1/customers", &sign_up).await;
            assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        }
        let (victim, real) =
            (story("victim", now_s() - DAY, "victim", false), story("real", now_s() - DAY, "real", false));
        tell(&world, &[&victim, &real], &split(&[&victim, &real], now_s()).0).await;
        expect_sales(&world, 1, 0).await;
        assert_eq!(world.database.number("SELECT COUNT(*) FROM known_as").await, 2, "of the other one");
        world.finish().await;
    }
}

async fn sign_ups_of_browsers_hide_nobody(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    world.customer("w-0", Some("big@example.com"), "BOB").await;
    told_by_browser(&world, "w-0").await;
    let many: Vec<String> = (1..=120)
        .map(|n| {
            format!(
                "INSERT INTO customer (workspace_id, customer_id, mode, program_id, key, email, email_hash, name, surname, \
                 status, tags, origin, partner_id, partner_by, created_at, updated_at) SELECT workspace_id, 'ctm_w{n}', \
                 mode, program_id, 'w-{n}', email, email_hash, '', '', 'active', '[]', 'api', partner_id, 'browser', \
                 created_at, updated_at FROM customer WHERE key = 'w-0'"
            )
        })
        .collect();
    world.database.damage(&many.join("; ")).await;
    world.command(&["verify", "--rebuild", "--json"], "").await.ok();
    world.customer("u-1", Some("big@example.com"), "ADA").await;
    let bought = story("bought", now_s() - DAY, "big", false);
    tell(&world, &[&bought], &split(&[&bought], now_s()).0).await;
    expect_sales(&world, 1, 0).await;
    // Another customer's key has nothing to do with it.
    world.customer("u-2", None, "BOB").await;
    change(&world, "u-2", &json!({ "key": "u-3" })).await;
    world.finish().await;
    change(&world, "u-1", &json!({ "name": "Big" })).await;
    expect_sales(&world, 1, 0).await;
    world.finish().await;
}

async fn of_two_programs_who_gave_it_up_comes_last(engine: Engine) {
    let world = World::connected(engine).await;
    let second = dated::second(&world).await;
    dated::feed(&world, &second, "attach").await;
    let key = world.database.text("SELECT public_id FROM program WHERE name = 'Second'").await;
    assert_eq!(key, second);
    world.customer("u-1", Some("old@example.com"), "ADA").await;
    let now = now_s();
    let first = story("first", now - DAY, "old", true);
    tell(&world, &[&first], &split(&[&first], now).0).await;
    change(&world, "u-1", &json!({ "key": "u-2", "email": "new@example.com" })).await;
    // The same key and address in the other program.
    let sql = "INSERT INTO customer (workspace_id, customer_id, mode, program_id, key, email, email_hash, name, surname, \
         status, tags, origin, partner_id, partner_by, created_at, updated_at) SELECT c.workspace_id, 'ctm_other', \
         c.mode, p.program_id, 'u-1', '', n.value, '', '', 'active', '[]', 'api', p.partner_id, 'api', \
         c.updated_at + 1, c.updated_at + 1 FROM customer c JOIN known_as n ON n.customer_id = c.customer_id \
         AND n.kind = 'email' AND n.value <> c.email_hash JOIN partner p ON p.key = 'ZOE' WHERE c.key = 'u-2'";
    world.database.damage(sql).await;
    world.command(&["verify", "--rebuild", "--json"], "").await.ok();
    let (by_address, by_key) =
        (story("address", now + 7_200, "old", true), keyed("key", now + 7_200, "u-1", false));
    let both = [&by_address, &by_key];
    tell(&world, &both, &split(&both, now + 10_800).0).await;
    let each = commission(10_000, 1, 1);
    dated::expect_money(&world, each, 2 * each).await;
    world.finish().await;
}

async fn erasure_knows_a_person_by_what_it_was_known_as(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    world.customer("kim.first@example.com", None, "ADA").await;
    world.customer("u-lea", Some("lea@example.com"), "ADA").await;
    let now = now_s();
    let (guest, renewed) =
        (story("guest", now - 20 * DAY, "kim.first", false), story("leas", now - 20 * DAY, "lea", true));
    tell(&world, &[&guest, &renewed], &split(&[&guest, &renewed], now).0).await;
    expect_sales(&world, 2, 0).await;
    change(&world, "kim.first@example.com", &json!({ "key": "u-kim", "email": "kim.second@example.com" }))
        .await;
    change(&world, "u-lea", &json!({ "key": "u-lea-2", "email": "lea.second@example.com" })).await;
    // Lea's first key is somebody else's since.
    world.customer("u-lea", Some("other@example.com"), "BOB").await;
    world.settled().await;
    let digest = world.digest().await;

    let erase = |how: &'static str, who: &'static str| {
        let world = &world;
        async move { world.command(&["erase", how, who, "--for-good", "--json"], "").await }
    };
    let said = erase("--email", "kim.first@example.com").await.ok().json();
    assert_eq!(said["customers"], 1, "{said}");
    let rows = "SELECT COUNT(*) FROM known_as";
    assert_eq!(world.database.number(rows).await, 4, "the keys and addresses of the erased one are gone");
    assert_eq!(
        (world.digest().await, erase("--email", "kim.first@example.com").await.code == 0),
        (digest.clone(), false)
    );
    world.finish().await;

    // Who has the key now goes, and not who had it before.
    let said = erase("--customer", "u-lea").await.ok().json();
    assert_eq!(said["customers"], 1, "{said}");
    assert_eq!(world.database.column("SELECT key FROM customer WHERE key LIKE 'u-%'").await, ["u-lea-2"]);
    assert_eq!(world.digest().await, digest);
    expect_sales(&world, 2, 0).await;
    world.finish().await;

    // An address that was entered by mistake leads to whose it is, and a key that was an address to whose it was.
    world.customer("Old.Mail@example.com", Some("mistyped@example.com"), "ADA").await;
    change(&world, "Old.Mail@example.com", &json!({ "partner": { "key": "BOB" } })).await;
    change(&world, "Old.Mail@example.com", &json!({ "key": "u-max", "email": "max@example.com" })).await;
    world.customer("u-mistyped", Some("mistyped@example.com"), "BOB").await;
    let said = erase("--email", "mistyped@example.com").await.ok().json();
    assert_eq!(said["customers"], 1, "{said}");
    assert_eq!(
        world.database.number("SELECT COUNT(*) FROM known_as WHERE value = ''").await,
        1,
        "its hash is gone"
    );
    let said = erase("--email", "old.mail@example.com").await.ok().json();
    assert_eq!(said["customers"], 1, "{said}");
    for (table, column) in [("audit", "subject"), ("known_as", "value"), ("customer", "key")] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE LOWER({column}) LIKE '%old.mail%'");
        assert_eq!(world.database.number(&sql).await, 0, "{table}");
    }
    world.finish().await;
}
