//! Random histories break nothing of Stripe's document, are the same for the same seed, and the books add up.

mod common;

use common::{Receiver, bench};
use serde_json::{Value, json};

#[tokio::test]
async fn a_random_history_plays_every_shape_and_adds_up() {
    let bench = bench().await;
    let wanted = json!({"seed": 5, "events": 3000, "partners": ["ADA", "BOB"]});
    let said = bench.control("random", wanted.clone()).await.ok();
    assert!(said["events"].as_u64().unwrap() >= 3000, "{said}");
    assert_eq!(said["shapes"].as_object().unwrap().len(), 13, "{said}");
    bench.no_violations();
    let terms = json!({"percent_ppm": 300_000, "partners": ["ADA", "BOB"]});
    let owed = bench.control("books/expected", terms).await.ok();
    let books = bench.see("books").await;
    let sales = owed["sales"].as_array().unwrap();
    assert_eq!(sales.len(), books["sales"].as_array().unwrap().len());
    assert_eq!(books["currencies"].as_object().unwrap().len(), 5);
    for (partner, currencies) in owed["partners"].as_object().unwrap() {
        for (currency, sums) in currencies.as_object().unwrap() {
            let net: i64 = sales
                .iter()
                .filter(|s| s["partner"] == json!(partner) && s["currency"] == json!(currency))
                .map(|s| s["net"].as_i64().unwrap())
                .sum();
            assert_eq!(sums["net"], net);
            assert_eq!(
                sums["net"].as_i64(),
                Some(sums["earned"].as_i64().unwrap() - sums["reversed"].as_i64().unwrap())
            );
        }
    }
    assert!(sales.iter().any(|s| s["partner"].is_null()), "some buyers came by themselves");
    assert!(sales.iter().any(|s| s["paid"].as_i64() < s["total"].as_i64()), "credit paid some of it");
    let state = bench.see("state").await;
    for kind in ["credit_note", "dispute", "refund", "customer_balance_transaction", "invoiceitem"] {
        assert!(state["counts"][kind].as_u64().unwrap_or(0) > 5, "{kind}: {}", state["counts"]);
    }
    let again = common::bench().await;
    again.control("random", wanted).await.ok();
    let strip = |v: Value| v["partners"].clone();
    let terms = json!({"percent_ppm": 300_000, "partners": ["ADA", "BOB"]});
    assert_eq!(strip(again.control("books/expected", terms).await.ok()), strip(owed), "the same seed");
}

#[tokio::test]
async fn what_was_dropped_is_sent_again() {
    let bench = bench().await;
    let receiver = Receiver::start().await;
    bench.endpoint(&receiver.url).await;
    bench
        .control("delivery", json!({"drop_percent": 50, "duplicate_percent": 30, "shuffle": true}))
        .await
        .ok();
    bench.control("random", json!({"seed": 1, "events": 60, "partners": ["ADA"]})).await.ok();
    let first = bench.control("delivery/flush", json!({})).await.ok();
    assert!(first["delivery"]["dropped"].as_u64().unwrap() > 10, "{first}");
    assert!(bench.see("state").await["undelivered_count"].as_u64().unwrap() > 10);
    bench.control("delivery/redeliver", json!({})).await.ok();
    bench.control("delivery/flush", json!({})).await.ok();
    assert_eq!(bench.see("state").await["undelivered_count"], 0);
    assert_eq!(bench.control("delivery/redeliver", json!({})).await.ok()["redelivered"], 0);
}
