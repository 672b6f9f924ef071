//! The parts of Stripe's behaviour that Tributary leans on.

mod common;

use common::{KEY, bench};
use serde_json::{Value, json};

#[tokio::test]
async fn the_document_is_embedded_whole() {
    assert_eq!(tributary_sandbox::openapi::document().len(), 587);
}

#[tokio::test]
async fn only_loopback() {
    let config = tributary_sandbox::Config { listen: "0.0.0.0:0".parse().unwrap(), ..Default::default() };
    assert!(matches!(tributary_sandbox::start(config).await, Err(tributary_sandbox::Error::NotLoopback(_))));
}

#[tokio::test]
async fn account_balance_and_keys() {
    let mut bench = bench().await;
    let account = bench.get("account").await;
    assert!(account.headers.contains_key("request-id"));
    let account = account.ok();
    assert!(account["id"].as_str().unwrap().starts_with("acct_"));
    assert_eq!(bench.get("balance").await.ok()["livemode"], false);
    let with = |key: &str, path: &str| {
        bench.send(bench.http.get(format!("{}/v1/{path}", bench.base)).bearer_auth(key))
    };
    assert_eq!(with("rk_live_abcd", "balance").await.ok()["livemode"], true);
    assert_eq!(with("rk_live_abcd", "account").await.ok()["id"], account["id"]);
    assert_ne!(with("sk_test_acct-other_abc", "account").await.ok()["id"], account["id"]);
    let bad = with("pk_test_abcd", "account").await;
    assert_eq!((bad.status, bad.body["error"]["type"].as_str()), (401, Some("invalid_request_error")));
    let none = bench.send(bench.http.get(format!("{}/v1/account", bench.base))).await;
    assert_eq!(none.status, 401);
    let lacking = with("rk_test_no-event_read.charge_read_x", "events").await;
    assert_eq!(lacking.status, 403);
    assert!(lacking.body["error"]["message"].as_str().unwrap().contains("'event_read'"), "{}", lacking.body);
    assert_eq!(with("rk_test_no-event_read.charge_read_x", "customers").await.status, 200);
    bench.control("keys/revoke", json!({"key": "sk_test_gone1"})).await.ok();
    assert_eq!(with("sk_test_gone1", "account").await.status, 401);
    let version = |v: &str| {
        bench.send(
            bench.http.get(format!("{}/v1/account", bench.base)).bearer_auth(KEY).header("Stripe-Version", v),
        )
    };
    assert_eq!(version("2026-05-27.dahlia").await.status, 200);
    assert_eq!(version("yesterday").await.status, 400);
    bench.no_violations();
    bench.running.shutdown();
    bench.running.join().await.unwrap();
}

#[tokio::test]
async fn a_repeated_key_replays_and_another_request_under_it_fails() {
    let bench = bench().await;
    let post = |email: &str| {
        let request = bench.http.post(format!("{}/v1/customers", bench.base)).bearer_auth(KEY);
        bench.send(request.header("Idempotency-Key", "row-1").form(&[("email", email)]))
    };
    let first = post("a@x.example").await;
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let again = post("a@x.example").await;
    assert_eq!(first.body, again.body);
    assert!(again.headers.contains_key("idempotent-replayed"));
    let other = post("b@x.example").await;
    assert_eq!((other.status, other.body["error"]["type"].as_str()), (400, Some("idempotency_error")));
    assert_eq!(bench.get("customers").await.ok()["data"].as_array().unwrap().len(), 1);
    let events = bench.get("events").await.ok();
    assert_eq!(events["data"][0]["request"]["idempotency_key"], "row-1");
}

#[tokio::test]
async fn lists_are_paged_both_ways() {
    let bench = bench().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(bench.post("customers", &[("email", &format!("{n}@x.example"))]).await.id());
    }
    ids.reverse();
    let api = &bench;
    let page = |query: String| async move { api.get(&format!("customers?{query}")).await.ok() };
    let of = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = page("limit=3".into()).await;
    assert_eq!((of(&first), &first["has_more"]), (ids[..3].to_vec(), &json!(true)));
    let second = page(format!("limit=4&starting_after={}", ids[2])).await;
    assert_eq!((of(&second), &second["has_more"]), (ids[3..].to_vec(), &json!(false)));
    let back = page(format!("limit=2&ending_before={}", ids[5])).await;
    assert_eq!((of(&back), &back["has_more"]), (ids[3..5].to_vec(), &json!(true)));
    assert_eq!(bench.get("customers?starting_after=cus_none").await.status, 400);
    assert_eq!(of(&page("email=3@x.example".into()).await), [ids[3].clone()]);
    assert!(of(&page("created[gt]=99999999999".into()).await).is_empty());
    let events = bench.get("events?types[]=customer.created&types[]=charge.succeeded&limit=100").await.ok();
    assert_eq!(events["data"].as_array().unwrap().len(), 7);
    bench.no_violations();
}

