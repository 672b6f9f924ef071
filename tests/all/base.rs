//! What counts, as a program chooses it: tax, shipping, Stripe's fee, money past Stripe, and products with rules of their
//! own. Versioned, asked of Stripe where needed, and shown by Explain.

use crate::missed::KEY;
use crate::support::browser::Browser;
use crate::support::sandbox::Sandbox;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines};
use serde_json::{Value, json};

both_engines!(
    tax_shipping_and_the_fee_count_as_the_terms_say,
    what_came_past_stripe_is_asked_for_where_no_event_says_it,
    products_earn_by_their_own_rules,
    the_choice_is_a_version_and_earlier_sales_keep_theirs,
);

/// A world whose first terms say what counts, on a sandbox, with the partner `ADA`.
async fn with_terms(engine: Engine, more: &[&str]) -> (World, Sandbox) {
    let (world, sandbox) = not_connected(engine, more).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    (world, sandbox)
}

async fn not_connected(engine: Engine, more: &[&str]) -> (World, Sandbox) {
    let mut world = World::empty(engine).await;
    let sandbox = Sandbox::start(&mut world).await;
    let mut arguments = vec![
        "setup",
        "--email",
        EMAIL,
        "--password-stdin",
        "--program",
        "Test program",
        "--kind",
        "affiliate",
        "--currency",
        "usd",
        "--website",
        "https://shop.example",
        "--commission",
        "30%",
        "--json",
    ];
    arguments.extend(more);
    let said = world.command(&arguments, &format!("{PASSWORD}\n")).await.ok().json();
    world.program = said["program_public_id"].as_str().expect("an id").to_owned();
    world.api_key = said["api_key"].as_str().expect("a key").to_owned();
    world.serve().await;
    world.partner("ADA").await;
    (world, sandbox)
}

/// Plays a story without waiting for what the usual terms would bring. Answers the one charge.
async fn play(world: &World, sandbox: &Sandbox, story: &str) -> Value {
    let told = sandbox.control(&format!("stories/{story}"), &json!({ "partner_key": "ADA" })).await;
    sandbox.control("delivery/flush", &json!({})).await;
    world.settled().await;
    let charges = sandbox.stripe(KEY, "GET", "charges?limit=1&expand[]=data.balance_transaction", &[]).await;
    let newest = charges.expect(200).json["data"][0].clone();
    assert!(told["failed"].is_null(), "{told}");
    newest
}

async fn explained(world: &World, id: &str) -> Value {
    world.command(&["explain", id, "--json"], "").await.ok().json()
}

/// 30 %, halves to the even number.
fn share(base: i64) -> i64 {
    let (whole, rest) = (base * 3 / 10, base * 3 % 10);
    whole + i64::from(rest > 5 || (rest == 5 && whole % 2 == 1))
}

async fn tax_shipping_and_the_fee_count_as_the_terms_say(engine: Engine) {
    // 100.00, 7.00 for the post, and 20 % tax on top; `on_shipping` of the tax is on the post.
    for more in [
        &["--include-tax", "--include-shipping"][..],
        &["--include-tax"],
        &["--include-shipping"],
        &["--exclude-fee"],
        &["--include-tax", "--include-shipping", "--exclude-fee"],
    ] {
        let (world, sandbox) = with_terms(engine, more).await;
        let charge = play(&world, &sandbox, "shipping_tax").await;
        let has = |flag: &str| more.contains(&flag);
        let number = |value: &Value| value.as_i64().unwrap_or_else(|| panic!("no number: {value}"));
        let list = sandbox.stripe(KEY, "GET", "checkout/sessions?limit=1", &[]).await.expect(200).json;
        let session = &list["data"][0];
        let (total, tax) =
            (number(&session["amount_total"]), number(&session["total_details"]["amount_tax"]));
        let (shipping, fee) = (700, number(&charge["balance_transaction"]["fee"]));
        let on_shipping = session["shipping_cost"]["amount_tax"].as_i64().unwrap_or(0);
        assert!(tax > 0 && fee > 0 && total == number(&charge["amount"]), "{session} {charge}");
        let mut base = total;
        if !has("--include-tax") {
            base -= tax;
        }
        if !has("--include-shipping") {
            base -= shipping + if has("--include-tax") { on_shipping } else { 0 };
        }
        if has("--exclude-fee") {
            base -= fee;
        }
        world.expect_totals(&[("ADA", "usd", share(base))]).await;
        let id = charge["id"].as_str().expect("an id");
        let why = explained(&world, id).await;
        let trace = &why["target"]["trace"];
        assert_eq!(trace["base"], json!(base.to_string()), "{more:?}: {trace}");
        let sentence = trace["terms_sentence"].as_str().expect("a sentence");
        for (flag, words) in [
            ("--include-tax", "tax counts"),
            ("--include-shipping", "shipping counts"),
            ("--exclude-fee", "Stripe's fee does not count"),
        ] {
            assert_eq!(sentence.contains(words), has(flag), "{more:?}: {sentence}");
        }
        assert_eq!(trace["fee"] == json!(fee.to_string()), has("--exclude-fee"), "{trace}");
        let asked = world.database.number("SELECT COUNT(*) FROM observation WHERE request = 'fee_of'").await;
        assert_eq!(
            asked > 0,
            has("--exclude-fee"),
            "the fee is asked for where the terms look at it, and only there"
        );
        world.finish().await;
        sandbox.stop().await;
    }
    // Paid by bank transfer: it counts, unless the terms leave it out.
    let (world, sandbox) = with_terms(engine, &["--exclude-off-stripe"]).await;
    play(&world, &sandbox, "out_of_band").await;
    let root = world.database.text("SELECT root_id FROM sale WHERE state = 'paid'").await;
    let why = explained(&world, &root).await;
    assert_eq!(why["target"]["outcome"], "paid_off_stripe", "{why}");
    world.expect_totals::<&str>(&[]).await;
    world.finish().await;
    sandbox.stop().await;
}

