//! Disputes, inquiries and credit notes, by a sandbox that delivers out of order: what holds, what is taken back, what
//! returns, and that never more is taken back than was earned.

use crate::missed::KEY;
use crate::support::browser::Browser;
use crate::support::sandbox::Sandbox;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines};
use serde_json::{Value, json};

both_engines!(
    an_open_dispute_holds_and_its_end_decides,
    refund_and_dispute_never_take_back_more_than_was_earned,
    of_a_credit_note_only_what_went_past_stripe_reverses,
);

async fn connected(engine: Engine) -> (World, Sandbox) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    world.partner("ADA").await;
    let shuffled = json!({ "shuffle": true, "duplicate_percent": 50, "drop_percent": 0, "hold": true });
    sandbox.control("delivery", &shuffled).await;
    (world, sandbox)
}

/// A charge over 100.00 of a customer whom the partner brought.
async fn charge(sandbox: &Sandbox, n: usize) -> String {
    let email = format!("disputer{n}@shop.example");
    let form = [("email", email.as_str()), ("metadata[partner_key]", "ADA")];
    let made = sandbox.stripe(KEY, "POST", "customers", &form).await.expect(200);
    let customer = made.json["id"].as_str().expect("an id").to_owned();
    let form = [("amount", "10000"), ("currency", "usd"), ("customer", &customer)];
    let made = sandbox.stripe(KEY, "POST", "charges", &form).await.expect(200);
    made.json["id"].as_str().expect("an id").to_owned()
}

async fn dispute(sandbox: &Sandbox, charge: &str, wanted: &Value) -> String {
    let made = sandbox.control(&format!("charges/{charge}/dispute"), wanted).await;
    made["id"].as_str().expect("an id").to_owned()
}

async fn close(sandbox: &Sandbox, dispute: &str, status: &str) {
    sandbox.control(&format!("disputes/{dispute}/close"), &json!({ "status": status })).await;
}

async fn refund(sandbox: &Sandbox, charge: &str, amount: &str) {
    sandbox.stripe(KEY, "POST", "refunds", &[("charge", charge), ("amount", amount)]).await.expect(200);
}

async fn told(world: &World, sandbox: &Sandbox) {
    sandbox.control("delivery/flush", &json!({})).await;
    world.settled().await;
}

/// What the commission of a charge is, and whether a dispute keeps it in its hold.
async fn commission(world: &World, charge: &str) -> (i64, bool) {
    let of = |column: &str| {
        format!(
            "SELECT COALESCE(SUM({column}), 0) FROM commission c JOIN alias a ON a.workspace_id = c.workspace_id \
             AND a.sale_id = c.sale_id WHERE a.object_id = '{charge}'"
        )
    };
    let held = world.database.number(&of("CASE WHEN c.held THEN 1 ELSE 0 END")).await;
    (world.database.number(&of("c.target")).await, held == 1)
}

async fn an_open_dispute_holds_and_its_end_decides(engine: Engine) {
    let (world, sandbox) = connected(engine).await;
    let mut charges = Vec::new();
    for n in 0..5 {
        charges.push(charge(&sandbox, n).await);
    }
    let [open, won, lost, asked, taken] = charges.as_slice() else { panic!("five charges") };
    let inquiry = json!({ "inquiry": true });
    let mut disputes = Vec::new();
    for (charge, wanted) in [
        (open, &json!({})),
        (won, &json!({})),
        (lost, &json!({ "amount": 4_000 })),
        (asked, &inquiry),
        (taken, &inquiry),
    ] {
        disputes.push(dispute(&sandbox, charge, wanted).await);
    }
    told(&world, &sandbox).await;
    for charge in &charges {
        assert_eq!(
            commission(&world, charge).await,
            (3_000, true),
            "an open dispute takes nothing and holds"
        );
    }
    // The hold of 30 days is over, and still nothing that is disputed becomes payable.
    let months = world.database.number("SELECT CAST(MAX(payable_at) AS BIGINT) FROM commission").await;
    assert!(months > 0);
    world.database.damage("UPDATE commission SET payable_at = 1").await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(
        world.database.number("SELECT COUNT(*) FROM commission WHERE matured_at IS NOT NULL").await,
        0
    );

    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let list = format!("/p/{}/transactions?state=disputed", world.program);
    let page = browser.get(&world, &list).await;
    assert!(page.status == 200 && page.body.matches("Disputed").count() >= 5, "{}", page.body);
    let page = browser.get(&world, &format!("/p/{}/transactions/{open}", world.program)).await;
    assert!(page.body.contains("A dispute over 100.00 USD is open"), "{}", page.body);
    let words = world.command(&["explain", open.as_str()], "").await.ok().stdout;
    assert!(words.contains("Disputed 100.00 USD") && words.contains("Withdrew 100.00 USD"), "{words}");

    close(&sandbox, &disputes[1], "won").await;
    close(&sandbox, &disputes[2], "lost").await;
    close(&sandbox, &disputes[3], "warning_closed").await;
    sandbox.control(&format!("disputes/{}/escalate", disputes[4]), &json!({})).await;
    close(&sandbox, &disputes[4], "lost").await;
    told(&world, &sandbox).await;
    for (charge, wanted) in [
        (open, (3_000, true)),
        (won, (3_000, false)),
        (lost, (1_800, false)),
        (asked, (3_000, false)),
        (taken, (0, false)),
    ] {
        assert_eq!(commission(&world, charge).await, wanted, "{charge}");
    }
    let words = world.command(&["explain", lost.as_str()], "").await.ok().stdout;
    assert!(words.contains("Dispute lost") && words.contains("lost in disputes 40.00 USD"), "{words}");
    let page = browser.get(&world, &format!("/p/{}/transactions/{taken}", world.program)).await;
    assert!(page.body.contains("lost in a dispute"), "{}", page.body);
    sandbox.agree(&world).await;
    world.finish().await;
    sandbox.stop().await;
}