#[tokio::test]
async fn sixteen_endpoints_and_a_secret_that_shows_once() {
    let bench = bench().await;
    let (id, _) = bench.endpoint("https://x.example/0").await;
    assert!(bench.get(&format!("webhook_endpoints/{id}")).await.ok().get("secret").is_none());
    for n in 1..16 {
        bench.endpoint(&format!("https://x.example/{n}")).await;
    }
    let full =
        bench.post("webhook_endpoints", &[("url", "https://x.example/17"), ("enabled_events[]", "*")]).await;
    assert_eq!((full.status, full.body["error"]["type"].as_str()), (400, Some("invalid_request_error")));
    assert!(full.body["error"].get("code").is_none());
    assert_eq!(bench.delete(&format!("webhook_endpoints/{id}")).await.ok()["deleted"], true);
    bench.endpoint("https://x.example/18").await;
    let gone = bench.get("charges/ch_none").await;
    assert_eq!((gone.status, gone.body["error"]["code"].as_str()), (404, Some("resource_missing")));
    bench.no_violations();
}

#[tokio::test]
async fn an_invoice_carries_tax_shipping_discount_and_its_payment() {
    let bench = bench().await;
    bench.control("settings", json!({"tax_ppm": 200_000, "shipping": 700})).await.ok();
    bench.post("coupons", &[("id", "QUARTER"), ("percent_off", "25"), ("duration", "once")]).await.ok();
    let promo = bench
        .post(
            "promotion_codes",
            &[("promotion[type]", "coupon"), ("promotion[coupon]", "QUARTER"), ("code", "ADA25")],
        )
        .await
        .id();
    let session = bench
        .post(
            "checkout/sessions",
            &[
                ("mode", "subscription"),
                ("success_url", "https://shop.example"),
                ("line_items[0][price_data][currency]", "eur"),
                ("line_items[0][price_data][unit_amount]", "10000"),
                ("line_items[0][price_data][recurring][interval]", "month"),
                ("line_items[0][price_data][product_data][name]", "Plan"),
                ("line_items[0][quantity]", "1"),
                ("discounts[0][promotion_code]", &promo),
                ("client_reference_id", "ada"),
            ],
        )
        .await
        .id();
    let paid = bench
        .control(&format!("checkout/sessions/{session}/pay"), json!({"email": "e@x.example"}))
        .await
        .ok();
    assert_eq!(paid["discounts"][0]["promotion_code"], promo);
    let invoice = paid["invoice"].as_str().unwrap();
    let got = bench
        .get(&format!("invoices/{invoice}?expand[]=payments&expand[]=customer&expand[]=discounts"))
        .await
        .ok();
    // 100.00 − 25 % = 75.00, + 20 % tax = 90.00, + 7.00 shipping = 97.00
    assert_eq!(got["total"], 9700);
    assert_eq!(got["total_excluding_tax"], 8200);
    assert_eq!(got["amount_shipping"], 700);
    assert_eq!(got["total_taxes"][0]["amount"], 1500);
    assert_eq!((&got["amount_paid"], &got["amount_remaining"]), (&json!(9700), &json!(0)));
    assert_eq!(got["discounts"][0]["promotion_code"], promo);
    assert_eq!(got["customer"]["email"], "e@x.example");
    let intent = got["payments"]["data"][0]["payment"]["payment_intent"].as_str().unwrap();
    let by_intent = bench
        .get(&format!("invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}"))
        .await
        .ok();
    assert_eq!(by_intent["data"][0]["invoice"], invoice);
    let found =
        bench.get(&format!("payment_intents/{intent}?expand[]=latest_charge.balance_transaction")).await.ok();
    assert_eq!(found["latest_charge"]["amount"], 9700);
    assert_eq!(found["latest_charge"]["balance_transaction"]["net"], 9700 - 311);
    // A key that may not read charges may not expand them.
    let url = format!("{}/v1/payment_intents/{intent}?expand[]=latest_charge", bench.base);
    assert_eq!(bench.send(bench.http.get(url).bearer_auth("rk_test_no-charge_read_x")).await.status, 403);
    // The discount was for once, so the renewal costs all: 100.00 + 20 %.
    let subscription = paid["subscription"].as_str().unwrap();
    let renewed = bench.control(&format!("subscriptions/{subscription}/renew"), json!({})).await.ok();
    let renewal = bench.get(&format!("invoices/{}", renewed["invoices"][0].as_str().unwrap())).await.ok();
    assert_eq!(
        (&renewal["total"], &renewal["billing_reason"]),
        (&json!(12000), &json!("subscription_cycle"))
    );
    let listed = bench.get(&format!("invoices?subscription={subscription}&status=paid")).await.ok();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    bench.no_violations();
}

