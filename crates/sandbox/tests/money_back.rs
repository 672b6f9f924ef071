//! Money that goes back: refunds that are confirmed later, disputes and inquiries, credit notes.

#![expect(clippy::unwrap_used, reason = "a helper that fails should end its test")]

mod common;

use common::{Bench, bench};
use serde_json::{Value, json};

/// A paid invoice of 100.00 and its charge.
async fn paid_invoice(bench: &Bench) -> (String, String, String) {
    let customer = bench.post("customers", &[("email", "i@buyer.example")]).await.id();
    let price = [
        ("currency", "eur"),
        ("unit_amount", "10000"),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Plan"),
    ];
    let price = bench.post("prices", &price).await.id();
    let subscription = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let made = bench.post("subscriptions", &subscription).await.ok();
    let invoice = made["latest_invoice"].as_str().unwrap().to_owned();
    let charges = bench.get(&format!("charges?customer={customer}")).await.ok();
    (customer, invoice, charges["data"][0]["id"].as_str().unwrap().to_owned())
}

async fn charge_of_a_sale(bench: &Bench) -> String {
    let intent = bench.sale("9000", &[]).await["payment_intent"].as_str().unwrap().to_owned();
    let found = bench.get(&format!("payment_intents/{intent}?expand[]=latest_charge")).await.ok();
    found["latest_charge"]["id"].as_str().unwrap().to_owned()
}

