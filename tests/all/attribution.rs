//! Clicks on referral links as evidence: their window, their renewals, any order, and what Explain says of them.

use crate::support::browser::Browser;
use crate::support::story::{Story, expected};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, mixed};
use serde_json::Value;
use tributary_stripe::story::{Era, Plot};

both_engines!(
    a_click_counts_in_its_window_and_gives_the_renewals_too,
    clicks_in_any_order_end_in_the_same_books,
    a_customer_born_of_a_purchase_and_changed_by_api_survives_replay,
    an_archived_customer_earns_on_sales_of_other_times_only,
    a_link_that_is_made_later_finds_purchases_that_named_it,
);

const DAY_MS: i64 = 86_400_000;

/// The visit of a story, by its tag.
fn visit(tag: &str) -> String {
    format!("vis_{}", hex::encode(format!("{tag:0>16}")))
}

fn plot(tag: &str, start_s: i64) -> Plot {
    Plot { client_reference_id: Some(visit(tag)), start_s, ..Plot::new(tag) }
}

/// A visit to the link of a partner of any program, so long before (ms) the story's first purchase.
async fn visited(world: &World, tag: &str, partner: &str, plot: &Plot, before_ms: i64) {
    let (id, at) = (visit(tag), plot.start_s * 1_000 - before_ms);
    let sql = format!(
        "INSERT INTO visit (workspace_id, visit_id, mode, program_id, partner_id, link_id, visitor, via, landing, \
         referrer, at) SELECT workspace_id, '{id}', 'test', program_id, partner_id, 'lnk_{tag}', 'v', 'link', \
         'https://shop.example/start', 'https://blog.example/post', {at} FROM partner WHERE key = '{partner}'"
    );
    world.database.damage(&sql).await;
}

/// Counters of visits that were put in by hand.
async fn recounted(world: &World) {
    let output = world.command(&["verify", "--rebuild", "--json"], "").await;
    assert_eq!(output.code, 0, "{output:?}");
}

async fn explained(world: &World, id: &str) -> Value {
    world.command(&["explain", id, "--json"], "").await.ok().json()
}

async fn tell(world: &World, stories: &[Story]) {
    for story in stories {
        story.put(&world.stripe);
        world.deliver_all(&story.events()).await;
    }
    world.settled().await;
}

