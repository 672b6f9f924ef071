//! Traps in which others were caught: each is told as Stripe tells it, and ends in the money that it must. docs/STRIPE.md lists
//! them.

use crate::support::books::minor;
use crate::support::story::{Story, commission, half_even};
use crate::support::webhook::{print, sign};
use crate::support::{Engine, World, both_engines, eventually, now_s};
use futures_util::{StreamExt as _, stream};
use num_bigint::BigInt;
use num_rational::Ratio;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tributary_stripe::story::{Era, Objects, Plot, wrap};

both_engines!(
    nothing_paid_earns_nothing_until_the_first_paid_cycle,
    an_upgrade_earns_what_is_paid_and_a_credit_reverses_nothing,
    an_annual_plan_earns_its_whole_price_once,
    tax_shipping_and_balances_leave_what_was_paid_without_them,
    currencies_keep_their_digits_and_are_never_added,
    adaptive_pricing_is_counted_as_the_session_says,
    an_event_that_comes_again_after_eight_days_counts_once,
    two_partial_refunds_before_and_after_the_hold,
    a_deleted_customer_keeps_the_ledger,
    a_suspension_takes_nothing_of_earlier_sales,
    each_mode_has_its_own_books_on_one_endpoint,
    a_flood_of_forged_events_keeps_no_real_one_out,
);

const VERSION: &str = "2026-03-25.dahlia";

/// Puts fields into an object.
fn changed(mut object: Value, change: &Value) -> Value {
    if let (Value::Object(object), Value::Object(change)) = (&mut object, change) {
        object.extend(change.clone());
    }
    object
}

/// The n-th invoice of a plot as one event, with some of its fields changed.
fn invoice(plot: &Plot, n: u8, change: &Value) -> Value {
    let purchase = plot.purchase(n);
    let object = Objects { era: Era::Dahlia, plot }.invoice(&purchase);
    wrap(
        &format!("evt_{}_in{n}", plot.tag),
        "invoice.paid",
        VERSION,
        purchase.at_s + 1,
        changed(object, change),
    )
}

/// The session of a plot as one event, with some of its fields changed.
fn session(plot: &Plot, subscription: bool, change: &Value) -> Value {
    let purchase = plot.purchase(1);
    let object = Objects { era: Era::Dahlia, plot }.session(&purchase, subscription);
    let type_ = "checkout.session.completed";
    wrap(&format!("evt_{}_cs", plot.tag), type_, VERSION, purchase.at_s + 2, changed(object, change))
}

/// An amount of which a share was paid, at the usual rate.
fn share(net: i64, paid: i64, total: i64) -> i64 {
    let number = |n: i64| Ratio::from_integer(BigInt::from(n));
    half_even(&(number(net) * number(paid) / number(total) * number(3) / number(10)))
}

async fn told(world: &World, events: &[Value]) {
    world.deliver_all(events).await;
    world.settled().await;
}

async fn nothing_paid_earns_nothing_until_the_first_paid_cycle(engine: Engine) {
    let world = World::connected(engine).await;
    let nothing = json!({ "payment_status": "no_payment_required", "amount_total": 0, "amount_subtotal": 0,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 } });
    let free = json!({ "total": 0, "subtotal": 0, "total_excluding_tax": 0, "amount_due": 0, "amount_paid": 0,
        "total_taxes": [] });
    let coupon = changed(
        free.clone(),
        &json!({ "subtotal": 10_000, "total_discount_amounts": [{ "amount": 10_000, "discount": "di_1" }] }),
    );
    let (trial, given) = (Plot::new("trial"), Plot::new("given"));
    let begin = [
        session(&trial, true, &nothing),
        invoice(&trial, 1, &free),
        session(&given, true, &nothing),
        invoice(&given, 1, &coupon),
    ];
    told(&world, &begin).await;
    world.expect_totals::<&str>(&[]).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM sale WHERE state = 'paid'").await, 0);
    // The same again changes nothing; then the first cycle that is paid is the first sale, for whoever brought the trial.
    told(&world, &begin).await;
    told(&world, &[invoice(&trial, 2, &json!({})), invoice(&given, 2, &json!({}))]).await;
    world.expect_totals(&[("ADA", "usd", 6000)]).await;
    world.finish().await;
}

