//! Against a double that others wrote: localstripe, driven by Stripe's official Python SDK.

use crate::support::process::{Running, command, free_port};
use crate::support::tools::{python, python_script};
use crate::support::{Engine, World, both_engines, eventually};
use serde_json::{Value, json};
use std::time::Duration;

both_engines!(commissions_equal_an_independent_sum_over_its_invoices);

/// Stripe customers made; every second one gets two subscriptions.
const CUSTOMERS: usize = 54;
const PARTNERS: [&str; 3] = ["ADA", "BOB", "CARL"];

async fn story(input: Value) -> Value {
    python_script("localstripe_story.py", &input, Duration::from_secs(120)).await.ok().json()
}

async fn commissions_equal_an_independent_sum_over_its_invoices(engine: Engine) {
    let mut world = World::empty(engine).await;
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let mut double = command(python("localstripe").await, world.folder.path());
    double.args(["--port", &port.to_string(), "--from-scratch"]);
    let double = Running::start(double, world.folder.path().join("localstripe.log"));
    eventually("localstripe answers", Duration::from_secs(30), || async {
        let answer =
            world.http.get(format!("{base}/v1/customers")).bearer_auth("sk_test_localstripe").send().await;
        answer.ok().filter(|answer| answer.status().is_success()).map(|_| ())
    })
    .await;

    world.set("TRIBUTARY_STRIPE_API_BASE", &base);
    world.setup().await;
    world.serve().await;
    let secret = world.secret.clone();
    let said = world.connect_with(&world.program, "sk_test_localstripe", Some(&secret)).await.ok();
    // It knows no /v1/account: that is a remark, not an obstacle.
    assert!(said.stdout.contains("webhook_url"), "{said:?}");
    for partner in PARTNERS {
        world.partner(partner).await;
    }
    let hook = json!({ "url": world.webhook_url(&world.program), "secret": secret });
    let registered = world.http.post(format!("{base}/_config/webhooks/tributary")).json(&hook).send().await;
    assert!(registered.expect("localstripe answers").status().is_success());

    let customers = story(json!({ "base": base, "step": "customers", "count": CUSTOMERS })).await;
    let mut partner_of = serde_json::Map::new();
    for (n, customer) in customers.as_array().expect("a list").iter().enumerate() {
        let partner = PARTNERS[n % 2 + n % 5 / 4];
        let (id, email) = (customer["id"].as_str().expect("an id"), customer["email"].as_str());
        // Three ways to be known: metadata names the customer's key; the key is Stripe's id; the e-mail is the same.
        match n % 3 {
            0 => world.customer(&format!("shop-{n}"), None, partner).await,
            1 => world.customer(id, None, partner).await,
            _ => world.customer(&format!("mail-{n}"), email, partner).await,
        };
        partner_of.insert(id.to_owned(), json!(partner));
    }
    story(json!({ "base": base, "step": "subscribe", "customers": customers })).await;
    let sums = story(json!({ "base": base, "step": "sums", "partners": partner_of })).await;
    let paid = sums["paid"].as_i64().expect("a count");
    assert!(paid >= 50, "{sums}");

    // It sends each webhook once, a second later, and never again.
    let arrived = "SELECT COUNT(*) FROM event WHERE type = 'invoice.payment_succeeded'";
    eventually("every paid invoice arrives", Duration::from_secs(60), || async {
        (world.database.number(arrived).await >= paid).then_some(())
    })
    .await;
    world.settled().await;
    let mut expected = Vec::new();
    for (partner, by_currency) in sums["totals"].as_object().expect("totals") {
        for (currency, amount) in by_currency.as_object().expect("currencies") {
            expected.push((partner.as_str(), currency.clone(), amount.as_i64().expect("a number")));
        }
    }
    assert!(expected.len() >= 6, "{sums}");
    world.expect_totals(&expected).await;
    assert_eq!(
        world.database.number("SELECT COUNT(*) FROM sale WHERE merged_into IS NULL AND paid > 0").await,
        paid,
        "one sale for each paid invoice, whatever number of objects tells of it"
    );
    world.finish().await;
    drop(double);
}
