//! Subscriptions that change, invoices written by hand, credit that pays, bank debits, prices shown in other money.

#![expect(clippy::unwrap_used, reason = "a helper that fails should end its test")]

mod common;

use common::{Bench, bench};
use serde_json::{Value, json};

async fn price(bench: &Bench, amount: &str, interval: &str) -> String {
    let form = [
        ("currency", "eur"),
        ("unit_amount", amount),
        ("recurring[interval]", interval),
        ("product_data[name]", "Plan"),
    ];
    bench.post("prices", &form).await.id()
}

/// A subscriber of a price: customer, subscription, item.
async fn subscriber(bench: &Bench, price: &str, extra: &[(&str, &str)]) -> (String, String, String) {
    let customer = bench.post("customers", &[("email", "s@buyer.example")]).await.id();
    let mut form = vec![("customer", customer.as_str()), ("items[0][price]", price)];
    form.extend_from_slice(extra);
    let made = bench.post("subscriptions", &form).await.ok();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let (id, item) = (text(&made["id"]), text(&made["items"]["data"][0]["id"]));
    (customer, id, item)
}

async fn latest(bench: &Bench, subscription: &str) -> Value {
    bench.get(&format!("subscriptions/{subscription}?expand[]=latest_invoice")).await.ok()["latest_invoice"]
        .clone()
}

#[tokio::test]
async fn an_upgrade_asks_for_the_rest_and_a_downgrade_becomes_credit() {
    let bench = bench().await;
    bench.control("settings", json!({"tax_ppm": 200_000})).await.ok();
    let (small, large) = (price(&bench, "1000", "week").await, price(&bench, "3000", "week").await);
    let (customer, id, item) = subscriber(&bench, &small, &[]).await;
    let half = json!({"seconds": 7 * 86_400 / 2});
    bench.control("clock/advance", half).await.ok();
    let turn = |to: String, how: &'static str| {
        let item = item.clone();
        let (bench, id) = (&bench, &id);
        async move {
            let form = [
                ("items[0][id]", item.as_str()),
                ("items[0][price]", to.as_str()),
                ("proration_behavior", how),
            ];
            bench.post(&format!("subscriptions/{id}"), &form).await.ok()
        }
    };
    turn(large.clone(), "always_invoice").await;
    let invoice = latest(&bench, &id).await;
    assert_eq!(invoice["billing_reason"], "subscription_update");
    let near = |value: &Value, wanted: i64| {
        let got = value.as_i64().unwrap();
        // Some seconds of real time may pass between the steps.
        assert!((got - wanted).abs() <= 2, "{got}, not about {wanted}");
    };
    near(&invoice["lines"]["data"][0]["amount"], -500);
    near(&invoice["lines"]["data"][1]["amount"], 1500);
    near(&invoice["total"], 1200);
    assert_eq!(invoice["lines"]["data"][0]["parent"]["subscription_item_details"]["proration"], true);
    assert_eq!(invoice["status"], "paid");
    turn(small.clone(), "always_invoice").await;
    let invoice = latest(&bench, &id).await;
    near(&invoice["total"], -1200);
    assert_eq!((&invoice["amount_due"], &invoice["amount_paid"]), (&json!(0), &json!(0)));
    assert_eq!(invoice["ending_balance"], invoice["total"]);
    let credit = bench.get(&format!("customers/{customer}")).await.ok()["balance"].as_i64().unwrap();
    near(&json!(credit), -1200);
    // The next invoice costs 12.00, and the credit pays nearly all of it.
    turn(large, "create_prorations").await;
    turn(small, "none").await;
    bench.control(&format!("subscriptions/{id}/renew"), json!({})).await.ok();
    let invoice = latest(&bench, &id).await;
    assert_eq!(invoice["starting_balance"], json!(credit));
    near(&invoice["total"], 2400);
    let (total, due) = (invoice["total"].as_i64().unwrap(), invoice["amount_due"].as_i64().unwrap());
    assert_eq!(due, total + credit);
    assert_eq!(invoice["lines"]["data"].as_array().unwrap().len(), 3);
    bench.no_violations();
}

