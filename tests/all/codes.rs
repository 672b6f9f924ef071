//! Promotion codes of partners as evidence: in every shape and order, against links, on renewals, in two programs.

use crate::support::browser::Browser;
use crate::support::story::{Story, commission, expected};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, Numbers, World, both_engines, eventually};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tributary_stripe::story::{Era, Plot, wrap};

both_engines!(
    a_code_brings_its_owner_the_sale_in_every_era,
    codes_in_any_order_end_in_the_same_books,
    of_a_link_and_a_code_the_policy_says_which_goes_first,
    a_code_on_a_renewal_gives_that_sale_and_does_not_move_the_customer,
    by_sale_a_renewal_earns_only_by_evidence_of_its_own,
    a_code_that_is_given_later_counts_for_earlier_sales_and_taken_away_keeps_them,
    the_form_takes_what_stripe_would_take,
    a_code_that_fits_two_programs_gives_nobody,
    the_first_code_finds_a_purchase_that_just_comes,
    of_three_who_are_given_a_code_at_once_one_has_it,
);

/// The id of a code at Stripe.
fn promo(text: &str) -> String {
    format!("promo_{}", text.to_lowercase().replace('-', ""))
}

fn promotion_code(text: &str, active: bool) -> Value {
    json!({ "id": promo(text), "object": "promotion_code", "code": text, "active": active, "created": 1_779_000_000,
        "livemode": false, "metadata": {}, "promotion": { "type": "coupon", "coupon": "co" } })
}

fn told(text: &str, n: u8) -> Value {
    let type_ = if n == 0 { "promotion_code.created" } else { "promotion_code.updated" };
    let id = format!("evt_{}{n}", promo(text));
    wrap(&id, type_, "2026-03-25.dahlia", 1_779_000_000 + i64::from(n), promotion_code(text, n == 0))
}

/// A discount in the shape that shows its code.
fn discount(text: &str) -> Value {
    json!({ "id": "di_1", "object": "discount", "promotion_code": promo(text), "start": 1_780_000_000,
        "source": { "type": "coupon", "coupon": "co" } })
}

async fn owner(world: &World) -> (Browser, String) {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let token = browser.get(world, &format!("/p/{}/settings", world.program)).await.token();
    (browser, token)
}

async fn id_of(world: &World, key: &str) -> String {
    world.database.text(&format!("SELECT partner_id FROM partner WHERE key = '{key}'")).await
}

