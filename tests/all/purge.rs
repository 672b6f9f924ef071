//! Raw payloads go by age; what was understood of them is enough.

use crate::support::browser::Browser;
use crate::support::story::Story;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, eventually};
use std::time::Duration;
use tributary_stripe::story::{Era, Plot};

both_engines!(after_the_purge_the_books_can_still_be_derived);

async fn after_the_purge_the_books_can_still_be_derived(engine: Engine) {
    let mut world = World::connected(engine).await;
    let stories = [
        Story { plot: Plot::new("old"), era: Era::Dahlia, subscription: true, partner: Some("ADA") },
        Story { plot: Plot::new("bare"), era: Era::Basil, subscription: false, partner: Some("ADA") },
    ];
    for story in &stories {
        story.put(&world.stripe);
        world.deliver_all(&story.events()).await;
    }
    world.settled().await;
    let digest = world.digest().await;
    assert_eq!(world.stop().await, 0);
    let events = world.database.number("SELECT COUNT(*) FROM event").await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event_payload").await, events);
    // Long ago, by two months more than is kept.
    world.database.damage("UPDATE observation SET fetched_at = 1000").await;
    world.set("TRIBUTARY_RAW_PAYLOAD_DAYS", "30");
    let youngest = world.database.number("SELECT MAX(created_at) FROM event").await;
    let parked = world.database.text("SELECT MIN(event_id) FROM event").await;
    world
        .database
        .damage(&format!(
            "UPDATE event SET outcome = 'parked', reason = 'by the test' WHERE event_id = '{parked}'"
        ))
        .await;
    world.serve().await;
    let left = "SELECT COUNT(*) FROM event_payload";
    let month_ms = 32 * 86_400_000_i64;
    let old_enough = crate::support::now_s() * 1000 - youngest > 30 * 86_400_000 + month_ms;
    assert!(old_enough, "the stories happened long ago");
    eventually("the payloads are purged", Duration::from_secs(30), || async {
        (world.database.number(left).await == 1).then_some(())
    })
    .await;
    eventually("the answers are purged", Duration::from_secs(30), || async {
        let full = "SELECT COUNT(*) FROM observation WHERE purged_at IS NULL";
        (world.database.number(full).await == 0).then_some(())
    })
    .await;
    assert_eq!(
        world.database.text("SELECT event_id FROM event_payload").await,
        parked,
        "what is parked keeps its payload"
    );
    let marked = "SELECT COUNT(*) FROM event WHERE purged_at IS NOT NULL";
    assert_eq!(world.database.number(marked).await, events - 1);
    let back = format!("UPDATE event SET outcome = 'processed', reason = '' WHERE event_id = '{parked}'");
    world.database.damage(&back).await;
    let said = world.replay().await;
    assert_eq!(said["digest"], digest.as_str(), "{said}");
    assert!(said["from_facts"].as_u64() > Some(3), "{said}");
    // One of them is run again, from what was understood of it.
    let purged = world.database.rows(
        "SELECT event_id, connection_id FROM event WHERE purged_at IS NOT NULL AND outcome = 'processed' ORDER BY 1 LIMIT 1",
    );
    let purged = purged.await;
    let (event, connection) = (purged[0][0].clone().expect("an id"), purged[0][1].clone().expect("an id"));
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/events/{connection}/{event}", world.program);
    let page = browser.get(&world, &path).await;
    assert!(page.body.contains("The payload was purged on"), "{}", page.body);
    world
        .database
        .damage(&format!("UPDATE event SET outcome = 'pending', run_at = 0 WHERE event_id = '{event}'"))
        .await;
    world.settled().await;
    let reason = world.database.text(&format!("SELECT reason FROM event WHERE event_id = '{event}'")).await;
    assert!(reason.contains("purged"), "{reason}");
    assert_eq!(world.digest().await, digest);
    world.finish().await;
}