#[tokio::test]
async fn numbers_and_intervals_change() {
    let bench = bench().await;
    let (month, year) = (price(&bench, "1000", "month").await, price(&bench, "9000", "year").await);
    let (_, id, item) = subscriber(&bench, &month, &[("items[0][quantity]", "2")]).await;
    let five = [
        ("items[0][id]", item.as_str()),
        ("items[0][quantity]", "5"),
        ("proration_behavior", "always_invoice"),
    ];
    let changed = bench.post(&format!("subscriptions/{id}"), &five).await.ok();
    assert_eq!(changed["items"]["data"][0]["quantity"], 5);
    assert_eq!(latest(&bench, &id).await["total"], 3000, "nothing of the month is gone");
    let yearly =
        [("items[0][id]", item.as_str()), ("items[0][price]", year.as_str()), ("items[0][quantity]", "1")];
    bench.post(&format!("subscriptions/{id}"), &yearly).await.ok();
    assert_eq!(latest(&bench, &id).await["total"], 9000 - 5000);
    let unknown = [("items[0][id]", "si_none"), ("items[0][price]", year.as_str())];
    assert_eq!(bench.post(&format!("subscriptions/{id}"), &unknown).await.status, 404);
    bench.no_violations();
}

#[tokio::test]
async fn invoices_by_hand_are_paid_by_card_past_stripe_or_never() {
    let bench = bench().await;
    let customer = bench.post("customers", &[("email", "m@buyer.example")]).await.id();
    let draft = |note: &'static str| {
        let (bench, customer) = (&bench, &customer);
        async move {
            let item = |amount: &'static str| {
                [
                    ("customer", customer.as_str()),
                    ("amount", amount),
                    ("currency", "eur"),
                    ("description", note),
                ]
            };
            bench.post("invoiceitems", &item("4000")).await.ok();
            let form = [
                ("customer", customer.as_str()),
                ("pending_invoice_items_behavior", "include"),
                ("collection_method", "send_invoice"),
                ("metadata[partner_key]", "ADA"),
            ];
            let id = bench.post("invoices", &form).await.id();
            let more =
                [("customer", customer.as_str()), ("amount", "-1000"), ("currency", "eur"), ("invoice", &id)];
            bench.post("invoiceitems", &more).await.ok();
            bench.post(&format!("invoices/{id}/finalize"), &[]).await.ok();
            id
        }
    };
    let card = draft("by card").await;
    let paid = bench.post(&format!("invoices/{card}/pay"), &[]).await.ok();
    assert_eq!((&paid["amount_paid"], &paid["status"]), (&json!(3000), &json!("paid")));
    let cash = draft("in cash").await;
    let paid = bench.post(&format!("invoices/{cash}/pay"), &[("paid_out_of_band", "true")]).await.ok();
    assert_eq!((&paid["amount_paid"], &paid["amount_paid_off_stripe"]), (&json!(3000), &json!(null)));
    // Stripe tells it only who asks for it.
    let asked = bench.get(&format!("invoices/{cash}?expand[]=amount_paid_off_stripe")).await.ok();
    assert_eq!(asked["amount_paid_off_stripe"], 3000);
    let listed = bench.get("invoices?expand[]=data.amount_paid_off_stripe").await.ok();
    let cash_listed =
        listed["data"].as_array().unwrap().iter().find(|one| one["id"] == cash.as_str()).unwrap();
    assert_eq!(cash_listed["amount_paid_off_stripe"], 3000);
    let payments = bench.get(&format!("invoice_payments?invoice={cash}")).await.ok();
    assert_eq!(payments["data"][0]["status"], "canceled");
    let lowered = draft("lowered").await;
    bench.post("credit_notes", &[("invoice", lowered.as_str()), ("amount", "1000")]).await.ok();
    let open = bench.get(&format!("invoices/{lowered}")).await.ok();
    assert_eq!(
        (&open["amount_remaining"], &open["pre_payment_credit_notes_amount"]),
        (&json!(2000), &json!(1000))
    );
    assert_eq!(bench.post(&format!("invoices/{lowered}/pay"), &[]).await.ok()["amount_paid"], 2000);
    let gone = draft("credited whole").await;
    bench.post("credit_notes", &[("invoice", gone.as_str()), ("amount", "3000")]).await.ok();
    let gone = bench.get(&format!("invoices/{gone}")).await.ok();
    assert_eq!((&gone["status"], &gone["amount_paid"]), (&json!("paid"), &json!(0)));
    for (end, status) in [("void", "void"), ("mark_uncollectible", "uncollectible")] {
        let id = draft(status).await;
        assert_eq!(bench.post(&format!("invoices/{id}/{end}"), &[]).await.ok()["status"], status);
        assert_eq!(
            bench.post(&format!("invoices/{id}/pay"), &[("paid_out_of_band", "true")]).await.status,
            400
        );
    }
    bench.no_violations();
}