/// Takes a word out of an object and of all that it holds.
fn without(value: &mut Value, word: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(word);
            fields.values_mut().for_each(|inner| without(inner, word));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| without(item, word)),
        _ => {}
    }
}

/// A merchant's own endpoint of a version between basil and clover: no event says what was paid past Stripe.
async fn what_came_past_stripe_is_asked_for_where_no_event_says_it(engine: Engine) {
    for (excluded, story, earns) in
        [(true, "out_of_band", false), (false, "out_of_band", true), (true, "credit_note", true)]
    {
        let more: &[&str] = if excluded { &["--exclude-off-stripe"] } else { &[] };
        let (world, sandbox) = not_connected(engine, more).await;
        world.connect_with(&world.program, KEY, Some(&world.secret)).await.ok();
        let told = sandbox.control(&format!("stories/{story}"), &json!({ "partner_key": "ADA" })).await;
        assert!(told["failed"].is_null(), "{told}");
        let mut invoice = String::new();
        let list = sandbox.stripe(KEY, "GET", "events?limit=100", &[]).await.expect(200).json;
        for event in list["data"].as_array().expect("events").iter().rev() {
            let mut event = event.clone();
            event["api_version"] = json!("2025-09-30.clover");
            without(&mut event, "amount_paid_off_stripe");
            without(&mut event, "paid_out_of_band");
            // What paid it is not told either: the invoice stands alone, as where only its events are subscribed to.
            if event["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("invoice.") || kind.starts_with("customer."))
            {
                without(&mut event, "payments");
                world.deliver(&event).await;
            }
            if event["type"] == "invoice.paid" {
                event["data"]["object"]["id"].as_str().expect("an id").clone_into(&mut invoice);
            }
        }
        world.settled().await;
        let why = explained(&world, &invoice).await;
        let outcome = if earns { "earns" } else { "paid_off_stripe" };
        assert_eq!(why["target"]["outcome"], outcome, "{story} excluded: {excluded}: {why}");
        let waiting =
            world.database.number("SELECT COUNT(*) FROM sale WHERE awaiting_since IS NOT NULL").await;
        assert_eq!(waiting, 0, "{story}");
        let asked = "SELECT COUNT(*) FROM observation WHERE request = 'invoice'";
        assert_eq!(
            world.database.number(asked).await > 0,
            excluded,
            "{story}: asked where the terms look at it"
        );
        world.finish().await;
        sandbox.stop().await;
    }
}

async fn products_earn_by_their_own_rules(engine: Engine) {
    let rules =
        ["--product", "prod_half=15%", "--product", "prod_gift=nothing", "--product", "prod_flat=2.00 usd"];
    let (world, sandbox) = with_terms(engine, &rules).await;
    let mut prices = Vec::new();
    for (product, amount) in
        [("prod_half", "10000"), ("prod_gift", "5000"), ("prod_flat", "3000"), ("prod_else", "999")]
    {
        sandbox.stripe(KEY, "POST", "products", &[("id", product), ("name", product)]).await.expect(200);
        let form = [("product", product), ("unit_amount", amount), ("currency", "usd")];
        let made = sandbox.stripe(KEY, "POST", "prices", &form).await.expect(200);
        prices.push(made.json["id"].as_str().expect("an id").to_owned());
    }
    // By checkout: its lines are asked for. By invoice: they stand in it.
    let mut form =
        vec![("mode", "payment"), ("client_reference_id", "ADA"), ("success_url", "http://127.0.0.1/t")];
    let names: Vec<(String, String)> =
        (0..4).map(|n| (format!("line_items[{n}][price]"), format!("line_items[{n}][quantity]"))).collect();
    for ((name, quantity), price) in names.iter().zip(&prices) {
        form.extend([(name.as_str(), price.as_str()), (quantity.as_str(), "1")]);
    }
    let session = sandbox.stripe(KEY, "POST", "checkout/sessions", &form).await.expect(200).json;
    let session = session["id"].as_str().expect("an id").to_owned();
    let body = json!({ "email": "lines@buyer.example", "name": "Lin" });
    sandbox.control(&format!("checkout/sessions/{session}/pay"), &body).await;
    let form = [("email", "inv@buyer.example"), ("metadata[partner_key]", "ADA")];
    let customer = sandbox.stripe(KEY, "POST", "customers", &form).await.expect(200).json;
    let customer = customer["id"].as_str().expect("an id").to_owned();
    for price in &prices {
        let item = [("customer", customer.as_str()), ("pricing[price]", price.as_str())];
        sandbox.stripe(KEY, "POST", "invoiceitems", &item).await.expect(200);
    }
    let form = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
    let made = sandbox.stripe(KEY, "POST", "invoices", &form).await.expect(200).json;
    let invoice = made["id"].as_str().expect("an id").to_owned();
    sandbox.stripe(KEY, "POST", &format!("invoices/{invoice}/finalize"), &[]).await.expect(200);
    sandbox.stripe(KEY, "POST", &format!("invoices/{invoice}/pay"), &[]).await.expect(200);
    sandbox.control("delivery/flush", &json!({})).await;
    world.settled().await;
    // 15.00 + 0 + 2.00 + 2.997, rounded once.
    let each = 1_500 + 200 + 300;
    world.expect_totals(&[("ADA", "usd", 2 * each)]).await;
    for id in [&session, &invoice] {
        let why = explained(&world, id).await;
        let lines = why["target"]["trace"]["lines"].as_array().expect("lines").clone();
        let sum: i64 = lines.iter().map(|line| line["earned"].as_i64().expect("a number")).sum();
        assert_eq!((lines.len(), sum), (4, each), "{why}");
        let of = |product: &str| {
            let line = lines.iter().find(|line| line["product"] == product);
            line.unwrap_or_else(|| panic!("no {product}: {why}"))["earned"].as_i64().expect("a number")
        };
        assert_eq!(
            (of("prod_half"), of("prod_gift"), of("prod_flat"), of("prod_else")),
            (1_500, 0, 200, 300)
        );
    }
    world.finish().await;
    sandbox.stop().await;
}

async fn the_choice_is_a_version_and_earlier_sales_keep_theirs(engine: Engine) {
    let (world, sandbox) = with_terms(engine, &[]).await;
    let before = play(&world, &sandbox, "shipping_tax").await;
    world.expect_totals(&[("ADA", "usd", 3_000)]).await;
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/settings/terms", world.program);
    let page = browser.get(&world, &path).await;
    assert!(
        page.body.contains("Tax counts") && page.body.contains("Leave out what Stripe keeps"),
        "{}",
        page.body
    );
    let token = page.token();
    let usual = [
        ("form_token", token.as_str()),
        ("reward", "percent"),
        ("value", "30"),
        ("span", "lifetime"),
        ("count", ""),
        ("hold_days", "30"),
    ];
    let mut wrong = usual.to_vec();
    wrong.push(("products", "prod_a 12%\nprod_a 13%"));
    let refused = browser.post(&world, &path, &wrong).await;
    assert!(refused.status == 422 && refused.body.contains("stands twice"), "{}", refused.body);
    let mut chosen = usual.to_vec();
    chosen.extend([("include_tax", "true"), ("include_shipping", "true"), ("exclude_fee", "true")]);
    assert_eq!(browser.post(&world, &path, &chosen).await.status, 303);
    let page = browser.get(&world, &path).await;
    assert!(page.body.contains("tax counts, shipping counts, Stripe"), "{}", page.body);
    // The sandbox's clock is behind the browser's: a sale from now on is one of tomorrow.
    let ahead = crate::support::now_s() - sandbox.look("state").await["now"].as_i64().unwrap_or(0) + 86_400;
    sandbox.control("clock/advance", &json!({ "seconds": ahead.max(86_400) })).await;
    let after = play(&world, &sandbox, "shipping_tax").await;
    let number = |value: &Value| value.as_i64().unwrap_or_else(|| panic!("no number: {value}"));
    let base = number(&after["amount"]) - number(&after["balance_transaction"]["fee"]);
    world.expect_totals(&[("ADA", "usd", 3_000 + share(base))]).await;
    for (charge, version) in [(&before, 1), (&after, 2)] {
        let why = explained(&world, charge["id"].as_str().expect("an id")).await;
        assert_eq!(why["target"]["trace"]["terms_version"], version, "{why}");
    }
    let shown = format!("/p/{}/transactions/{}", world.program, after["id"].as_str().expect("an id"));
    let page = browser.get(&world, &shown).await;
    assert!(page.body.contains("fee"), "{}", page.body);
    world.finish().await;
    sandbox.stop().await;
}
