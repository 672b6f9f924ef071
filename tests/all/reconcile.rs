//! Comparing with Stripe: what ties, what is missing, and the button that mends it.

use crate::missed::KEY;
use crate::support::browser::Browser;
use crate::support::sandbox::Sandbox;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, eventually};
use serde_json::{Value, json};
use std::time::Duration;

both_engines!(
    a_deleted_sale_is_found_and_healed,
    what_was_never_delivered_is_found_and_healed,
    what_came_to_another_end_is_found_and_healed,
);

async fn reconcile(world: &World, more: &[&str]) -> (i32, Value) {
    let mut arguments = vec![
        "reconcile",
        "--program",
        &world.program,
        "--from",
        "2026-01-01",
        "--to",
        "2027-01-30",
        "--json",
    ];
    arguments.extend(more);
    let output = world.command(&arguments, "").await;
    (output.code, output.json())
}

fn count(report: &Value, status: &str) -> i64 {
    let counts = report["connections"][0]["counts"].as_array().expect("counts");
    counts
        .iter()
        .find(|count| count["status"] == status)
        .map_or(0, |count| count["lines"].as_i64().expect("a number"))
}

/// Stripe's own sums, by the sandbox's lists: charges captured and refunds that did not fail.
async fn at_stripe(sandbox: &Sandbox) -> (i64, i64) {
    let sum = |list: Value, status: &'static str, field: &'static str| -> i64 {
        let all = list["data"].as_array().expect("a list").clone();
        all.iter()
            .filter(|one| one["status"] == status)
            .map(|one| one[field].as_i64().expect("a number"))
            .sum()
    };
    let charges = sandbox.stripe("sk_test_looking", "GET", "charges?limit=100", &[]).await.expect(200).json;
    let refunds = sandbox.stripe("sk_test_looking", "GET", "refunds?limit=100", &[]).await.expect(200).json;
    (sum(charges, "succeeded", "amount_captured"), sum(refunds, "succeeded", "amount"))
}