async fn refund_and_dispute_never_take_back_more_than_was_earned(engine: Engine) {
    let (world, sandbox) = connected(engine).await;
    // Refunded in part, then all that is left is disputed and lost.
    let first = charge(&sandbox, 1).await;
    refund(&sandbox, &first, "3000").await;
    let opened = dispute(&sandbox, &first, &json!({})).await;
    close(&sandbox, &opened, "lost").await;
    // The bank asks about all of it, the shop refunds all of it, and the bank takes it once more.
    let second = charge(&sandbox, 2).await;
    let opened = dispute(&sandbox, &second, &json!({ "inquiry": true })).await;
    refund(&sandbox, &second, "10000").await;
    sandbox.control(&format!("disputes/{opened}/escalate"), &json!({})).await;
    close(&sandbox, &opened, "lost").await;
    // A part lost, a part refunded, and a part that stays.
    let third = charge(&sandbox, 3).await;
    let opened = dispute(&sandbox, &third, &json!({ "amount": 2_500 })).await;
    close(&sandbox, &opened, "lost").await;
    refund(&sandbox, &third, "2500").await;
    told(&world, &sandbox).await;
    for (charge, wanted) in [(&first, 0), (&second, 0), (&third, 1_500)] {
        assert_eq!(commission(&world, charge).await, (wanted, false), "{charge}");
    }
    let below = "SELECT COUNT(*) FROM sale WHERE refunded + lost > captured OR refunded < 0 OR lost < 0";
    assert_eq!(world.database.number(below).await, 0);
    world.expect_totals(&[("ADA", "usd", 1_500)]).await;
    world.finish().await;
    sandbox.stop().await;
}

async fn of_a_credit_note_only_what_went_past_stripe_reverses(engine: Engine) {
    let (world, sandbox) = connected(engine).await;
    let form = [("email", "ivo@shop.example"), ("metadata[partner_key]", "ADA")];
    let made = sandbox.stripe(KEY, "POST", "customers", &form).await.expect(200);
    let customer = made.json["id"].as_str().expect("an id").to_owned();
    let mut invoices = Vec::new();
    for _ in 0..2 {
        let item = [("customer", customer.as_str()), ("amount", "10000"), ("currency", "usd")];
        sandbox.stripe(KEY, "POST", "invoiceitems", &item).await.expect(200);
        let form = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
        let made = sandbox.stripe(KEY, "POST", "invoices", &form).await.expect(200);
        let id = made.json["id"].as_str().expect("an id").to_owned();
        sandbox.stripe(KEY, "POST", &format!("invoices/{id}/finalize"), &[]).await.expect(200);
        sandbox.stripe(KEY, "POST", &format!("invoices/{id}/pay"), &[]).await.expect(200);
        invoices.push(id);
    }
    // To the balance: the next invoice brings less, this one takes nothing back. Past Stripe: it reverses.
    let to_balance = [("invoice", invoices[0].as_str()), ("amount", "4000"), ("credit_amount", "4000")];
    sandbox.stripe(KEY, "POST", "credit_notes", &to_balance).await.expect(200);
    let past = [("invoice", invoices[1].as_str()), ("amount", "4000"), ("out_of_band_amount", "4000")];
    sandbox.stripe(KEY, "POST", "credit_notes", &past).await.expect(200);
    told(&world, &sandbox).await;
    assert_eq!(commission(&world, &invoices[0]).await, (3_000, false));
    assert_eq!(commission(&world, &invoices[1]).await, (1_800, false));
    let words = world.command(&["explain", &invoices[1]], "").await.ok().stdout;
    assert!(words.contains("Credited 40.00 USD") && words.contains("outside of Stripe"), "{words}");
    sandbox.agree(&world).await;
    world.finish().await;
    sandbox.stop().await;
}
