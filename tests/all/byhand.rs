//! Decisions by hand, through the forms of the pages: of a sale, of a customer, and the log that they leave.

use crate::support::browser::{Browser, Page};
use crate::support::story::{Story, commission, expected};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines};
use serde_json::Value;
use tributary_stripe::story::{Era, Plot, wrap};

both_engines!(
    a_sale_that_nobody_brought_is_given_to_a_partner_and_taken_back,
    a_customers_sales_go_to_a_partner_from_a_day_on_or_all,
    what_is_decided_of_a_customer_follows_its_key,
    what_is_decided_of_a_part_holds_for_the_whole_purchase,
    a_decision_needs_a_reason_a_partner_and_the_right_to_decide,
    the_audit_log_tells_who_what_and_why,
);

struct Hand<'w> {
    world: &'w World,
    browser: Browser,
    token: String,
}

impl<'w> Hand<'w> {
    async fn of(world: &'w World) -> Self {
        let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
        let token = browser.get(world, &format!("/p/{}/settings", world.program)).await.token();
        Self { world, browser, token }
    }

    async fn send(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let form = [&[("form_token", self.token.as_str())], form].concat();
        self.browser.post(self.world, &format!("/p/{}/{path}", self.world.program), &form).await
    }

    async fn sale(&mut self, id: &str, decision: &str, partner: &str) {
        let form = [("decision", decision), ("partner", partner), ("reason", "as agreed by phone")];
        let answer = self.send(&format!("transactions/{id}/decide"), &form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.world.settled().await;
    }

    async fn get(&mut self, path: &str) -> Page {
        self.browser.get(self.world, &format!("/p/{}/{path}", self.world.program)).await
    }
}

fn story(tag: &str, subscription: bool, partner: Option<&'static str>) -> Story {
    let reference = partner.map(str::to_owned);
    let plot = Plot { client_reference_id: reference, refund: 0, ..Plot::new(tag) };
    Story { plot, era: Era::Dahlia, subscription, partner }
}

async fn tell(world: &World, stories: &[Story]) {
    for story in stories {
        story.put(&world.stripe);
        world.deliver_all(&story.events()).await;
    }
    world.settled().await;
}

async fn why(world: &World, id: &str) -> Value {
    world.command(&["explain", id, "--json"], "").await.ok().json()
}

async fn a_sale_that_nobody_brought_is_given_to_a_partner_and_taken_back(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let (bare, owned) = (story("bare", false, None), story("owned", true, Some("ADA")));
    tell(&world, &[bare.clone(), owned.clone()]).await;
    world.expect_totals(&expected(std::slice::from_ref(&owned))).await;
    let mut hand = Hand::of(&world).await;
    let session = bare.plot.session();
    let page = hand.get(&format!("transactions/{session}/decide")).await;
    assert_eq!(page.status, 200, "{page:?}");
    // By a part of the name; the sale had no customer at all.
    hand.sale(&session, "give", "bob").await;
    let each = commission(10_000, 1, 1);
    world.expect_totals(&[("ADA", "usd", 2 * each), ("BOB", "usd", each)]).await;
    let said = why(&world, &session).await;
    let because = said["attribution"]["because"].as_str().unwrap_or_default();
    assert!(because.starts_with("owner@example.com gave this sale to this partner on "), "{because}");
    assert!(because.ends_with(": “as agreed by phone”."), "{because}");
    world.replay().await;
    // Given to somebody else, to nobody, and back to what the evidence says.
    hand.sale(&session, "give", "ada@partners.example").await;
    world.expect_totals(&[("ADA", "usd", 3 * each)]).await;
    let renewal = owned.plot.purchase(2).invoice;
    hand.sale(&renewal, "nobody", "").await;
    world.expect_totals(&[("ADA", "usd", 2 * each)]).await;
    hand.sale(&renewal, "evidence", "").await;
    hand.sale(&session, "evidence", "").await;
    world.expect_totals(&[("ADA", "usd", 2 * each)]).await;
    hand.sale(&renewal, "void", "").await;
    world.expect_totals(&[("ADA", "usd", each)]).await;
    hand.sale(&renewal, "unvoid", "").await;
    world.expect_totals(&[("ADA", "usd", 2 * each)]).await;
    // The same events again change nothing of what was decided.
    hand.sale(&renewal, "give", "BOB").await;
    world.deliver_all(&owned.events()).await;
    world.expect_totals(&[("ADA", "usd", each), ("BOB", "usd", each)]).await;
    world.finish().await;
}

async fn a_customers_sales_go_to_a_partner_from_a_day_on_or_all(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let story = story("moved", true, Some("ADA"));
    tell(&world, std::slice::from_ref(&story)).await;
    let mut hand = Hand::of(&world).await;
    let customer = world.database.text("SELECT customer_id FROM customer").await;
    let path = format!("customers/{customer}/partner");
    assert_eq!(hand.get(&path).await.status, 200);
    let each = commission(10_000, 1, 1);
    // Between the first purchase (28 May 2026) and the renewal a month later.
    let form = [("decision", "give"), ("partner", "BOB"), ("from", "2026-06-10"), ("reason", "moved to Bob")];
    assert_eq!(hand.send(&path, &form).await.status, 303);
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", each), ("BOB", "usd", each)]).await;
    let said = why(&world, &story.plot.purchase(2).invoice).await;
    let because = said["attribution"]["because"].as_str().unwrap_or_default();
    assert!(because.contains("gave the customer to this partner"), "{because}");
    world.replay().await;
    belongs_to(&world, &mut hand, &customer, Some("BOB")).await;
    let form = [("decision", "nobody"), ("from", ""), ("reason", "a mistake")];
    assert_eq!(hand.send(&path, &form).await.status, 303);
    world.settled().await;
    belongs_to(&world, &mut hand, &customer, None).await;
    world.expect_totals::<&str>(&[]).await;
    let page = hand.get(&format!("customers/{customer}")).await;
    for words in ["By a decision", "Why nobody", "moved to Bob", "a mistake"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    // What is decided of a sale goes before what is decided of its customer.
    hand.sale(&story.plot.purchase(1).invoice, "give", "BOB").await;
    world.expect_totals(&[("BOB", "usd", each)]).await;
    let form = [("decision", "evidence"), ("from", ""), ("reason", "all as before")];
    assert_eq!(hand.send(&path, &form).await.status, 303);
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", each), ("BOB", "usd", each)]).await;
    belongs_to(&world, &mut hand, &customer, Some("ADA")).await;
    // What is decided for a day to come changes nothing yet.
    let form = [("decision", "give"), ("partner", "BOB"), ("from", "2099-01-01"), ("reason", "one day")];
    assert_eq!(hand.send(&path, &form).await.status, 303);
    belongs_to(&world, &mut hand, &customer, Some("ADA")).await;
    let wrong = hand.send(&path, &[("decision", "nobody"), ("from", "soon"), ("reason", "x")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("Type a day"), "{}", wrong.body);
    world.finish().await;
}

/// The lists of customers, on the pages and by the API, name the partner whose customer it is now.
async fn belongs_to(world: &World, hand: &mut Hand<'_>, customer: &str, key: Option<&str>) {
    let said = world.get(&format!("/v1/customers/{customer}")).await.expect(200);
    let external = match key {
        Some(key) => {
            Some(world.database.text(&format!("SELECT external_id FROM partner WHERE key = '{key}'")).await)
        }
        None => None,
    };
    assert_eq!(said.data()["partner"].as_str(), external.as_deref(), "{}", said.json);
    for partner in ["ADA", "BOB"] {
        let listed = world.get(&format!("/v1/customers?partner.key={partner}")).await.expect(200);
        let many = listed.data().as_array().expect("a list").len();
        assert_eq!(many, usize::from(key == Some(partner)), "{partner}: {}", listed.json);
        let id =
            world.database.text(&format!("SELECT partner_id FROM partner WHERE key = '{partner}'")).await;
        let page = hand.get(&format!("customers?partner={id}")).await;
        assert_eq!(page.body.contains(customer), key == Some(partner), "{partner}: {}", page.body);
    }
    let nobodys = hand.get("customers?state=nobody").await;
    assert_eq!(nobodys.body.contains(customer), key.is_none(), "{}", nobodys.body);
}

/// By a call that changes the key, and by a key that travels along with a later purchase.
async fn what_is_decided_of_a_customer_follows_its_key(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let (renamed, told_late) = (story("renamed", true, Some("ADA")), story("late", true, Some("ADA")));
    tell(&world, &[renamed.clone(), told_late.clone()]).await;
    let mut hand = Hand::of(&world).await;
    for key in ["stripe_cus_renamed", "stripe_cus_late"] {
        let id = world.database.text(&format!("SELECT customer_id FROM customer WHERE key = '{key}'")).await;
        let form =
            [("decision", "give"), ("partner", "BOB"), ("from", ""), ("reason", "Bob's from the start")];
        assert_eq!(hand.send(&format!("customers/{id}/partner"), &form).await.status, 303, "{key}");
    }
    world.settled().await;
    let each = commission(10_000, 1, 1);
    world.expect_totals(&[("BOB", "usd", 4 * each)]).await;
    let change = serde_json::json!({ "key": "user-1" });
    world.put("/v1/customers/stripe_cus_renamed", &change).await.expect(200);
    let mut customer = told_late.events()[0]["data"]["object"].clone();
    customer["metadata"] = serde_json::json!({ "customer_key": "user-2" });
    let at = told_late.plot.start_s + 86_400;
    world.deliver(&wrap("evt_late99", "customer.updated", "2026-03-25.dahlia", at, customer)).await;
    world.settled().await;
    let keys = world.database.column(
        "SELECT DISTINCT c.key FROM sale s JOIN customer c ON c.customer_id = s.customer_id ORDER BY 1",
    );
    assert_eq!(keys.await, ["user-1", "user-2"]);
    world.expect_totals(&[("BOB", "usd", 4 * each)]).await;
    world.finish().await;
}

/// A decision on a charge that turns out to belong to an invoice moves with it.
async fn what_is_decided_of_a_part_holds_for_the_whole_purchase(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let mut story = story("joined", true, Some("ADA"));
    story.era = Era::Y2022;
    story.put(&world.stripe);
    let events = story.events();
    let purchase = story.plot.purchase(1);
    let (charges, rest): (Vec<Value>, Vec<Value>) = events.into_iter().partition(|event| {
        let object = &event["data"]["object"];
        object["id"] == purchase.charge.as_str() && event["type"] == "charge.succeeded"
    });
    // Some senders leave the invoice out: at first it is a sale of its own.
    let mut bare = charges[0].clone();
    bare["data"]["object"]["invoice"] = Value::Null;
    bare["data"]["object"]["payment_intent"] = Value::Null;
    world.deliver(&bare).await;
    world.settled().await;
    let mut hand = Hand::of(&world).await;
    hand.sale(&purchase.charge, "give", "BOB").await;
    let each = commission(12_000, 1, 1);
    world.expect_totals(&[("BOB", "usd", each)]).await;
    world.deliver_all(&rest).await;
    world.settled().await;
    let each = commission(10_000, 1, 1);
    world.expect_totals(&[("ADA", "usd", each), ("BOB", "usd", each)]).await;
    world.finish().await;
}

async fn a_decision_needs_a_reason_a_partner_and_the_right_to_decide(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("ADAM").await;
    let story = story("one", false, Some("ADA"));
    tell(&world, std::slice::from_ref(&story)).await;
    let mut hand = Hand::of(&world).await;
    let path = format!("transactions/{}/decide", story.plot.session());
    for (decision, partner, reason, words) in [
        ("give", "ADA", "", "Type a reason"),
        ("give", "", "why", "Type whom"),
        ("give", "nobody-has-this", "why", "No partner fits"),
        ("give", "partners.example", "why", "Several partners fit"),
        ("", "", "why", "Choose what is decided"),
        ("delete", "", "why", "Choose what is decided"),
    ] {
        let answer =
            hand.send(&path, &[("decision", decision), ("partner", partner), ("reason", reason)]).await;
        assert_eq!(answer.status, 422, "{decision} {partner}");
        assert!(answer.body.contains(words), "{decision} {partner}: {}", answer.body);
    }
    let form = [("decision", "nobody"), ("reason", "why")];
    let foreign = hand.send("transactions/in_nobody/decide", &form).await;
    assert_eq!(foreign.status, 404);
    let token = std::mem::replace(&mut hand.token, "wrong".to_owned());
    let refused = hand.send(&path, &form).await;
    assert!(matches!(refused.status, 400 | 403), "{refused:?}");
    hand.token = token;
    world.database.damage("UPDATE user_account SET role = 'analyst'").await;
    let mut hand = Hand::of(&world).await;
    assert_eq!(hand.send(&path, &form).await.status, 403);
    assert_eq!(hand.get(&path).await.status, 403);
    let page = hand.get(&format!("transactions/{}", story.plot.session())).await;
    assert!(page.status == 200 && !page.body.contains("/decide"), "an analyst is not led there");
    assert_eq!(world.database.number("SELECT COUNT(*) FROM decision").await, 0);
    world.expect_totals(&expected(std::slice::from_ref(&story))).await;
}

async fn the_audit_log_tells_who_what_and_why(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let story = story("log", false, Some("ADA"));
    tell(&world, std::slice::from_ref(&story)).await;
    let mut hand = Hand::of(&world).await;
    hand.sale(&story.plot.session(), "give", "BOB").await;
    hand.sale(&story.plot.session(), "nobody", "").await;
    let key = world.database.text("SELECT key FROM customer").await;
    let change = serde_json::json!({ "partner": { "key": "BOB" } });
    world.put(&format!("/v1/customers/{key}"), &change).await.expect(200);
    world.delete(&format!("/v1/transactions/{}", story.plot.session())).await.expect(200);
    let page = hand.get("settings/audit").await;
    assert_eq!(page.status, 200, "{page:?}");
    for words in ["owner@example.com", "as agreed by phone", "The API key key_", "Voided", "Attributed"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let csv = hand.get("settings/audit.csv?action=attribute").await;
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!(lines.len(), 4, "{}", csv.body);
    assert!(lines[0].starts_with("at,mode,actor,action,subject,before,after,reason"), "{}", lines[0]);
    let root = world.database.text("SELECT root_id FROM sale WHERE merged_into IS NULL").await;
    let told = format!("test,user:owner@example.com,attribute,{root},BOB,nobody,as agreed by phone");
    assert!(lines.iter().any(|line| line.ends_with(&told)), "{}", csv.body);
    let found = hand.get("settings/audit?q=nothing-like-this").await;
    assert!(found.body.contains("Nothing fits"), "{}", found.body);
    // Another program sees nothing of it, only what holds for the whole workspace.
    let other = world.setup_program("Other program", "usd", "10%").await.ok().json();
    let other = other["program_public_id"].as_str().expect("an id").to_owned();
    let page = hand.browser.get(&world, &format!("/p/{other}/settings/audit")).await;
    assert!(!page.body.contains("as agreed by phone") && !page.body.contains("Voided"), "{}", page.body);
    assert!(page.body.contains("Stripe connection"), "{}", page.body);
    world.finish().await;
}
