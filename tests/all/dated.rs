//! Settings that say whose a sale is hold from their day on: a sale keeps what was in force when it happened, whatever comes
//! later, in whatever order it comes, and replay says the same.

use crate::support::browser::Browser;
use crate::support::story::{Story, commission};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, mixed, now_s};
use serde_json::Value;
use std::collections::BTreeSet;
use tributary_stripe::story::{Era, Plot};

both_engines!(
    an_address_finds_customers_for_sales_of_the_time_when_it_may,
    whether_addresses_are_matched_is_read_by_the_sale_in_any_order,
    a_program_keeps_the_sales_of_the_time_when_it_was_fed,
    when_a_program_was_fed_is_read_by_the_sale_in_any_order,
);

const DAY: i64 = 86_400;

fn story(tag: &str, start_s: i64, email: &str, subscription: bool) -> Story {
    let email = format!("{email}@example.com");
    let plot = Plot { client_reference_id: None, refund: 0, email, start_s, ..Plot::new(tag) };
    Story { plot, era: Era::Dahlia, subscription, partner: None }
}

/// What Stripe tells of a story until an instant (Unix seconds), and after it.
fn split(story: &Story, at_s: i64) -> (Vec<Value>, Vec<Value>) {
    story.events().into_iter().partition(|event| event["created"].as_i64().is_some_and(|made| made < at_s))
}

async fn known(world: &World) {
    for name in ["kim", "lea", "max", "ned"] {
        world.customer(&format!("u-{name}"), Some(&format!("{name}@example.com")), "ADA").await;
    }
}

/// Saves the program's settings with addresses matched or not.
async fn match_email(world: &World, on: bool) {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/settings", world.program);
    let token = browser.get(world, &path).await.token();
    let mut form = vec![
        ("form_token", token.as_str()),
        ("name", "Test program"),
        ("website", "https://shop.example/"),
        ("currency", "usd"),
        ("zone", "UTC"),
        ("parameter", "aff"),
        ("hosts", ""),
        ("payment_hosts", "buy.stripe.com"),
        ("visits", "committed"),
        ("window_days", "30"),
    ];
    form.extend(on.then_some(("match_email", "true")));
    let saved = browser.post(world, &path, &form).await;
    assert_eq!((saved.status, saved.location.ends_with("saved")), (303, true), "{}", saved.body);
    world.settled().await;
}

async fn version(world: &World, version: i64, from_ms: Option<i64>, on: bool) {
    let from = from_ms.map_or_else(|| "NULL".to_owned(), |from| from.to_string());
    let on = if on { "TRUE" } else { "FALSE" };
    let sql = format!(
        "INSERT INTO policy (workspace_id, program_id, version, from_ms, window_days, created_at, match_email) \
         SELECT workspace_id, program_id, {version}, {from}, 30, 1, {on} FROM program"
    );
    world.database.damage(&sql).await;
}

async fn an_address_finds_customers_for_sales_of_the_time_when_it_may(engine: Engine) {
    for first in [true, false] {
        let world = World::connected(engine).await;
        world.partner("BOB").await;
        if !first {
            version(&world, 1, None, false).await;
        }
        known(&world).await;
        let now = now_s();
        let mut guest = story("guest", now - 20 * DAY, "kim", false);
        let renewed = story("renewed", now - 20 * DAY, "lea", true);
        let mut named = story("named", now - 20 * DAY, "ned", true);
        named.plot.client_reference_id = Some("BOB".to_owned());
        for one in [&guest, &renewed, &named] {
            one.put(&world.stripe);
            world.deliver_all(&split(one, now).0).await;
        }
        world.settled().await;
        let each = commission(10_000, 1, 1);
        let before = if first { 2 * each } else { 0 };
        world.expect_totals(&[("ADA", "usd", before), ("BOB", "usd", each)]).await;
        let digest = world.digest().await;

        match_email(&world, !first).await;
        world.expect_totals(&[("ADA", "usd", before), ("BOB", "usd", each)]).await;
        assert_eq!(world.digest().await, digest, "a setting of now on changes nothing that was");
        world.finish().await;

        // Half of an earlier sale is given back now.
        guest.plot.refund = 6_000;
        guest.put(&world.stripe);
        world.deliver_all(&guest.events()).await;
        world.settled().await;
        let half = if first { each + commission(10_000, 6_000, 12_000) } else { 0 };
        world.expect_totals(&[("ADA", "usd", half), ("BOB", "usd", each)]).await;
        world.finish().await;

        // Later sales: of the same guest, of one who is new, and renewals.
        for one in [story("again", now + 60, "kim", false), story("fresh", now + 60, "max", false)] {
            one.put(&world.stripe);
            world.deliver_all(&one.events()).await;
        }
        for one in [&renewed, &named] {
            world.deliver_all(&split(one, now).1).await;
        }
        world.settled().await;
        // With addresses matched three go by their customers, whose partner is ADA. The fourth named BOB in its first purchase,
        // before its customer was known, and is BOB's in either way.
        let (ada, bob) = (half + if first { 0 } else { 3 * each }, 2 * each);
        world.expect_totals(&[("ADA", "usd", ada), ("BOB", "usd", bob)]).await;
        world.finish().await;
        let said = world.command(&["explain", &guest.plot.session(), "--json"], "").await.ok().json();
        let policy = said["attribution"]["policy"].as_str().unwrap_or_default();
        assert!(!first || policy.ends_with("and customers are found by e-mail address too."), "{said}");
    }
}

