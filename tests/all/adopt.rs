//! One purchase told twice, by the API under Stripe's id and by Stripe, is one sale, whichever came first and wherever the
//! first was kept.

use crate::support::story::commission;
use crate::support::{Engine, FakeStripe, World, both_engines};
use serde_json::json;
use tributary_stripe::story::{self, Era, Plot};

both_engines!(
    what_the_api_wrote_before_stripe_was_connected_is_the_same_purchase,
    what_the_api_wrote_beside_two_accounts_goes_to_the_one_that_tells_of_it,
);

/// A program with the partners ADA and BOB, and the customer `u1` of BOB.
async fn people(engine: Engine) -> World {
    let world = World::started(engine).await;
    world.partner("ADA").await;
    world.partner("BOB").await;
    world.customer("u1", None, "BOB").await;
    world
}

async fn written(world: &World, key: &str) {
    let body = json!({ "key": key, "amount": "120.00", "amount_units": "usd", "customer": { "key": "u1" } });
    world.post("/v1/transactions", &body).await.expect(201);
    world.settled().await;
}

/// Stripe tells of the purchase, and gives half of it back; then the API takes the purchase away.
async fn told_and_deleted(world: &World, plot: &Plot, key: &str) {
    let one = commission(plot.total - plot.tax, plot.total - plot.refund, plot.total);
    for times in 1..=2 {
        world.deliver_all(&story::payment_link(Era::Dahlia, plot)).await;
        world.settled().await;
        world.expect_totals(&[("BOB", "usd", one)]).await;
        let list = world.get("/v1/customers/u1/transactions").await.expect(200);
        let found = list.data().as_array().map(|list| list.iter().filter(|one| one["key"] == key).count());
        assert_eq!(found, Some(1), "told {times} times: {list:?}");
    }
    world.finish().await;
    world.delete(&format!("/v1/transactions/{key}")).await.expect(200);
    world.deliver_all(&story::payment_link(Era::Clover, plot)).await;
    world.settled().await;
    world.expect_totals::<&str>(&[]).await;
    world.delete(&format!("/v1/transactions/{key}")).await.expect_error(404);
    world.finish().await;
}

async fn what_the_api_wrote_before_stripe_was_connected_is_the_same_purchase(engine: Engine) {
    let world = people(engine).await;
    let plot = Plot { client_reference_id: None, ..Plot::new("early") };
    let key = plot.purchase(1).payment_intent;
    written(&world, &key).await;
    // And one that is deleted before Stripe tells of it stays so.
    let gone = Plot { client_reference_id: None, ..Plot::new("gone") };
    let gone_key = gone.purchase(1).charge;
    written(&world, &gone_key).await;
    world.delete(&format!("/v1/transactions/{gone_key}")).await.expect(200);
    world.expect_totals(&[("BOB", "usd", 3600)]).await;
    world.connect().await;
    world.deliver_all(&story::payment_link(Era::Dahlia, &gone)).await;
    world.settled().await;
    world.expect_totals(&[("BOB", "usd", 3600)]).await;
    told_and_deleted(&world, &plot, &key).await;
}

async fn what_the_api_wrote_beside_two_accounts_goes_to_the_one_that_tells_of_it(engine: Engine) {
    let mut world = people(engine).await;
    world.connect().await;
    let other = FakeStripe::start().await;
    other.be("acct_other");
    world.set("TRIBUTARY_STRIPE_API_BASE", &other.base);
    let secrets = [world.secret.clone(), "whsec_of_the_other_account_0123456789".to_owned()];
    world.connect_with(&world.program, "sk_test_the_other_one", Some(&secrets[1])).await.ok();
    let second = Plot { client_reference_id: None, ..Plot::new("second") };
    let first = Plot { client_reference_id: None, ..Plot::new("first") };
    let keys = [first.purchase(1).payment_intent, second.purchase(1).payment_intent];
    for key in &keys {
        written(&world, key).await;
    }
    let both = world.database.number("SELECT COUNT(DISTINCT connection_id) FROM api_transaction").await;
    assert_eq!(both, 1, "nobody knows yet whose they are");
    // Either account tells of one of them.
    world.expect_totals(&[("BOB", "usd", 7200)]).await;
    world.secret.clone_from(&secrets[0]);
    world.deliver_all(&story::payment_link(Era::Dahlia, &first)).await;
    world.settled().await;
    let one = commission(first.total - first.tax, first.total - first.refund, first.total);
    world.expect_totals(&[("BOB", "usd", 3600 + one)]).await;
    world.delete(&format!("/v1/transactions/{}", keys[0])).await.expect(200);
    world.secret.clone_from(&secrets[1]);
    told_and_deleted(&world, &second, &keys[1]).await;
    let both = world.database.number("SELECT COUNT(DISTINCT connection_id) FROM api_transaction").await;
    assert_eq!(both, 2, "each lies where it was told of");
}