async fn a_click_counts_in_its_window_and_gives_the_renewals_too(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let start = Plot::new("x").start_s;
    let story =
        |tag: &str, partner| Story { plot: plot(tag, start), era: Era::Dahlia, subscription: true, partner };
    let stories = [
        // 20 days before the first purchase, 50 before the renewal.
        story("good", Some("ADA")),
        story("old", None),
        story("late", None),
        story("unknown", None),
        // In the second in which it was paid: Stripe tells no more.
        story("second", Some("BOB")),
    ];
    visited(&world, "good", "ADA", &stories[0].plot, 20 * DAY_MS).await;
    visited(&world, "old", "ADA", &stories[1].plot, 30 * DAY_MS + 60_000).await;
    visited(&world, "late", "ADA", &stories[2].plot, -60_000).await;
    visited(&world, "second", "BOB", &stories[4].plot, -999).await;
    tell(&world, &stories).await;
    recounted(&world).await;
    world.expect_totals(&expected(&stories)).await;

    let good = explained(&world, &stories[0].plot.purchase(2).invoice).await;
    assert_eq!(good["partner"]["key"], "ADA", "{good}");
    let because = good["attribution"]["because"].as_str().unwrap_or_default();
    assert!(because.starts_with("Attributed by click on a referral link of “ADA” on "), "{because}");
    let first = explained(&world, &stories[0].plot.purchase(1).invoice).await;
    let click = &first["story"][0];
    assert_eq!(click["title"], "Clicked a referral link", "{first}");
    assert_eq!(click["object_id"], visit("good").as_str(), "{first}");
    let detail = click["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("shop.example/start") && detail.contains("blog.example"), "{detail}");
    for (tag, words) in [
        ("old", "Nobody: the click on a referral link is older than the program's 30 days."),
        ("late", "Nobody: the click on a referral link is after the sale."),
        ("unknown", "None of the evidence fits a partner of this program."),
    ] {
        let why = explained(&world, &plot(tag, start).purchase(1).invoice).await;
        let said = &why["attribution"]["because"];
        if tag == "unknown" {
            assert!(said.is_null() || said == words, "{tag}: {why}");
        } else {
            assert_eq!(said, words, "{tag}");
        }
        assert!(why["partner"].is_null(), "{tag}: {why}");
    }
    // Customers born of purchases belong to the partner whose click brought them, and are counted.
    let sql = "SELECT r.key || ' ' || CAST(SUM(d.customers) AS TEXT) || ' ' || CAST(SUM(d.visits) AS TEXT) \
         FROM partner_day d JOIN partner r ON r.workspace_id = d.workspace_id AND r.partner_id = d.partner_id \
         GROUP BY r.key ORDER BY r.key";
    assert_eq!(world.database.column(sql).await, ["ADA 1 3", "BOB 1 1"]);
    let owned = world.get("/v1/customers/stripe_cus_good").await.expect(200);
    let ada = world.get("/v1/partners/ADA").await.expect(200);
    assert_eq!(owned.data()["partner"], ada.data()["id"], "{owned:?}");
    world.finish().await;
}

async fn clicks_in_any_order_end_in_the_same_books(engine: Engine) {
    let start = Plot::new("x").start_s;
    let story = |plot: Plot, era, partner| Story { plot, era, subscription: true, partner };
    let stories = [
        story(plot("one", start), Era::Dahlia, Some("ADA")),
        story(plot("two", start), Era::Y2022, None),
        // The window was ten days shorter until the second day of this story.
        story(plot("three", start + 2 * 86_400), Era::Basil, Some("BOB")),
        // A click of ADA's, but the payment itself names BOB.
        Story {
            subscription: false,
            ..story(Plot { partner_key: Some("BOB".into()), ..plot("four", start) }, Era::Acacia, Some("BOB"))
        },
    ];
    let events: Vec<Value> = stories.iter().flat_map(Story::events).collect();
    let mut digests = std::collections::BTreeSet::new();
    for seed in 0..3 {
        let world = World::comparable(engine).await;
        world.partner("BOB").await;
        for (version, from, days) in
            [(1, "NULL".to_owned(), 20), (2, (start * 1_000 + DAY_MS).to_string(), 30)]
        {
            let sql = format!(
                "INSERT INTO policy (workspace_id, program_id, version, from_ms, window_days, created_at) \
                 SELECT workspace_id, program_id, {version}, {from}, {days}, 1 FROM program"
            );
            world.database.damage(&sql).await;
        }
        visited(&world, "one", "ADA", &stories[0].plot, 19 * DAY_MS).await;
        visited(&world, "two", "ADA", &stories[1].plot, 21 * DAY_MS).await;
        visited(&world, "three", "BOB", &stories[2].plot, 29 * DAY_MS).await;
        visited(&world, "four", "ADA", &stories[3].plot, DAY_MS).await;
        for story in &stories {
            story.put(&world.stripe);
        }
        world.deliver_all(&mixed(&events, seed)).await;
        world.settled().await;
        recounted(&world).await;
        world.expect_totals(&expected(&stories)).await;
        digests.insert(world.digest().await);
        world.finish().await;
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

async fn a_customer_born_of_a_purchase_and_changed_by_api_survives_replay(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let stories = ["one", "two", "three"].map(|tag| Story {
        plot: Plot { refund: 0, ..Plot::new(tag) },
        era: Era::Dahlia,
        subscription: true,
        partner: Some("ADA"),
    });
    tell(&world, &stories).await;
    // Another key, another partner, deleted.
    let change = serde_json::json!({ "key": "user-1", "name": "Ida" });
    world.put("/v1/customers/stripe_cus_one", &change).await.expect(200);
    let change = serde_json::json!({ "partner": { "key": "BOB" } });
    world.put("/v1/customers/stripe_cus_two", &change).await.expect(200);
    world.delete("/v1/customers/stripe_cus_three").await.expect(200);
    world.settled().await;
    let owned = |n: usize, partner| Story { partner: Some(partner), ..stories[n].clone() };
    world.expect_totals(&expected(&[owned(0, "ADA"), owned(1, "BOB"), owned(2, "ADA")])).await;
    let one = world.get("/v1/customers/user-1").await.expect(200);
    assert_eq!(one.data()["name"], "Ida");
    assert_eq!(world.get("/v1/customers/stripe_cus_three").await.status, 404);
    // A sale that comes later finds the customer under its new key.
    let again: Vec<Value> = stories[0].events().into_iter().rev().collect();
    world.deliver_all(&again).await;
    world.finish().await;
    let counted = "SELECT CAST(SUM(customers) AS TEXT) FROM program_day";
    assert_eq!(world.database.text(counted).await, "2");
    let customers = world.database.number("SELECT COUNT(*) FROM customer").await;
    assert_eq!(customers, 3, "none was made twice");
}

async fn an_archived_customer_earns_on_sales_of_other_times_only(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", None, "ADA").await;
    let sale = |key: &str, at: i64| serde_json::json!({ "customer": { "key": "u-1" }, "key": key, "amount": 10, "created_at": at });
    let now = crate::support::now_s();
    world.post("/v1/transactions", &sale("before", now - 60)).await.expect(201);
    world.post("/v1/customers/u-1/archive", &Value::Null).await.expect(200);
    // In the archived time, and, written while it lasts, one of the time before it.
    world.post("/v1/transactions", &sale("within", now + 60)).await.expect(201);
    world.post("/v1/transactions", &sale("earlier", now - 120)).await.expect(201);
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 600)]).await;
    let why = explained(&world, "within").await;
    let words = why["outcome_words"].as_str().unwrap_or_default();
    assert_eq!(words, "It earns nothing: the customer was archived when the sale happened.");
    assert_eq!(world.replay().await["posted"], 0);
    // Once it is active again, sales dated from then on earn.
    world.post("/v1/customers/u-1/revoke-archive", &Value::Null).await.expect(200);
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 900)]).await;
    world.finish().await;
}

async fn a_link_that_is_made_later_finds_purchases_that_named_it(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let start = Plot::new("x").start_s;
    let plot = Plot { client_reference_id: Some("spring-sale".to_owned()), ..plot("named", start) };
    let story = Story { plot, era: Era::Dahlia, subscription: true, partner: Some("BOB") };
    tell(&world, std::slice::from_ref(&story)).await;
    world.expect_totals::<&str>(&[]).await;
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let token = browser.get(&world, &format!("/p/{}/links/new", world.program)).await.token();
    let form = [
        ("form_token", token.as_str()),
        ("partner", "BOB"),
        ("destination", "https://shop.example/spring"),
        ("key", "spring-sale"),
    ];
    let made = browser.post(&world, &format!("/p/{}/links", world.program), &form).await;
    assert_eq!(made.status, 303, "{}", made.body);
    world.settled().await;
    world.expect_totals(&expected(&[story])).await;
    world.finish().await;
}