async fn an_upgrade_earns_what_is_paid_and_a_credit_reverses_nothing(engine: Engine) {
    let world = World::connected(engine).await;
    let plot = Plot::new("plan");
    let line = |id: &str, amount: i64| json!({ "id": id, "object": "line_item", "amount": amount, "currency": "usd" });
    // Up in the middle of the month: the rest of the new price, less the rest of the old one.
    let up = json!({ "billing_reason": "subscription_update", "total": 3000, "subtotal": 3000, "amount_due": 3000,
        "total_excluding_tax": 3000, "amount_paid": 3000, "total_taxes": [],
        "lines": { "object": "list", "has_more": false, "data": [line("il_1", 5000), line("il_2", -2000)] } });
    // Down: the credit is more than the rest of the new price. It goes to the balance, and nothing is paid.
    let down = json!({ "billing_reason": "subscription_update", "total": -1500, "subtotal": -1500, "amount_due": 0,
        "total_excluding_tax": -1500, "amount_paid": 0, "ending_balance": -1500, "total_taxes": [],
        "lines": { "object": "list", "has_more": false, "data": [line("il_3", 1000), line("il_4", -2500)] } });
    // The next month brings less, by what lay in the balance.
    let next = json!({ "starting_balance": -1500, "ending_balance": 0, "amount_due": 10_500, "amount_paid": 10_500 });
    told(&world, &[session(&plot, true, &json!({})), invoice(&plot, 1, &json!({}))]).await;
    world.expect_totals(&[("ADA", "usd", 3000)]).await;
    told(&world, &[invoice(&plot, 2, &up)]).await;
    world.expect_totals(&[("ADA", "usd", 3000 + 900)]).await;
    told(&world, &[invoice(&plot, 3, &down)]).await;
    world.expect_totals(&[("ADA", "usd", 3000 + 900)]).await;
    told(&world, &[invoice(&plot, 4, &next)]).await;
    world.expect_totals(&[("ADA", "usd", 3000 + 900 + share(10_000, 10_500, 12_000))]).await;
    world.finish().await;
}

async fn an_annual_plan_earns_its_whole_price_once(engine: Engine) {
    let world = World::connected(engine).await;
    let plot = Plot { total: 120_000, tax: 20_000, ..Plot::new("year") };
    let (from, until) = (plot.start_s, plot.start_s + 365 * 86_400);
    let year = json!({ "lines": { "object": "list", "has_more": false, "data": [{ "id": "il_y", "object": "line_item",
        "amount": 100_000, "currency": "usd", "period": { "start": from, "end": until } }] } });
    let events = [session(&plot, true, &json!({})), invoice(&plot, 1, &year)];
    told(&world, &events).await;
    told(&world, &events).await;
    world.expect_totals(&[("ADA", "usd", 30_000)]).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM commission WHERE target > 0").await, 1);
    world.finish().await;
}