/// Gives a code to a partner by the form of its page.
async fn give(world: &World, key: &str, code: &str, promo_id: &str) {
    let (mut browser, token) = owner(world).await;
    let path = format!("/p/{}/partners/{}/codes", world.program, id_of(world, key).await);
    let form = [("form_token", token.as_str()), ("code", code), ("promo_id", promo_id)];
    let answer = browser.post(world, &path, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

/// Puts a discount on the n-th purchase of a story: into its events as their era shows it, and into what Stripe answers.
fn reduce(world: &World, story: &Story, events: &mut [Value], n: u8, code: &str) {
    let purchase = story.plot.purchase(n);
    for event in events.iter_mut() {
        let object = &mut event["data"]["object"];
        let (kind, id) = (object["object"].as_str().unwrap_or_default().to_owned(), object["id"].clone());
        if kind == "invoice" && id == purchase.invoice.as_str() {
            object["discounts"] = json!(["di_1"]);
            object["total_discount_amounts"] = json!([{ "amount": 500, "discount": "di_1" }]);
        }
        if kind == "checkout.session" && n == 1 {
            object["total_details"]["amount_discount"] = json!(500);
            if object.get("discounts").is_some() {
                object["discounts"] = json!([{ "coupon": null, "promotion_code": promo(code) }]);
            }
        }
    }
    let dahlia = Story { era: Era::Dahlia, ..story.clone() };
    for event in dahlia.events() {
        let mut object = event["data"]["object"].clone();
        let kind = object["object"].as_str().unwrap_or_default().to_owned();
        if kind == "invoice" && object["id"] == purchase.invoice.as_str() {
            object["discounts"] = json!([discount(code)]);
            object["total_discount_amounts"] = json!([{ "amount": 500, "discount": "di_1" }]);
            world.stripe.put(object);
        } else if kind == "checkout.session" && n == 1 {
            object["discounts"] = json!([{ "coupon": null, "promotion_code": promo(code) }]);
            object["total_details"]["amount_discount"] = json!(500);
            world.stripe.put(object);
        }
    }
}

/// Nothing waits, and no question to Stripe is open.
async fn at_rest(world: &World) {
    // An event that still waits may raise a question, and an answer may make a sale wait: both at once.
    eventually("all look-ups are answered", Duration::from_secs(40), || async {
        world.settled().await;
        let open = world.database.number("SELECT COUNT(*) FROM job").await;
        (open == 0 && world.unfinished().await == 0).then_some(())
    })
    .await;
}

async fn why(world: &World, id: &str) -> Value {
    world.command(&["explain", id, "--json"], "").await.ok().json()
}

fn quiet(tag: &str) -> Plot {
    Plot { client_reference_id: None, refund: 0, ..Plot::new(tag) }
}

async fn a_code_brings_its_owner_the_sale_in_every_era(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    give(&world, "BOB", "bob-20", "").await;
    give(&world, "ADA", "", &promo("ADA")).await;
    world.stripe.put(promotion_code("BOB-20", true));
    let mut stories = Vec::new();
    for (n, era) in Era::ALL.into_iter().enumerate() {
        let subscription = n % 2 == 0;
        let (partner, code) = if n % 3 == 0 { ("ADA", "ADA") } else { ("BOB", "BOB-20") };
        let plot = quiet(&format!("era{n}"));
        let story = Story { plot, era, subscription, partner: Some(partner) };
        story.put(&world.stripe);
        let mut events = story.events();
        reduce(&world, &story, &mut events, 1, code);
        world.deliver_all(&events).await;
        stories.push(story);
    }
    at_rest(&world).await;
    world.expect_totals(&expected(&stories)).await;
    let first = why(&world, &stories[1].plot.session()).await;
    let because = first["attribution"]["because"].as_str().unwrap_or_default();
    assert_eq!(because, "Attributed by promotion code “BOB-20” of “BOB”.", "{first}");
    let policy = first["attribution"]["policy"].as_str().unwrap_or_default();
    assert!(
        policy.starts_with("Attribution version 1: a click counts 30 days, a link goes before"),
        "{policy}"
    );
    world.finish().await;
}

async fn codes_in_any_order_end_in_the_same_books(engine: Engine) {
    let story =
        |tag: &str, era, subscription, partner| Story { plot: quiet(tag), era, subscription, partner };
    let stories = [
        story("one", Era::Dahlia, true, Some("BOB")),
        story("two", Era::Y2022, true, Some("BOB")),
        story("three", Era::Clover, false, Some("BOB")),
        story("four", Era::Dahlia, true, None),
    ];
    let mut digests = BTreeSet::new();
    for seed in 0..3 {
        let world = World::comparable(engine).await;
        world.partner("BOB").await;
        give(&world, "BOB", "BOB-20", "").await;
        // Stripe itself does not answer what the text of the code is: an event tells.
        let mut events = vec![told("BOB-20", 0), told("BOB-20", 1), told("OTHER", 0)];
        for story in &stories {
            story.put(&world.stripe);
            let mut own = story.events();
            reduce(&world, story, &mut own, 1, if story.partner.is_some() { "BOB-20" } else { "OTHER" });
            events.extend(own);
        }
        if seed > 0 {
            events.extend(events.clone());
            Numbers::new(seed).shuffle(&mut events);
        }
        world.deliver_all(&events).await;
        at_rest(&world).await;
        world.expect_totals(&expected(&stories)).await;
        digests.insert(world.digest().await);
        world.finish().await;
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

/// A click of `ADA` and a code of `BOB` in one purchase, told under a policy.
async fn of_a_link_and_a_code_the_policy_says_which_goes_first(engine: Engine) {
    for code_first in [false, true] {
        let world = World::connected(engine).await;
        world.partner("BOB").await;
        give(&world, "BOB", "BOB-20", &promo("BOB-20")).await;
        let (mut browser, token) = owner(&world).await;
        let form = [
            ("form_token", token.as_str()),
            ("name", "Test program"),
            ("website", "https://shop.example/"),
            ("currency", "usd"),
            ("zone", "UTC"),
            ("parameter", "aff"),
            ("hosts", ""),
            ("payment_hosts", "buy.stripe.com"),
            ("visits", "committed"),
            ("match_email", "true"),
            ("window_days", "30"),
            ("order", if code_first { "code" } else { "link" }),
            ("follow", "customer"),
        ];
        let saved = browser.post(&world, &format!("/p/{}/settings", world.program), &form).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        // The version holds from now on; the purchase is of another day.
        world.database.damage("UPDATE policy SET from_ms = 1 WHERE version = 2").await;
        let plot = Plot { client_reference_id: Some("ADA".into()), ..quiet("both") };
        let partner = Some(if code_first { "BOB" } else { "ADA" });
        let story = Story { plot, era: Era::Dahlia, subscription: true, partner };
        story.put(&world.stripe);
        let mut events = story.events();
        reduce(&world, &story, &mut events, 1, "BOB-20");
        events.reverse();
        world.deliver_all(&events).await;
        at_rest(&world).await;
        // Both the first sale and the renewal: the customer is fixed by the same setting.
        world.expect_totals(&expected(std::slice::from_ref(&story))).await;
        let said = why(&world, &story.plot.session()).await;
        let lost = said["attribution"]["considered"].as_array().expect("evidence");
        let lost: Vec<_> = lost.iter().filter(|piece| piece["verdict"] == "by_setting").collect();
        assert!(!lost.is_empty(), "{said}");
        let policy = said["attribution"]["policy"].as_str().unwrap_or_default();
        let words =
            if code_first { "version 2: a click counts 30 days, a promotion code goes" } else { "version 1" };
        assert!(policy.contains(words), "{policy}");
        world.finish().await;
    }
}

async fn a_code_on_a_renewal_gives_that_sale_and_does_not_move_the_customer(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    give(&world, "BOB", "BOB-20", &promo("BOB-20")).await;
    // ADA's customer uses BOB's code for the renewal; later the discount goes on over a third invoice.
    let plot = Plot { client_reference_id: Some("ADA".into()), ..quiet("renew") };
    let story = Story { plot, era: Era::Dahlia, subscription: true, partner: Some("ADA") };
    story.put(&world.stripe);
    let mut events = story.events();
    reduce(&world, &story, &mut events, 2, "BOB-20");
    let mut third: Vec<Value> = Vec::new();
    let (second, next) = (story.plot.purchase(2), story.plot.purchase(3));
    for event in events.iter().filter(|event| event["created"].as_i64().is_some_and(|at| at >= second.at_s)) {
        let text = event.to_string();
        let text = text.replace(&second.invoice, &next.invoice).replace(&second.charge, &next.charge);
        let text = text.replace(&second.payment_intent, &next.payment_intent);
        let text = text.replace(&second.invoice_payment, &next.invoice_payment).replace("\"evt_", "\"evt_x");
        let text = text.replace(&second.at_s.to_string(), &next.at_s.to_string());
        let text = text.replace(&(second.at_s - 3600).to_string(), &(next.at_s - 3600).to_string());
        let event: Value = serde_json::from_str(&text).expect("JSON");
        third.push(event);
    }
    for event in &third {
        let mut object = event["data"]["object"].clone();
        if object["object"] == "invoice" {
            object["discounts"] = json!([discount("BOB-20")]);
        }
        world.stripe.put(object);
    }
    let all = [third, events].concat();
    world.deliver_all(&all).await;
    at_rest(&world).await;
    let each = commission(10_000, 1, 1);
    world.expect_totals(&[("ADA", "usd", 2 * each), ("BOB", "usd", each)]).await;
    let said = why(&world, &next.invoice).await;
    assert_eq!(said["partner"]["key"], "ADA", "{said}");
    let pieces = said["attribution"]["considered"].as_array().expect("evidence");
    assert!(pieces.iter().any(|piece| piece["verdict"] == "repeated"), "{said}");
    world.finish().await;
}

async fn by_sale_a_renewal_earns_only_by_evidence_of_its_own(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    give(&world, "BOB", "BOB-20", &promo("BOB-20")).await;
    let sql = "INSERT INTO policy (workspace_id, program_id, version, from_ms, window_days, created_at, code_first, \
         per_sale) SELECT workspace_id, program_id, 1, NULL, 30, 1, FALSE, TRUE FROM program";
    world.database.damage(sql).await;
    let story = |tag: &str, partner| Story {
        plot: Plot { client_reference_id: Some("ADA".into()), ..quiet(tag) },
        era: Era::Dahlia,
        subscription: true,
        partner,
    };
    let (bare, coded) = (story("bare", Some("ADA")), story("coded", Some("ADA")));
    for story in [&bare, &coded] {
        story.put(&world.stripe);
        let mut events = story.events();
        if story.plot.tag == "coded" {
            reduce(&world, story, &mut events, 2, "BOB-20");
        }
        world.deliver_all(&events).await;
    }
    at_rest(&world).await;
    let each = commission(10_000, 1, 1);
    world.expect_totals(&[("ADA", "usd", 2 * each), ("BOB", "usd", each)]).await;
    let said = why(&world, &bare.plot.purchase(2).invoice).await;
    assert!(said["partner"].is_null(), "{said}");
    let because = said["attribution"]["because"].as_str().unwrap_or_default();
    assert!(because.contains("every sale needs evidence of its own"), "{because}");
    world.finish().await;
}

async fn a_code_that_is_given_later_counts_for_earlier_sales_and_taken_away_keeps_them(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    world.stripe.put(promotion_code("BOB-20", true));
    let story = |tag: &str, partner| Story { plot: quiet(tag), era: Era::Y2022, subscription: true, partner };
    let before = story("before", Some("BOB"));
    before.put(&world.stripe);
    let mut events = before.events();
    reduce(&world, &before, &mut events, 1, "BOB-20");
    world.deliver_all(&events).await;
    at_rest(&world).await;
    world.expect_totals::<&str>(&[]).await;
    let asked = "SELECT COUNT(*) FROM observation WHERE request IN ('codes_of', 'promotion_code')";
    assert_eq!(world.database.number(asked).await, 0, "while nobody has a code, nobody asks for one");
    // The first code of the program: what was bought before is looked through.
    give(&world, "BOB", "bob-20", "").await;
    at_rest(&world).await;
    world.expect_totals(&expected(std::slice::from_ref(&before))).await;
    assert!(world.database.number(asked).await >= 2);
    // Taken away, and given to ADA: the past stays with BOB.
    let (mut browser, token) = owner(&world).await;
    let bob = id_of(&world, "BOB").await;
    let code_id = world.database.text("SELECT code_id FROM partner_code").await;
    let path = format!("/p/{}/partners/{bob}/codes/{code_id}/remove", world.program);
    assert_eq!(browser.post(&world, &path, &[("form_token", &token)]).await.status, 303);
    give(&world, "ADA", "BOB-20", "").await;
    // A code that is no longer active changes nothing either.
    world.deliver(&told("BOB-20", 1)).await;
    at_rest(&world).await;
    world.expect_totals(&expected(std::slice::from_ref(&before))).await;
    let page = browser.get(&world, &format!("/p/{}/partners/{bob}?tab=codes", world.program)).await;
    assert!(page.body.contains("BOB-20") && page.body.contains("Taken away"), "{}", page.body);
    world.finish().await;
}

async fn the_form_takes_what_stripe_would_take(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    give(&world, "ADA", "ada-20", "").await;
    let (mut browser, token) = owner(&world).await;
    let path = format!("/p/{}/partners/{}/codes", world.program, id_of(&world, "BOB").await);
    for (code, promo_id, words) in [
        ("ADA-20", "", "Another partner has it already"),
        ("ada_20", "", "letters A to Z"),
        ("", "", "Type the code"),
        ("", "di_1", "begins with promo_"),
        ("<script>", "", "letters A to Z"),
    ] {
        let form = [("form_token", token.as_str()), ("code", code), ("promo_id", promo_id)];
        let answer = browser.post(&world, &path, &form).await;
        assert_eq!(answer.status, 422, "{code} {promo_id}");
        assert!(answer.body.contains(words), "{code} {promo_id}: {}", answer.body);
        assert!(!answer.body.contains("<script>"), "what was typed is shown as text");
    }
    let refused = browser.post(&world, &path, &[("form_token", "x"), ("code", "NEW")]).await;
    assert!(matches!(refused.status, 400 | 403), "{refused:?}");
    world.database.damage("UPDATE user_account SET role = 'analyst'").await;
    let (mut browser, token) = owner(&world).await;
    let refused = browser.post(&world, &path, &[("form_token", &token), ("code", "NEW")]).await;
    assert_eq!(refused.status, 403, "an analyst looks on");
    assert_eq!(world.database.number("SELECT COUNT(*) FROM partner_code").await, 1);
}

async fn a_code_that_fits_two_programs_gives_nobody(engine: Engine) {
    let world = World::connected(engine).await;
    let other = world.setup_program("Other program", "usd", "10%").await.ok().json();
    let other_id = other["program_public_id"].as_str().expect("an id");
    world.connect_with(other_id, "sk_test_the_usual_one", Some(&world.secret)).await.ok();
    give(&world, "ADA", "SHARED", &promo("SHARED")).await;
    let sql = format!(
        "INSERT INTO partner (workspace_id, partner_id, program_id, external_id, key, email, name, surname, status, tags, \
         created_at, updated_at) SELECT workspace_id, 'ptr_other', program_id, 'other', 'OTTO', 'otto@partners.example', \
         'Otto', '', 'active', '[]', 1, 1 FROM program WHERE public_id = '{other_id}'; \
         INSERT INTO partner_code (workspace_id, code_id, program_id, partner_id, code, promo_id, created_at) \
         SELECT workspace_id, 'pcd_other', program_id, 'ptr_other', 'SHARED', '', 1 FROM program \
         WHERE public_id = '{other_id}'"
    );
    world.database.damage(&sql).await;
    world.stripe.put(promotion_code("SHARED", true));
    let story = Story { plot: quiet("two"), era: Era::Dahlia, subscription: false, partner: None };
    story.put(&world.stripe);
    let mut events = story.events();
    reduce(&world, &story, &mut events, 1, "SHARED");
    world.deliver_all(&events).await;
    at_rest(&world).await;
    world.expect_totals::<&str>(&[]).await;
    let said = why(&world, &story.plot.session()).await;
    assert_eq!(said["place_reason"], "the promotion code “SHARED” fits two programs equally", "{said}");
    world.finish().await;
}

async fn the_first_code_finds_a_purchase_that_just_comes(engine: Engine) {
    for n in 0..4 {
        let world = World::connected(engine).await;
        world.partner("BOB").await;
        let story = Story {
            plot: quiet(&format!("first{n}")),
            era: Era::Dahlia,
            subscription: false,
            partner: Some("BOB"),
        };
        story.put(&world.stripe);
        let mut events = story.events();
        reduce(&world, &story, &mut events, 1, "BOB-20");
        world.stripe.put(promotion_code("BOB-20", true));
        events.push(told("BOB-20", 0));
        tokio::join!(world.deliver_all(&events), give(&world, "BOB", "BOB-20", ""));
        at_rest(&world).await;
        world.expect_totals(&expected(&[story])).await;
        world.finish().await;
    }
}

async fn of_three_who_are_given_a_code_at_once_one_has_it(engine: Engine) {
    let world = World::connected(engine).await;
    let (browser, token) = owner(&world).await;
    let form = [("form_token", token.as_str()), ("code", "ONE-20"), ("promo_id", "")];
    let mut asked = Vec::new();
    for key in ["ADA", "BOB", "CID"] {
        if key != "ADA" {
            world.partner(key).await;
        }
        asked.push((
            browser.clone(),
            format!("/p/{}/partners/{}/codes", world.program, id_of(&world, key).await),
        ));
    }
    let answers = join_all(asked.iter_mut().map(|(browser, path)| browser.post(&world, path, &form))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422, 422]);
    assert_eq!(world.database.number("SELECT COUNT(*) FROM partner_code").await, 1);
    world.finish().await;
}