async fn types_since(bench: &Bench, mark: &str) -> Vec<String> {
    let list = bench.get(&format!("events?limit=100&ending_before={mark}")).await.ok();
    let mut names: Vec<String> =
        list["data"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect();
    names.reverse();
    names
}

async fn mark(bench: &Bench) -> String {
    bench.get("events?limit=1").await.ok()["data"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_dispute_moves_the_balance_and_an_inquiry_only_when_it_escalates() {
    let bench = bench().await;
    let charge = charge_of_a_sale(&bench).await;
    let start = mark(&bench).await;
    let dispute = bench.control(&format!("charges/{charge}/dispute"), json!({})).await.id();
    bench.post(&format!("disputes/{dispute}"), &[("submit", "true")]).await.ok();
    let won = bench.control(&format!("disputes/{dispute}/close"), json!({"status": "won"})).await.ok();
    let moved: Vec<i64> = won["balance_transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["amount"].as_i64().unwrap())
        .collect();
    assert_eq!(moved, [-9000, 9000]);
    let entry = won["balance_transactions"][0]["id"].as_str().unwrap();
    let read = bench.get(&format!("balance_transactions/{entry}?expand[]=source")).await.ok();
    assert_eq!((&read["source"]["id"], &read["fee"]), (&json!(dispute), &json!(1500)));
    assert_eq!(
        types_since(&bench, &start).await,
        [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
            "charge.dispute.closed",
            "charge.dispute.funds_reinstated"
        ]
    );
    let charge = charge_of_a_sale(&bench).await;
    let asked = bench.control(&format!("charges/{charge}/dispute"), json!({"inquiry": true})).await.ok();
    assert_eq!(
        (&asked["status"], &asked["balance_transactions"]),
        (&json!("warning_needs_response"), &json!([]))
    );
    let id = asked["id"].as_str().unwrap();
    let wrong = bench.control(&format!("disputes/{id}/close"), json!({"status": "lost"})).await;
    assert_eq!(wrong.status, 400);
    let now = bench.control(&format!("disputes/{id}/escalate"), json!({})).await.ok();
    assert_eq!(now["balance_transactions"][0]["amount"], -9000);
    bench.post(&format!("disputes/{id}/close"), &[]).await.ok();
    assert_eq!(bench.control(&format!("disputes/{id}/close"), json!({"status": "won"})).await.status, 400);
    let all = bench.get("balance_transactions?type=adjustment").await.ok();
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    let books = bench.see("books").await;
    assert_eq!(books["currencies"]["eur"]["dispute_lost"], 9000);
    bench.no_violations();
}

#[tokio::test]
async fn a_pending_refund_is_confirmed_or_fails() {
    let bench = bench().await;
    let charge = charge_of_a_sale(&bench).await;
    let path = format!("charges/{charge}/refund");
    let one = bench.control(&path, json!({"amount": 2000, "pending": true})).await.ok();
    assert_eq!((&one["status"], &one["pending_reason"]), (&json!("pending"), &json!("processing")));
    let two = bench.control(&path, json!({"amount": 3000, "pending": true})).await.id();
    let one = one["id"].as_str().unwrap();
    let done = bench.control(&format!("refunds/{one}/succeed"), json!({})).await.ok();
    assert_eq!((&done["status"], done.get("pending_reason")), (&json!("succeeded"), None));
    assert_eq!(bench.control(&format!("refunds/{one}/succeed"), json!({})).await.status, 400);
    bench.control(&format!("refunds/{two}/fail"), json!({})).await.ok();
    let read = bench.get(&format!("charges/{charge}?expand[]=balance_transaction")).await.ok();
    assert_eq!(read["amount_refunded"], 2000);
    assert_eq!(read["balance_transaction"]["fee"], 291);
    bench.no_violations();
}

#[tokio::test]
async fn a_credit_note_of_a_paid_invoice_gives_back_in_three_ways() {
    let bench = bench().await;
    bench.control("settings", json!({"tax_ppm": 200_000})).await.ok();
    let (customer, invoice, charge) = paid_invoice(&bench).await;
    let found = bench.get(&format!("invoices/{invoice}")).await.ok();
    let line = found["lines"]["data"][0]["id"].as_str().unwrap();
    // A quarter of the line with its tax: 25.00 and 5.00.
    let form = [
        ("invoice", invoice.as_str()),
        ("lines[0][type]", "invoice_line_item"),
        ("lines[0][invoice_line_item]", line),
        ("lines[0][amount]", "2500"),
        ("refund_amount", "1000"),
        ("credit_amount", "1500"),
        ("out_of_band_amount", "500"),
        ("reason", "order_change"),
    ];
    let note = bench.post("credit_notes", &form).await.ok();
    assert_eq!((&note["total"], &note["total_excluding_tax"]), (&json!(3000), &json!(2500)));
    assert_eq!(note["type"], "post_payment");
    let id = note["id"].as_str().unwrap();
    let wrong = [("invoice", invoice.as_str()), ("amount", "500"), ("refund_amount", "400")];
    assert_eq!(bench.post("credit_notes", &wrong).await.status, 400, "the parts must add up");
    let refund = note["refunds"][0]["refund"].as_str().unwrap();
    assert_eq!(bench.get(&format!("refunds/{refund}")).await.ok()["charge"], json!(charge));
    assert_eq!(bench.get(&format!("customers/{customer}")).await.ok()["balance"], -1500);
    let credit = bench.get(&format!("customers/{customer}/balance_transactions")).await.ok();
    assert_eq!(credit["data"][0]["credit_note"], json!(id));
    let after = bench.get(&format!("invoices/{invoice}")).await.ok();
    assert_eq!(after["post_payment_credit_notes_amount"], 3000);
    assert_eq!(after["amount_paid"], 12_000);
    let listed =
        bench.get(&format!("credit_notes?invoice={invoice}&created[gte]=0&expand[]=data.refunds")).await.ok();
    assert_eq!(listed["data"][0]["id"], json!(id));
    let lines = bench.get(&format!("credit_notes/{id}/lines")).await.ok();
    assert_eq!(lines["data"][0]["invoice_line_item"], json!(line));
    assert_eq!(bench.post(&format!("credit_notes/{id}/void"), &[]).await.status, 400);
    let kinds: Vec<Value> =
        bench.get("events?types[]=credit_note.created&types[]=invoice.updated").await.ok()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["type"].clone())
            .collect();
    assert_eq!(kinds, [json!("invoice.updated"), json!("credit_note.created")]);
    bench.no_violations();
}