#[tokio::test]
async fn sessions_of_guests_links_and_trials() {
    let bench = bench().await;
    let guest = bench.sale("1234", &[("client_reference_id", "ada")]).await;
    assert!(guest["customer"].is_null());
    assert_eq!(guest["customer_details"]["email"], "g@buyer.example");
    let intent = guest["payment_intent"].as_str().unwrap();
    let found =
        bench.get(&format!("checkout/sessions?payment_intent={intent}&expand[]=data.line_items")).await.ok();
    assert_eq!(found["data"][0]["line_items"]["data"][0]["amount_total"], 1234);
    let empty = bench
        .get(&format!("invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}"))
        .await
        .ok();
    assert!(empty["data"].as_array().unwrap().is_empty());

    let invoiced = bench.sale("5000", &[("invoice_creation[enabled]", "true")]).await;
    let invoice = bench.get(&format!("invoices/{}", invoiced["invoice"].as_str().unwrap())).await.ok();
    assert_eq!(
        (&invoice["status"], &invoice["total"], &invoice["parent"]),
        (&json!("paid"), &json!(5000), &Value::Null)
    );

    let price = bench
        .post(
            "prices",
            &[
                ("currency", "jpy"),
                ("unit_amount", "980"),
                ("product_data[name]", "P"),
                ("recurring[interval]", "year"),
            ],
        )
        .await
        .id();
    let link = bench
        .post(
            "payment_links",
            &[
                ("line_items[0][price]", &price),
                ("line_items[0][quantity]", "2"),
                ("subscription_data[trial_period_days]", "14"),
            ],
        )
        .await
        .id();
    let trial = bench
        .control(
            &format!("payment_links/{link}/pay"),
            json!({"email": "t@x.example", "client_reference_id": "a/b"}),
        )
        .await
        .ok();
    assert!(trial["client_reference_id"].is_null(), "Stripe drops what it does not allow");
    assert_eq!(trial["payment_status"], "no_payment_required");
    let subscription = trial["subscription"].as_str().unwrap();
    assert_eq!(bench.get(&format!("subscriptions/{subscription}")).await.ok()["status"], "trialing");
    let renewed = bench
        .control(&format!("subscriptions/{subscription}/renew"), json!({"at_period_end": true}))
        .await
        .ok();
    let first = bench.get(&format!("invoices/{}", renewed["invoices"][0].as_str().unwrap())).await.ok();
    assert_eq!((&first["total"], &first["currency"]), (&json!(1960), &json!("jpy")));
    let ended = bench.delete(&format!("subscriptions/{subscription}")).await.ok();
    assert_eq!(ended["status"], "canceled");
    bench.no_violations();
}

#[tokio::test]
async fn payments_without_checkout_and_their_refunds() {
    let bench = bench().await;
    let intent = bench
        .post(
            "payment_intents",
            &[
                ("amount", "3000"),
                ("currency", "kwd"),
                ("confirm", "true"),
                ("payment_method", "pm_card_visa"),
            ],
        )
        .await
        .ok();
    assert_eq!(intent["status"], "succeeded");
    let id = intent["id"].as_str().unwrap();
    let refund = bench.post("refunds", &[("payment_intent", id), ("amount", "1000")]).await.ok();
    let charge = refund["charge"].as_str().unwrap();
    assert_eq!(bench.post("refunds", &[("charge", charge), ("amount", "2001")]).await.status, 400);
    assert_eq!(bench.get(&format!("charges/{charge}")).await.ok()["amount_refunded"], 1000);
    bench.control(&format!("refunds/{}/fail", refund["id"].as_str().unwrap()), json!({})).await.ok();
    let after = bench.get(&format!("charges/{charge}?expand[]=refunds")).await.ok();
    assert_eq!(
        (&after["amount_refunded"], &after["refunds"]["data"][0]["status"]),
        (&json!(0), &json!("failed"))
    );
    bench.post("refunds", &[("charge", charge)]).await.ok();
    assert_eq!(bench.get(&format!("charges/{charge}")).await.ok()["refunded"], true);
    let again = bench.post("refunds", &[("charge", charge)]).await;
    assert_eq!(again.body["error"]["code"], "charge_already_refunded");

    let declined = bench
        .post(
            "payment_intents",
            &[
                ("amount", "100"),
                ("currency", "eur"),
                ("confirm", "true"),
                ("payment_method", "pm_card_chargeDeclined"),
            ],
        )
        .await;
    assert_eq!((declined.status, declined.body["error"]["type"].as_str()), (402, Some("card_error")));

    let legacy =
        bench.post("charges", &[("amount", "500"), ("currency", "eur"), ("capture", "false")]).await.id();
    assert_eq!(bench.post("refunds", &[("charge", &legacy)]).await.status, 400);
    bench.post(&format!("charges/{legacy}/capture"), &[("amount", "400")]).await.ok();
    let books = bench.see("books").await;
    assert_eq!(books["currencies"]["eur"]["paid"], 400);
    assert_eq!(books["currencies"]["kwd"]["kept"], 0);
    bench.no_violations();
}