async fn tax_shipping_and_balances_leave_what_was_paid_without_them(engine: Engine) {
    let world = World::connected(engine).await;
    let lines = |inclusive: bool| {
        json!({ "object": "list", "has_more": false, "data": [{ "id": "il_1", "object": "line_item",
        "amount": if inclusive { 12_000 } else { 10_000 }, "currency": "usd",
        "taxes": [{ "amount": 2000, "tax_behavior": if inclusive { "inclusive" } else { "exclusive" } }] }] })
    };
    // Field, what is changed, and what it must bring.
    let cases: [(&str, Value, i64); 6] = [
        ("on top", json!({ "lines": lines(false) }), 3000),
        ("inside", json!({ "subtotal": 12_000, "lines": lines(true) }), 3000),
        (
            "shipping",
            json!({ "total_excluding_tax": 11_000, "subtotal": 10_000, "total_taxes": [{ "amount": 1000 }],
                "amount_shipping": 1000, "shipping_cost": { "amount_subtotal": 1000, "amount_tax": 0, "amount_total": 1000 } }),
            3000,
        ),
        (
            "balance",
            json!({ "starting_balance": -3000, "amount_due": 9000, "amount_paid": 9000 }),
            share(10_000, 9000, 12_000),
        ),
        // A grant is taken off before tax: Stripe's own net amount has it off already.
        (
            "grant",
            json!({ "total": 6000, "total_excluding_tax": 5000, "total_taxes": [{ "amount": 1000 }], "amount_due": 6000,
                "amount_paid": 6000, "total_pretax_credit_amounts": [{ "amount": 5000, "type": "credit_balance_transaction" }] }),
            1500,
        ),
        ("all balance", json!({ "starting_balance": -12_000, "amount_due": 0, "amount_paid": 0 }), 0),
    ];
    let mut sum = 0;
    for (at, (what, change, brings)) in cases.iter().enumerate() {
        let plot = Plot::new(&format!("net{at}"));
        told(&world, &[session(&plot, true, &json!({})), invoice(&plot, 1, change)]).await;
        sum += brings;
        let target = format!("SELECT COALESCE(SUM(target), 0) FROM commission WHERE root_id = 'in_net{at}1'");
        assert_eq!(world.database.number(&target).await, *brings, "{what}");
    }
    world.expect_totals(&[("ADA", "usd", sum)]).await;
    world.finish().await;
}

async fn currencies_keep_their_digits_and_are_never_added(engine: Engine) {
    let world = World::connected(engine).await;
    let plot = |tag: &str, currency: &str, total, tax| Plot {
        currency: currency.to_owned(),
        total,
        tax,
        ..Plot::new(tag)
    };
    let yen = plot("yen", "jpy", 777, 0);
    let dinar = plot("dinar", "kwd", 12_345, 45);
    let two = plot("two", "usd", 12_000, 2000);
    // The same customer pays the next invoice in another currency.
    let euros = json!({ "currency": "eur" });
    let events = [
        session(&yen, true, &json!({})),
        invoice(&yen, 1, &json!({})),
        session(&dinar, true, &json!({})),
        invoice(&dinar, 1, &json!({})),
        session(&two, true, &json!({})),
        invoice(&two, 1, &json!({})),
        invoice(&two, 2, &euros),
    ];
    told(&world, &events).await;
    // 777 JPY have no cents: 233.1 is 233. 12.300 KWD of 12.345: 3.690.
    world
        .expect_totals(&[
            ("ADA", "jpy", 233),
            ("ADA", "kwd", 3690),
            ("ADA", "usd", 3000),
            ("ADA", "eur", 3000),
        ])
        .await;
    let answer = world.get("/v1/partners/ADA").await.expect(200);
    for amount in [
        "\"amount\":233,\"currency\":\"JPY\"",
        "\"amount\":3.690,\"currency\":\"KWD\"",
        "\"amount\":30.00,\"currency\":\"EUR\"",
    ] {
        assert!(answer.text.contains(amount), "{amount} in {}", answer.text);
    }
    world.finish().await;
}

