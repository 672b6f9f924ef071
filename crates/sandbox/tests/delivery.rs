//! Signatures, retries and faults of the delivery.

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Receiver, bench, bench_with, hmac};
use serde_json::json;

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the receiver compares the signature's time with its own clock"
)]
async fn deliveries_are_signed_with_the_whole_secret() {
    let bench = bench().await;
    let receiver = Receiver::start().await;
    let (_, secret) = bench.endpoint(&receiver.url).await;
    assert!(secret.starts_with("whsec_") && secret.len() == 38);
    // The sandbox's clock does not touch signatures.
    bench.control("clock/advance", json!({"seconds": 5_000_000})).await.ok();
    bench.sale("1000", &[]).await;
    bench.control("delivery/flush", json!({})).await.ok();
    let got = receiver.got.lock().unwrap().clone();
    assert!(!got.is_empty());
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    for (header, body) in got {
        let (t, v1) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        assert!((now - t.parse::<i64>().unwrap()).abs() < 60);
        let signed = [t.as_bytes(), b".", &body].concat();
        assert_eq!(v1, hmac(secret.as_bytes(), &signed));
        assert_ne!(v1, hmac(secret.strip_prefix("whsec_").unwrap().as_bytes(), &signed));
    }
    assert_eq!(
        hmac(b"Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[tokio::test]
async fn a_subscription_checkout_sends_stripes_events() {
    let bench = bench().await;
    let receiver = Receiver::start().await;
    bench.endpoint(&receiver.url).await;
    bench.control("stories/signup", json!({})).await.ok();
    let types = receiver.types();
    for wanted in [
        "customer.created",
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.subscription.created",
        "checkout.session.completed",
    ] {
        assert_eq!(types.iter().filter(|t| *t == wanted).count(), 1, "{wanted} in {types:?}");
    }
    let events = receiver.events();
    let paid = events.iter().find(|e| e["type"] == "invoice.paid").unwrap();
    assert_eq!(paid["api_version"], "2026-05-27.dahlia");
    let invoice = &paid["data"]["object"];
    assert_eq!(invoice["billing_reason"], "subscription_create");
    assert!(invoice["parent"]["subscription_details"]["metadata"]["customer_key"].is_string());
    assert!(invoice.get("payments").is_none(), "payments only come when they are asked for");
    let draft = events.iter().find(|e| e["type"] == "invoice.created").unwrap();
    assert_eq!(draft["data"]["object"]["status"], "draft");
}

#[tokio::test]
async fn refused_deliveries_are_tried_again() {
    let bench = bench().await;
    let receiver = Receiver::start().await;
    let (_, secret) = bench.endpoint(&receiver.url).await;
    receiver.refuse.store(2, Ordering::SeqCst);
    bench.post("customers", &[("email", "a@b.example")]).await.ok();
    let flushed = bench.control("delivery/flush", json!({})).await.ok();
    assert_eq!(flushed["settled"], true);
    assert_eq!(flushed["delivery"]["failed_tries"], 2);
    assert_eq!(flushed["delivery"]["delivered"], 1);
    let got = receiver.got.lock().unwrap().clone();
    assert_eq!(got.len(), 3);
    for (header, body) in &got {
        let (t, v1) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        assert_eq!(v1, hmac(secret.as_bytes(), &[t.as_bytes(), b".", body].concat()), "each try is signed");
    }
    let event = bench.get("events?limit=1").await.ok()["data"][0].clone();
    assert_eq!(event["pending_webhooks"], 0);
}

#[tokio::test]
async fn a_dead_endpoint_leaves_events_undelivered() {
    let bench = bench_with(|c| c.deliver_retries.attempts = 2).await;
    bench.endpoint("http://127.0.0.1:9/hook").await;
    bench.post("customers", &[]).await.ok();
    let flushed = bench.control("delivery/flush", json!({})).await.ok();
    assert_eq!(flushed["delivery"]["failed"], 1);
    let failed = bench.get("events?delivery_success=false").await.ok();
    assert_eq!(failed["data"].as_array().unwrap().len(), 1);
    assert_eq!(failed["data"][0]["pending_webhooks"], 1);
    assert!(bench.get("events?delivery_success=true").await.ok()["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn dropped_events_are_found_by_the_events_list() {
    let bench = bench().await;
    let receiver = Receiver::start().await;
    bench.endpoint(&receiver.url).await;
    bench.control("delivery", json!({"drop_percent": 100})).await.ok();
    bench.sale("1000", &[]).await;
    bench.control("delivery/flush", json!({})).await.ok();
    assert!(receiver.events().is_empty());
    let state = bench.see("state").await;
    let dropped = state["delivery"]["dropped"].as_u64().unwrap();
    assert!(dropped >= 5);
    assert_eq!(state["undelivered_count"], dropped);
    let listed = bench.get("events?delivery_success=false&limit=100").await.ok();
    assert_eq!(listed["data"].as_array().unwrap().len() as u64, dropped);
}

#[tokio::test]
async fn held_deliveries_wait_for_the_flush_and_shuffle() {
    let bench = bench().await;
    let receiver = Receiver::start().await;
    bench.endpoint(&receiver.url).await;
    bench.control("delivery", json!({"hold": true, "shuffle": true, "duplicate_percent": 50})).await.ok();
    for _ in 0..40 {
        bench.post("customers", &[]).await.ok();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(receiver.events().is_empty());
    let flushed = bench.control("delivery/flush", json!({})).await.ok();
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    for event in receiver.events() {
        *count.entry(event["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(count.len(), 40);
    let twice = count.values().filter(|n| **n == 2).count();
    assert!((5..=35).contains(&twice), "{twice} of 40 came twice");
    assert_eq!(flushed["delivery"]["copies_delivered"], twice);
    bench.post("customers", &[]).await.ok();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        bench.see("state").await["delivery"]["waiting"].as_u64().map(|n| n > 0),
        Some(true),
        "the hold goes on"
    );
}

#[tokio::test]
async fn endpoints_get_what_they_subscribe_to_and_only_on_this_machine() {
    let bench = bench().await;
    let receiver = Receiver::start().await;
    bench
        .post("webhook_endpoints", &[("url", &receiver.url), ("enabled_events[0]", "charge.succeeded")])
        .await
        .ok();
    bench
        .post("webhook_endpoints", &[("url", "https://example.com/hook"), ("enabled_events[]", "*")])
        .await
        .ok();
    bench.sale("1000", &[]).await;
    let flushed = bench.control("delivery/flush", json!({})).await.ok();
    assert_eq!(receiver.types(), ["charge.succeeded"]);
    assert!(flushed["delivery"]["failed"].as_u64().unwrap() >= 5);
    bench.no_violations();
}