#[tokio::test]
async fn asked_for_faults_of_the_api() {
    let bench = bench().await;
    bench
        .control(
            "api_faults",
            json!({"faults": [
                {"path_prefix": "/v1/customers", "status": 429, "should_retry": true},
                {"path_prefix": "/v1/customers", "truncate": true},
                {"path_prefix": "/v1/charges", "status": 500},
            ]}),
        )
        .await
        .ok();
    assert_eq!(bench.get("account").await.status, 200);
    let limited = bench.get("customers").await;
    assert_eq!((limited.status, &limited.headers["stripe-should-retry"].to_str().unwrap()), (429, &"true"));
    assert!(bench.get("customers").await.body.is_string(), "half a body is no JSON");
    assert_eq!(bench.get("customers").await.status, 200);
    assert_eq!(bench.get("charges").await.status, 500);
    bench.no_violations();
}

#[tokio::test]
async fn events_live_for_thirty_days() {
    let bench = bench().await;
    let customer = bench.post("customers", &[("name", "Old")]).await.id();
    bench.post(&format!("customers/{customer}"), &[("name", "New"), ("metadata[a]", "1")]).await.ok();
    let events = bench.get("events?type=customer.*").await.ok();
    assert_eq!(events["data"][0]["data"]["previous_attributes"]["name"], "Old");
    bench.delete(&format!("customers/{customer}")).await.ok();
    assert_eq!(bench.get(&format!("customers/{customer}")).await.ok()["deleted"], true);
    bench.control("clock/advance", json!({"seconds": 31 * 86_400})).await.ok();
    assert!(bench.get("events").await.ok()["data"].as_array().unwrap().is_empty());
    assert_eq!(bench.control("clock/advance", json!({"seconds": -1})).await.status, 400);
    bench.no_violations();
}

#[tokio::test]
async fn pages_and_control_routes_are_for_this_machine_only() {
    let bench = bench().await;
    let index = bench.send(bench.http.get(&bench.base)).await;
    assert!(index.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(index.body.as_str().unwrap().contains("/_sandbox/stories/demo"));
    let state = format!("{}/_sandbox/state", bench.base);
    assert_eq!(bench.send(bench.http.get(&state).header("sec-fetch-site", "cross-site")).await.status, 403);
    assert_eq!(bench.send(bench.http.get(&state).header("origin", "https://evil.example")).await.status, 403);
    assert_eq!(bench.send(bench.http.get(&state).header("host", "evil.example")).await.status, 403);

    let price = bench
        .post("prices", &[("currency", "usd"), ("unit_amount", "700"), ("product_data[name]", "<b>")])
        .await
        .id();
    let link = bench
        .post("payment_links", &[("line_items[0][price]", &price), ("line_items[0][quantity]", "1")])
        .await
        .ok();
    let url =
        format!("{}?client_reference_id=ada&prefilled_email=p@x.example", link["url"].as_str().unwrap());
    let checkout = bench.http.get(url).send().await.unwrap();
    let at = checkout.url().clone();
    assert!(checkout.text().await.unwrap().contains("p@x.example"));
    bench.http.post(at.clone()).form(&[("email", "p@x.example")]).send().await.unwrap();
    let id = at.path().rsplit('/').next().unwrap();
    let session = bench.get(&format!("checkout/sessions/{id}")).await.ok();
    assert_eq!(
        (&session["payment_status"], &session["client_reference_id"]),
        (&json!("paid"), &json!("ada"))
    );
    bench.no_violations();
}