async fn adaptive_pricing_is_counted_as_the_session_says(engine: Engine) {
    let world = World::connected(engine).await;
    let paid = json!({ "amount_subtotal": 12_000,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 } });
    // Since 2025-03-31: the session is in the merchant's currency; what the buyer saw stands beside it.
    let new = Plot { tax: 0, refund: 0, ..Plot::new("new") };
    let seen =
        json!({ "presentment_details": { "presentment_amount": 11_111, "presentment_currency": "eur" } });
    // Before: the session is in the buyer's currency, and the merchant's stands beside it.
    let old = Plot { tax: 0, refund: 0, currency: "eur".to_owned(), total: 11_111, ..Plot::new("old") };
    let conversion = json!({ "currency_conversion": { "amount_subtotal": 12_000, "amount_total": 12_000, "fx_rate": "0.9259",
        "source_currency": "usd" }, "amount_subtotal": 11_111 });
    let events = [
        session(&new, false, &changed(paid.clone(), &seen)),
        session(&old, false, &changed(paid, &conversion)),
    ];
    told(&world, &events).await;
    world.expect_totals(&[("ADA", "usd", 3600), ("ADA", "eur", 3333)]).await;
    world.finish().await;
}

async fn an_event_that_comes_again_after_eight_days_counts_once(engine: Engine) {
    let world = World::connected(engine).await;
    let story = Story { plot: Plot::new("late"), era: Era::Dahlia, subscription: true, partner: Some("ADA") };
    story.put(&world.stripe);
    let events = story.events();
    told(&world, &events).await;
    let before = (world.digest().await, world.database.number("SELECT COUNT(*) FROM event").await);
    let nine_days = 9 * 86_400_000_i64;
    let sql = format!(
        "UPDATE event SET received_at = received_at - {nine_days}, processed_at = processed_at - {nine_days}"
    );
    world.database.damage(&sql).await;
    // The counters of the day follow what was moved.
    assert_eq!(world.command(&["verify", "--rebuild", "--json"], "").await.code, 0);
    assert_eq!(world.stop().await, 0);
    world.serve().await;
    told(&world, &events).await;
    // The same fact under another event's id, too: what counts is the invoice, not the event.
    let again: Vec<Value> = events
        .iter()
        .map(|event| {
            changed(event.clone(), &json!({ "id": format!("{}_again", event["id"].as_str().unwrap()) }))
        })
        .collect();
    told(&world, &again).await;
    assert_eq!(world.digest().await, before.0);
    let count = world.database.number("SELECT COUNT(*) FROM event").await;
    assert_eq!(count, before.1 + i64::try_from(again.len()).unwrap(), "one row for each id");
    world.expect_totals(&[("ADA", "usd", story.earned())]).await;
    world.finish().await;
}

/// A part of a plot's first purchase is given back; `sum` is what was given back in all.
fn refund(plot: &Plot, n: i64, amount: i64, sum: i64) -> [Value; 2] {
    let purchase = plot.purchase(1);
    let objects = Objects { era: Era::Dahlia, plot };
    let at = purchase.at_s + 3600 * n;
    let id = format!("re_{}{n}", plot.tag);
    let object = changed(
        objects.refund(&purchase, "succeeded"),
        &json!({ "id": id, "amount": amount, "created": at }),
    );
    [
        wrap(&format!("evt_{}_re{n}", plot.tag), "refund.created", VERSION, at, object),
        wrap(
            &format!("evt_{}_ch{n}", plot.tag),
            "charge.refunded",
            VERSION,
            at,
            objects.charge(&purchase, true, sum),
        ),
    ]
}