async fn whether_addresses_are_matched_is_read_by_the_sale_in_any_order(engine: Engine) {
    let start = Plot::new("x").start_s;
    let mut named = story("named", start, "ned", true);
    named.plot.client_reference_id = Some("BOB".to_owned());
    let stories = [
        story("on", start, "kim", false),
        story("off", start + 15 * DAY, "kim", false),
        story("back", start + 40 * DAY, "kim", false),
        story("renewed", start, "lea", true),
        story("late", start + 15 * DAY, "max", true),
        named,
    ];
    let events: Vec<Value> = stories.iter().flat_map(Story::events).collect();
    let mut digests = BTreeSet::new();
    for seed in 0..4 {
        let world = World::comparable(engine).await;
        world.partner("BOB").await;
        version(&world, 1, None, true).await;
        version(&world, 2, Some((start + 10 * DAY) * 1_000), false).await;
        version(&world, 3, Some((start + 35 * DAY) * 1_000), true).await;
        if seed < 3 {
            known(&world).await;
        }
        for story in &stories {
            story.put(&world.stripe);
        }
        world.deliver_all(&mixed(&events, seed)).await;
        world.settled().await;
        if seed == 3 {
            known(&world).await;
            world.settled().await;
        }
        let each = commission(10_000, 1, 1);
        // ADA: on, back, the first of `renewed`, the second of `late`. BOB: both of `named`, the second without the address.
        world.expect_totals(&[("ADA", "usd", 4 * each), ("BOB", "usd", 2 * each)]).await;
        digests.insert(world.digest().await);
        world.finish().await;
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

/// A second program that the connection feeds too, with the partner `ZOE`: its public id.
pub(crate) async fn second(world: &World) -> String {
    let made = world.setup_program("Second", "usd", "30%").await.ok().json();
    let key = made["api_key"].as_str().expect("a key");
    let zoe = r#"{"email":"zoe@partners.example","name":"ZOE","key":"ZOE"}"#;
    let answer = world.request_as(key, "POST", "/v1/partners", Some(zoe.to_owned())).await;
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    made["program_public_id"].as_str().expect("an id").to_owned()
}

/// The connection feeds a program from now on, or does not any more.
pub(crate) async fn feed(world: &World, program: &str, what: &str) {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let token = browser.get(world, &format!("/p/{program}/settings")).await.token();
    let id = world.database.text("SELECT connection_id FROM connection").await;
    let path = format!("/p/{program}/settings/stripe/{id}/{what}");
    let done = browser.post(world, &path, &[("form_token", &token)]).await;
    assert!(done.location.ends_with(&format!("{what}ed")), "{done:?}");
    world.settled().await;
}

/// What ADA and ZOE have, by the ledger and by the targets.
pub(crate) async fn expect_money(world: &World, ada: i64, zoe: i64) {
    for totals in [world.ledger_totals().await, world.target_totals().await] {
        let of = |key: &str| totals.get(&(key.to_owned(), "usd".to_owned())).copied().unwrap_or(0);
        assert_eq!((of("ADA"), of("ZOE")), (ada, zoe));
    }
}

fn naming(partner: &str, tag: &str, start_s: i64, subscription: bool) -> Story {
    let mut story = story(tag, start_s, tag, subscription);
    story.plot.client_reference_id = Some(partner.to_owned());
    story
}

async fn a_program_keeps_the_sales_of_the_time_when_it_was_fed(engine: Engine) {
    let world = World::connected(engine).await;
    let second = second(&world).await;
    feed(&world, &second, "attach").await;
    let now = now_s();
    let mut old = naming("ZOE", "old", now - 40 * DAY, true);
    let (told, later) = split(&old, now - 20 * DAY);
    let other = naming("ADA", "other", now - 40 * DAY, false);
    for one in [&old, &other] {
        one.put(&world.stripe);
    }
    world.deliver_all(&told).await;
    world.deliver_all(&other.events()).await;
    world.settled().await;
    let each = commission(10_000, 1, 1);
    expect_money(&world, each, each).await;
    let digest = world.digest().await;

    feed(&world, &second, "detach").await;
    let then = (now - 20 * DAY) * 1_000;
    world
        .database
        .damage(&format!("UPDATE feed_span SET until_ms = {then} WHERE until_ms IS NOT NULL"))
        .await;
    assert_eq!(world.digest().await, digest, "letting a program go takes nothing of it");
    world.finish().await;

    // A part of what was sold in its time is given back.
    old.plot.refund = 6_000;
    old.put(&world.stripe);
    let refund =
        old.events().into_iter().filter(|event| event["type"].as_str().is_some_and(|t| t.contains("refund")));
    world.deliver_all(&refund.collect::<Vec<_>>()).await;
    world.settled().await;
    let half = commission(10_000, 6_000, 12_000);
    expect_money(&world, each, half).await;
    world.finish().await;

    // A renewal of its customer, somebody new who names its partner, and one of the program that is fed.
    let customers = "SELECT COUNT(*) FROM customer";
    let before = world.database.number(customers).await;
    world.deliver_all(&later).await;
    for one in [naming("ZOE", "new", now - 5 * DAY, false), naming("ADA", "more", now - 5 * DAY, false)] {
        one.put(&world.stripe);
        world.deliver_all(&one.events()).await;
    }
    world.settled().await;
    expect_money(&world, 2 * each, half).await;
    assert_eq!(
        world.database.number(customers).await,
        before + 1,
        "no customer of a program that is not fed"
    );
    world.finish().await;

    // Fed again, it gets what is sold from then on, and nothing of the time between.
    feed(&world, &second, "attach").await;
    expect_money(&world, 2 * each, half).await;
    world.finish().await;
    let again = naming("ZOE", "again", now + 300, false);
    again.put(&world.stripe);
    world.deliver_all(&again.events()).await;
    world.settled().await;
    expect_money(&world, 2 * each, half + each).await;
    world.finish().await;
}

async fn when_a_program_was_fed_is_read_by_the_sale_in_any_order(engine: Engine) {
    let start = Plot::new("x").start_s;
    let stories = [
        // Of the first span, with a renewal in the time between.
        naming("ZOE", "first", start, true),
        // Of the time between, with a renewal in the second span.
        naming("ZOE", "between", start + 15 * DAY, true),
        naming("ZOE", "last", start + 40 * DAY, false),
        naming("ADA", "other", start, true),
    ];
    let events: Vec<Value> = stories.iter().flat_map(Story::events).collect();
    let mut digests = BTreeSet::new();
    for seed in 0..3 {
        let world = World::comparable(engine).await;
        let second = second(&world).await;
        feed(&world, &second, "attach").await;
        let (end, begin) = ((start + 10 * DAY) * 1_000, (start + 35 * DAY) * 1_000);
        let which = format!("program_id = (SELECT program_id FROM program WHERE public_id = '{second}')");
        let sql = format!(
            "UPDATE feed_span SET until_ms = {end} WHERE {which}; \
             INSERT INTO feed_span (workspace_id, connection_id, program_id, from_ms) \
             SELECT workspace_id, connection_id, program_id, {begin} FROM feed_span WHERE {which}; \
             UPDATE route SET token = 'SECND222' WHERE kind = 'program' AND token = '{second}'; \
             UPDATE program SET public_id = 'SECND222' WHERE public_id = '{second}'"
        );
        world.database.damage(&sql).await;
        for story in &stories {
            story.put(&world.stripe);
        }
        world.deliver_all(&mixed(&events, seed)).await;
        world.settled().await;
        let each = commission(10_000, 1, 1);
        expect_money(&world, 2 * each, 3 * each).await;
        digests.insert(world.digest().await);
        world.finish().await;
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}
