//! Any order and any duplication of the same events ends in the same books.

use crate::support::story::{Story, expected};
use crate::support::{Engine, Numbers, World, both_engines};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tributary_stripe::story::{Era, Plot};

both_engines!(any_order_and_any_copies_end_in_the_same_books, the_order_backwards_too);

fn plot(tag: &str, currency: &str, total: i64, tax: i64, refund: i64) -> Plot {
    let currency = currency.to_owned();
    Plot { currency, total, tax, refund, client_reference_id: None, ..Plot::new(tag) }
}

/// Six buyers in six eras, four currencies, three ways to be referred, and one whom nobody referred.
fn stories() -> Vec<Story> {
    let by_link = |plot: Plot, partner: &str| Plot { client_reference_id: Some(partner.to_owned()), ..plot };
    let by_metadata = |plot: Plot, partner: &str| Plot { partner_key: Some(partner.to_owned()), ..plot };
    let story = |plot, era, subscription, partner| Story { plot, era, subscription, partner };
    vec![
        story(by_link(plot("a", "usd", 12_000, 2000, 6000), "ADA"), Era::Dahlia, true, Some("ADA")),
        story(by_metadata(plot("b", "usd", 9999, 0, 3333), "BOB"), Era::Y2020, true, Some("BOB")),
        story(by_link(plot("c", "eur", 1001, 167, 1), "ADA"), Era::Clover, false, Some("ADA")),
        story(by_metadata(plot("d", "jpy", 777, 0, 777), "BOB"), Era::Acacia, false, Some("BOB")),
        story(plot("e", "kwd", 12_345, 45, 10), Era::Basil, true, Some("CARL")),
        story(plot("f", "usd", 5000, 0, 0), Era::Y2023, false, None),
    ]
}

/// The books after the events came in this order, several at a time.
async fn books(engine: Engine, events: &[Value], at_once: usize) -> String {
    let world = World::comparable(engine).await;
    world.partner("BOB").await;
    world.partner("CARL").await;
    // The fifth buyer signed up by the server's call; only the e-mail address says that it is the same person.
    let stories = stories();
    world.customer("signed-up", Some(&stories[4].plot.email), "CARL").await;
    for story in &stories {
        story.put(&world.stripe);
    }
    stream::iter(events).for_each_concurrent(at_once, |event| world.deliver(event)).await;
    world.settled().await;
    world.expect_totals(&expected(&stories)).await;
    let roots =
        world.database.number("SELECT COUNT(*) FROM sale WHERE merged_into IS NULL AND paid > 0").await;
    assert_eq!(roots, 9, "three subscriptions of two invoices, and three single purchases");
    let digest = world.digest().await;
    world.finish().await;
    digest
}

async fn any_order_and_any_copies_end_in_the_same_books(engine: Engine) {
    let events: Vec<Value> = stories().iter().flat_map(Story::events).collect();
    let in_order = books(engine, &events, 1).await;
    for seed in 1..=4 {
        let mut numbers = Numbers::new(seed);
        let mut mixed: Vec<Value> = events.iter().chain(&events).cloned().collect();
        numbers.shuffle(&mut mixed);
        assert_eq!(books(engine, &mixed, 8).await, in_order, "seed {seed}");
    }
}

async fn the_order_backwards_too(engine: Engine) {
    let mut events: Vec<Value> = stories().iter().flat_map(Story::events).collect();
    let in_order = books(engine, &events, 1).await;
    events.reverse();
    assert_eq!(books(engine, &events, 1).await, in_order);
}