async fn two_partial_refunds_before_and_after_the_hold(engine: Engine) {
    let world = World::connected(engine).await;
    let old = Plot { refund: 0, ..Plot::new("old") };
    let new = Plot { refund: 0, start_s: now_s() - 40_000, ..Plot::new("new") };
    for plot in [&old, &new] {
        let story = Story { plot: plot.clone(), era: Era::Dahlia, subscription: true, partner: Some("ADA") };
        story.put(&world.stripe);
        // Without the renewal, which is a month ahead.
        let first: Vec<Value> = story
            .events()
            .into_iter()
            .filter(|event| !event.to_string().contains(&plot.purchase(2).charge))
            .collect();
        let renewal = &plot.purchase(2).invoice;
        let first: Vec<Value> =
            first.into_iter().filter(|event| !event.to_string().contains(renewal)).collect();
        told(&world, &first).await;
    }
    let parts = async |name: &str| {
        let answer = world.get("/v1/partners/ADA").await.expect(200);
        let list = answer.data()["commissions"][name].as_array().unwrap().clone();
        list.first().map_or(0, |item| minor(&item["amount"], "usd"))
    };
    eventually("the old one leaves its hold", Duration::from_secs(20), || async {
        (parts("not_paid").await == 3000).then_some(())
    })
    .await;
    assert_eq!(parts("pending").await, 3000);
    let mut sum = 0;
    for (n, amount) in [(1, 3000), (2, 2000)] {
        sum += amount;
        for plot in [&old, &new] {
            told(&world, &refund(plot, n, amount, sum)).await;
        }
        let left = commission(10_000, 12_000 - sum, 12_000);
        // What was in its hold falls there; what had left it falls where it stands.
        assert_eq!((parts("pending").await, parts("not_paid").await), (left, left), "after {n}");
    }
    // Sent again and in the other order, they take nothing more.
    for plot in [&old, &new] {
        let mut again = [refund(plot, 1, 3000, 3000), refund(plot, 2, 2000, 5000)].concat();
        again.reverse();
        told(&world, &again).await;
    }
    world.expect_totals(&[("ADA", "usd", 2 * commission(10_000, 7000, 12_000))]).await;
    world.finish().await;
}

async fn a_deleted_customer_keeps_the_ledger(engine: Engine) {
    let world = World::connected(engine).await;
    let stories = ["after", "before"].map(|tag| Story {
        plot: Plot::new(tag),
        era: Era::Dahlia,
        subscription: true,
        partner: Some("ADA"),
    });
    let deleted = |plot: &Plot| {
        let object = json!({ "id": plot.customer(), "object": "customer", "deleted": true });
        wrap(
            &format!("evt_{}_gone", plot.tag),
            "customer.deleted",
            VERSION,
            plot.start_s + 90 * 86_400,
            object,
        )
    };
    for story in &stories {
        story.put(&world.stripe);
    }
    told(&world, &stories[0].events()).await;
    told(&world, &[deleted(&stories[0].plot)]).await;
    // The deletion that comes before everything else.
    told(&world, &[deleted(&stories[1].plot)]).await;
    told(&world, &stories[1].events()).await;
    world.expect_totals(&[("ADA", "usd", stories[0].earned() + stories[1].earned())]).await;
    world.finish().await;
}

async fn a_suspension_takes_nothing_of_earlier_sales(engine: Engine) {
    let world = World::connected(engine).await;
    let plot = Plot { refund: 0, ..Plot::new("earlier") };
    told(&world, &[session(&plot, true, &json!({})), invoice(&plot, 1, &json!({}))]).await;
    world.put("/v1/partners/ADA", &json!({ "status": "suspended" })).await.expect(200);
    // Of what was sold before, everything stays, and it is computed again by the renewal that came before, too.
    told(&world, &[invoice(&plot, 2, &json!({}))]).await;
    world.expect_totals(&[("ADA", "usd", 6000)]).await;
    // What is sold while the partner is suspended earns nothing, and says why.
    let now = Plot { refund: 0, start_s: now_s() + 60, ..Plot::new("now") };
    told(&world, &[session(&now, true, &json!({})), invoice(&now, 1, &json!({}))]).await;
    world.expect_totals(&[("ADA", "usd", 6000)]).await;
    let explained = world.command(&["explain", "in_now1"], "").await.ok().stdout;
    assert!(explained.contains("suspended"), "{explained}");
    world.finish().await;
}