async fn a_deleted_sale_is_found_and_healed(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    world.partner("ADA").await;
    for story in ["half_refund", "guest_one_time", "manual_capture", "dispute_lost", "inquiry", "credit_note"]
    {
        sandbox.play(&world, story).await;
    }
    // A purchase that nobody referred.
    sandbox.stripe(KEY, "POST", "charges", &[("amount", "700"), ("currency", "usd")]).await.expect(200);
    sandbox.control("delivery/flush", &json!({})).await;
    world.settled().await;
    let digest = world.digest().await;
    let (code, said) = reconcile(&world, &[]).await;
    assert_eq!((code, &said["ties"]), (0, &json!(true)), "{said}");
    let (captured, refunded) = at_stripe(&sandbox).await;
    let sum_of = |list: &str, side: &str| -> i64 {
        let sums = said["connections"][0]["sums"].as_array().expect("sums");
        sums.iter().filter(|sum| sum["list"] == list).map(|sum| sum[side].as_i64().expect("a number")).sum()
    };
    for side in ["stripe", "tributary"] {
        assert_eq!(
            (sum_of("charges", side), sum_of("refunds", side)),
            (captured, refunded),
            "{side}: {said}"
        );
    }
    for side in ["stripe", "tributary"] {
        assert_eq!(sum_of("disputes", side), 18_000, "{side}: two disputes over 90.00: {said}");
        assert_eq!(sum_of("credit_notes", side), 1_000, "{side}: 10.00 past Stripe: {said}");
    }
    assert!(count(&said, "commissioned") > 2, "{said}");
    let nobody = count(&said, "not_commissioned");
    assert!(nobody > 0 && said.to_string().contains("It earns nothing"), "{said}");

    // Somebody deletes a sale and all that is known of its objects, past the ledger.
    let sale = world
        .database
        .text(
            "SELECT sale_id FROM sale WHERE state = 'paid' AND merged_into IS NULL AND refunded > 0 \
             AND detail NOT LIKE '%credited%'",
        )
        .await;
    let root = world.database.text(&format!("SELECT root_id FROM sale WHERE sale_id = '{sale}'")).await;
    let damage = format!(
        "DELETE FROM evidence WHERE sale_id = '{sale}'; DELETE FROM alias WHERE sale_id = '{sale}'; \
         DELETE FROM sale WHERE sale_id = '{sale}'"
    );
    world.database.damage(&damage).await;
    let (code, said) = reconcile(&world, &[]).await;
    assert_eq!((code, &said["ties"]), (1, &json!(false)), "{said}");
    assert!(count(&said, "missing") >= 2, "invoice, charge and refund are missing: {said}");

    // The page says the same, and its button mends it.
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/reconcile", world.program);
    let page = browser.get(&world, &path).await;
    assert!(
        page.status == 200 && page.body.contains("It does not tie") && page.body.contains("Missing here")
    );
    let heal = page
        .body
        .split("action=\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|to| to.ends_with("/heal"));
    let heal = heal.expect("a button").to_owned();
    let refused = browser.post(&world, &heal, &[("form_token", "wrong")]).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let totals = world.ledger_totals().await;
    let pressed = browser.post(&world, &heal, &[("form_token", &page.token())]).await;
    assert_eq!(pressed.status, 303, "{pressed:?}");
    eventually("the sale is back", Duration::from_secs(60), || async {
        let jobs = world.database.number("SELECT COUNT(*) FROM job WHERE state = 'ready'").await;
        let back =
            world.database.number(&format!("SELECT COUNT(*) FROM sale WHERE root_id = '{root}'")).await;
        (jobs == 0 && back == 1).then_some(())
    })
    .await;
    world.settled().await;
    assert_eq!(world.digest().await, digest, "the books are what they were");
    // By the sums: where the charge is read before its refund, what it brings is posted first and taken back then.
    assert_eq!(world.ledger_totals().await, totals, "nothing was posted twice");
    let page = browser.get(&world, &pressed.location).await;
    assert!(page.body.contains("Everything ties"), "{}", page.status);
    let csv =
        page.body.split("href=\"").filter_map(|rest| rest.split('"').next()).find(|to| to.contains(".csv"));
    let csv = browser.get(&world, &csv.expect("a file").replace("&amp;", "&").replace("&#38;", "&")).await;
    assert!(
        csv.status == 200 && csv.body.starts_with("date,list,object") && csv.body.contains("commissioned")
    );
    let (code, _) = reconcile(&world, &[]).await;
    assert_eq!(code, 0);
    world.finish().await;
    sandbox.stop().await;
}

async fn what_was_never_delivered_is_found_and_healed(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    world.partner("ADA").await;
    sandbox.play(&world, "payment_link").await;
    let lossy = json!({ "shuffle": false, "duplicate_percent": 0, "drop_percent": 100, "hold": false });
    sandbox.control("delivery", &lossy).await;
    // Each says in another place who brought it: the payment, the session of a guest, that of a subscription, the customer.
    for story in ["half_refund", "guest_one_time", "trial_to_paid", "sepa_delay", "upgrade"] {
        sandbox.play(&world, story).await;
    }
    charge(&sandbox, 9).await;
    world.settled().await;
    let (code, said) = reconcile(&world, &[]).await;
    assert_eq!(code, 1, "{said}");
    assert!(count(&said, "missing") >= 7, "{said}");
    let (code, said) = reconcile(&world, &["--heal"]).await;
    assert_eq!((code, &said["ties"]), (0, &json!(true)), "{said}");
    sandbox.agree(&world).await;
    world.finish().await;

    // The page begins one as well, and odd days are refused with what is allowed.
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/reconcile", world.program);
    let page = browser.get(&world, &path).await;
    let token = page.token();
    let account = world.database.text("SELECT connection_id FROM connection").await;
    let form = |from: &'static str, to: &'static str| {
        vec![
            ("form_token", token.clone()),
            ("account", account.clone()),
            ("from", from.to_owned()),
            ("to", to.to_owned()),
        ]
    };
    for (from, to, word) in [
        ("x", "2026-01-02", "2026-01-31"),
        ("2026-02-01", "2026-01-01", "before"),
        ("2020-01-01", "2026-01-01", "400"),
    ] {
        let form = form(from, to);
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = browser.post(&world, &path, &form).await;
        assert!(refused.status == 422 && refused.body.contains(word), "{from} {to}: {}", refused.status);
    }
    let form = form("2026-01-01", "2027-01-30");
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let begun = browser.post(&world, &path, &form).await;
    assert_eq!(begun.status, 303, "{begun:?}");
    for _ in 0..200 {
        if browser.get(&world, &begun.location).await.body.contains("Everything ties") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(browser.get(&world, &begun.location).await.body.contains("Everything ties"));

    // History: a run is begun, shown, and what is odd is refused.
    let history = format!("/p/{}/settings/stripe/{account}/history", world.program);
    let page = browser.get(&world, &history).await;
    assert!(page.status == 200 && page.body.contains("Comparison"), "{}", page.status);
    let odd = [("form_token", token.as_str()), ("what", "events"), ("since", "2020-01-01")];
    let refused = browser.post(&world, &history, &odd).await;
    assert!(refused.status == 422 && refused.body.contains("30 days"), "{}", refused.status);
    let wish = [("form_token", token.as_str()), ("what", "objects"), ("since", "")];
    assert_eq!(browser.post(&world, &history, &wish).await.status, 303);
    let done =
        "SELECT COUNT(*) FROM import_run WHERE kind = 'objects' AND state = 'done' AND started_by = 'person'";
    eventually("the history is read", Duration::from_secs(60), || async {
        (world.database.number(done).await == 1).then_some(())
    })
    .await;
    world.settled().await;
    assert!(browser.get(&world, &history).await.body.contains("by hand"));
    world.finish().await;
}

/// A charge over 100.00 of a customer whom the partner brought.
async fn charge(sandbox: &Sandbox, n: usize) -> String {
    let email = format!("ended{n}@shop.example");
    let form = [("email", email.as_str()), ("metadata[partner_key]", "ADA")];
    let customer = sandbox.stripe(KEY, "POST", "customers", &form).await.expect(200).json;
    let form =
        [("amount", "10000"), ("currency", "usd"), ("customer", customer["id"].as_str().expect("an id"))];
    let made = sandbox.stripe(KEY, "POST", "charges", &form).await.expect(200).json;
    made["id"].as_str().expect("an id").to_owned()
}

/// How it began was told, how it ended was not.
async fn what_came_to_another_end_is_found_and_healed(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    world.partner("ADA").await;
    let (mut disputes, mut refunds) = (Vec::new(), Vec::new());
    for n in 0..4 {
        let charge = charge(&sandbox, n).await;
        if n < 3 {
            let made = sandbox.control(&format!("charges/{charge}/dispute"), &json!({})).await;
            disputes.push(made["id"].as_str().expect("an id").to_owned());
        } else {
            let form = [("charge", charge.as_str()), ("amount", "4000")];
            let made = sandbox.stripe(KEY, "POST", "refunds", &form).await.expect(200).json;
            refunds.push(made["id"].as_str().expect("an id").to_owned());
        }
    }
    sandbox.control(&format!("disputes/{}/close", disputes[2]), &json!({ "status": "lost" })).await;
    sandbox.control("delivery/flush", &json!({})).await;
    sandbox.agree(&world).await;
    let (code, said) = reconcile(&world, &[]).await;
    assert_eq!((code, &said["ties"]), (0, &json!(true)), "{said}");

    let lossy = json!({ "shuffle": false, "duplicate_percent": 0, "drop_percent": 100, "hold": false });
    sandbox.control("delivery", &lossy).await;
    for (dispute, status) in disputes.iter().zip(["lost", "won"]) {
        sandbox.control(&format!("disputes/{dispute}/close"), &json!({ "status": status })).await;
    }
    sandbox.control(&format!("refunds/{}/fail", refunds[0]), &json!({})).await;
    let (code, said) = reconcile(&world, &[]).await;
    assert_eq!(code, 1, "{said}");
    assert_eq!(count(&said, "different"), 3, "{said}");
    let (code, said) = reconcile(&world, &["--heal"]).await;
    assert_eq!((code, &said["ties"]), (0, &json!(true)), "{said}");
    sandbox.agree(&world).await;
    world.finish().await;
}