#[tokio::test]
async fn credit_pays_first() {
    let bench = bench().await;
    let plan = price(&bench, "2000", "month").await;
    let (customer, id, _) = subscriber(&bench, &plan, &[]).await;
    let path = format!("customers/{customer}/balance_transactions");
    bench.post(&path, &[("amount", "-2500"), ("currency", "eur")]).await.ok();
    bench.control(&format!("subscriptions/{id}/renew"), json!({"count": 2})).await.ok();
    let list = bench.get(&format!("invoices?subscription={id}&limit=2")).await.ok();
    let due: Vec<i64> =
        list["data"].as_array().unwrap().iter().map(|i| i["amount_due"].as_i64().unwrap()).collect();
    assert_eq!(due, [1500, 0], "newest first");
    assert_eq!(bench.get(&format!("customers/{customer}")).await.ok()["balance"], 0);
    bench.no_violations();
}

#[tokio::test]
async fn a_bank_debit_is_pending_and_a_released_authorisation_looks_refunded() {
    let bench = bench().await;
    let form = [
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][unit_amount]", "5000"),
        ("line_items[0][price_data][product_data][name]", "Thing"),
        ("line_items[0][quantity]", "1"),
    ];
    let session = bench.post("checkout/sessions", &form).await.id();
    let paid = bench.control(&format!("checkout/sessions/{session}/pay"), json!({"async": true})).await.ok();
    let intent = paid["payment_intent"].as_str().unwrap();
    let read = format!("payment_intents/{intent}?expand[]=latest_charge");
    let pending = bench.get(&read).await.ok();
    assert_eq!(
        (&pending["status"], &pending["latest_charge"]["status"]),
        (&json!("processing"), &json!("pending"))
    );
    assert_eq!(bench.see("books").await["sales"], json!([]), "nothing is sold yet");
    bench.control(&format!("checkout/sessions/{session}/async_succeed"), json!({})).await.ok();
    let done = bench.get(&read).await.ok();
    assert_eq!(done["latest_charge"]["id"], pending["latest_charge"]["id"], "the same charge");
    let held = [("amount", "700"), ("currency", "eur"), ("capture_method", "manual"), ("confirm", "true")];
    let intent = bench.post("payment_intents", &held).await.id();
    bench.post(&format!("payment_intents/{intent}/cancel"), &[]).await.ok();
    let released = bench.get(&format!("payment_intents/{intent}?expand[]=latest_charge")).await.ok();
    assert_eq!(released["latest_charge"]["amount_refunded"], 700);
    assert_eq!(released["latest_charge"]["captured"], false);
    let shown = json!({"presentment": {"amount": 5400, "currency": "usd"}});
    let session = bench.post("checkout/sessions", &form).await.id();
    let paid = bench.control(&format!("checkout/sessions/{session}/pay"), shown).await.ok();
    assert_eq!(paid["presentment_details"]["presentment_currency"], "usd");
    let intent = paid["payment_intent"].as_str().unwrap();
    let refund = bench.post("refunds", &[("payment_intent", intent), ("amount", "2500")]).await.ok();
    assert_eq!(refund["presentment_details"]["presentment_amount"], 2700);
    bench.no_violations();
}