async fn each_mode_has_its_own_books_on_one_endpoint(engine: Engine) {
    let world = World::connected(engine).await;
    world.stripe.go_live();
    let live_secret = "whsec_of_the_live_endpoint_0123456789";
    world.connect_with(&world.program, "sk_live_the_other_one", Some(live_secret)).await.ok();
    let plots: Vec<Plot> =
        (0..30).map(|n| Plot { total: 12_000 + n, refund: 0, ..Plot::new(&format!("mix{n}")) }).collect();
    let mut sums = [0; 2];
    let mut sends = Vec::new();
    for (n, plot) in plots.iter().enumerate() {
        let live = n % 2 == 1;
        sums[usize::from(live)] += commission(plot.total - plot.tax, 1, 1);
        for event in [session(plot, true, &json!({})), invoice(plot, 1, &json!({}))] {
            let event = changed(event, &json!({ "livemode": live }));
            // Rightly signed; and the same under the other mode's secret, which must not count.
            for secret in [world.secret.as_str(), live_secret] {
                sends.push((print(&event), secret.to_owned()));
            }
        }
    }
    stream::iter(sends)
        .for_each_concurrent(8, |(body, secret)| {
            let world = &world;
            async move {
                let header = sign(&secret, now_s(), &body);
                let answer = world.send(body, Some(&header)).await;
                assert!((200..300).contains(&answer.status), "{answer:?}");
            }
        })
        .await;
    world.settled().await;
    for (mode, sum) in ["test", "live"].into_iter().zip(sums) {
        let sql = format!("SELECT COALESCE(SUM(target), 0) FROM commission WHERE mode = '{mode}'");
        assert_eq!(world.database.number(&sql).await, sum, "{mode}");
        let path = "/v1/partners/ADA";
        let request = world.http.get(format!("{}{path}", world.base())).bearer_auth(&world.api_key);
        let text = request.header("Tributary-Mode", mode).send().await.unwrap().text().await.unwrap();
        assert!(text.contains(&format!("\"amount\":{}.{:02}", sum / 100, sum % 100)), "{mode}: {text}");
    }
    let wrong =
        world.database.number("SELECT COUNT(*) FROM event WHERE outcome IN ('ignored', 'parked')").await;
    assert_eq!(wrong, 60, "what came under the wrong secret is kept with its reason");
}

/// The most memory that a process has used, MB.
fn peak_mb(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process of this machine");
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).expect("a number") / 1024
}

async fn a_flood_of_forged_events_keeps_no_real_one_out(engine: Engine) {
    let world = World::connected(engine).await;
    let real: Vec<Value> = (0..50)
        .map(|n| Plot { refund: 0, ..Plot::new(&format!("real{n}")) })
        .flat_map(|plot| [session(&plot, true, &json!({})), invoice(&plot, 1, &json!({}))])
        .collect();
    let forged =
        print(&changed(real[0].clone(), &json!({ "id": "evt_forged", "padding": "x".repeat(50_000) })));
    let large = vec![b' '; 1_500_000];
    let flood = stream::iter(0..3000).for_each_concurrent(48, |n| {
        let (world, body) = (&world, if n % 100 == 0 { large.clone() } else { forged.clone() });
        async move {
            let header = sign("whsec_of_somebody_else", now_s(), b"{}");
            let answer = world.try_send(&world.program, body, Some(&header)).await;
            // A body that is too large may be cut off before its answer is read.
            let status = answer.map_or(413, |answer| answer.status);
            assert_eq!(status, if n % 100 == 0 { 413 } else { 400 }, "forged event {n}");
        }
    });
    let honest = async {
        let mut slowest = Duration::ZERO;
        for event in &real {
            let begin = Instant::now();
            world.deliver(event).await;
            slowest = slowest.max(begin.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        slowest
    };
    let ((), slowest) = tokio::join!(flood, honest);
    assert!(slowest < Duration::from_secs(5), "a real event waited {slowest:?}");
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 50 * 3000)]).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event WHERE event_id = 'evt_forged'").await, 0);
    let peak = peak_mb(world.server_id());
    assert!(peak < 300, "the server used {peak} MB");
    world.finish().await;
}
