//! The same story, told in every era of Stripe's API, ends in the same books.

use crate::support::story::{Story, expected};
use crate::support::{Engine, World, both_engines};
use serde_json::{Value, json};
use tributary_stripe::story::{Era, Plot};

both_engines!(every_era_ends_in_the_same_books, a_version_of_the_future_changes_nothing);

/// A subscription with a renewal and a half refund, and a guest's purchase by Payment Link with another.
fn stories(era: Era) -> [Story; 2] {
    let link = Plot { currency: "eur".to_owned(), total: 4999, tax: 798, refund: 1000, ..Plot::new("link") };
    [
        Story { plot: Plot::new("sub"), era, subscription: true, partner: Some("ADA") },
        Story { plot: link, era, subscription: false, partner: Some("ADA") },
    ]
}

/// A world in which the stories were told; `twist` may change each event.
async fn told(engine: Engine, era: Era, twist: impl Fn(Value) -> Value) -> World {
    let world = World::comparable(engine).await;
    let stories = stories(era);
    for story in &stories {
        story.put(&world.stripe);
    }
    let events: Vec<Value> = stories.iter().flat_map(Story::events).map(twist).collect();
    world.deliver_all(&events).await;
    world.settled().await;
    world.expect_totals(&expected(&stories)).await;
    world
}

async fn every_era_ends_in_the_same_books(engine: Engine) {
    let mut digests = Vec::new();
    for era in Era::ALL {
        let world = told(engine, era, |event| event).await;
        digests.push((era, world.digest().await));
        world.finish().await;
    }
    assert!(digests.iter().all(|(_, digest)| *digest == digests[0].1), "{digests:#?}");
}

async fn a_version_of_the_future_changes_nothing(engine: Engine) {
    let plain = told(engine, Era::Dahlia, |event| event).await.digest().await;
    let future = told(engine, Era::Dahlia, |mut event| {
        event["api_version"] = json!("2099-01-01.zzz");
        event["a_new_field"] = json!({ "of": ["the", "future", null, 1.5e300] });
        grow(&mut event["data"]["object"], 0);
        event
    })
    .await;
    assert_eq!(future.digest().await, plain);
    future.finish().await;
}

/// Adds unknown fields to an object and to what lies in it.
fn grow(value: &mut Value, depth: usize) {
    if let Value::Object(object) = value {
        // Metadata belongs to the merchant: a new key there is not a new field.
        for (_, inner) in object.iter_mut().filter(|(name, _)| *name != "metadata") {
            grow(inner, depth + 1);
        }
        object.insert(format!("new_at_{depth}"), json!([{ "id": "x_1", "amount": 99_999_999 }, null, "x"]));
    } else if let Value::Array(list) = value {
        list.iter_mut().for_each(|inner| grow(inner, depth + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_end_in_the_same_books() {
    let sqlite = told(Engine::Sqlite, Era::Clover, |event| event).await.digest().await;
    let postgres = told(Engine::Postgres, Era::Clover, |event| event).await.digest().await;
    assert_eq!(sqlite, postgres);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_books_have_another_digest() {
    let one = told(Engine::Sqlite, Era::Clover, |event| event).await;
    let before = one.digest().await;
    let more = Story { plot: Plot::new("more"), era: Era::Clover, subscription: false, partner: Some("ADA") };
    more.put(&one.stripe);
    one.deliver_all(&more.events()).await;
    one.settled().await;
    assert_ne!(one.digest().await, before);
}
