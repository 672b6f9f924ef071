//! Where evidence may stand, whatever order it comes in: every place of metadata, odd references, addresses that change.

use crate::support::story::{Story, commission, expected};
use crate::support::{Engine, World, both_engines};
use serde_json::{Value, json};
use tributary_stripe::story::{Era, Plot, wrap};

both_engines!(
    metadata_names_a_partner_in_every_place_and_order,
    references_that_fit_nobody_are_left_alone_with_a_reason,
    an_address_that_changed_before_paying_still_finds_the_customer,
    a_deleted_buyer_and_a_suspended_partner_change_no_other_time,
);

fn story(tag: &str, era: Era, partner: Option<&'static str>) -> Story {
    let plot = Plot { client_reference_id: None, refund: 0, ..Plot::new(tag) };
    Story { plot, era, subscription: true, partner }
}

async fn tell(world: &World, stories: &[(Story, Vec<Value>)]) {
    for (story, events) in stories {
        story.put(&world.stripe);
        world.deliver_all(events).await;
    }
    world.settled().await;
}

/// Puts metadata into the objects of one kind.
fn tag(events: &mut [Value], kind: &str, put: impl Fn(&mut Value)) {
    for event in events {
        let object = &mut event["data"]["object"];
        if object["object"] == kind {
            put(object);
        }
    }
}

async fn metadata_names_a_partner_in_every_place_and_order(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let named = || json!({ "partner_key": "BOB", "unknown": "x" });
    let mut stories = Vec::new();
    for (n, place) in [
        "session",
        "payment_intent",
        "charge",
        "invoice",
        "line",
        "old",
        "new",
        "customer",
        "later",
        "subscription",
        "link",
    ]
    .into_iter()
    .enumerate()
    {
        let era = if place == "old" { Era::Y2023 } else { Era::Dahlia };
        let story = story(&format!("m{place}").replace('_', ""), era, Some("BOB"));
        let mut events = story.events();
        match place {
            "session" => tag(&mut events, "checkout.session", |o| o["metadata"] = named()),
            "payment_intent" => tag(&mut events, "payment_intent", |o| o["metadata"] = named()),
            "charge" => tag(&mut events, "charge", |o| o["metadata"] = named()),
            "invoice" => tag(&mut events, "invoice", |o| o["metadata"] = named()),
            "line" => tag(&mut events, "invoice", |o| {
                o["lines"] = json!({ "object": "list", "has_more": false,
                    "data": [{ "id": "il_0", "metadata": {} }, { "id": "il_1", "metadata": named() }] });
            }),
            "old" => tag(&mut events, "invoice", |o| {
                o["subscription_details"] = json!({ "metadata": named() });
            }),
            "new" => tag(&mut events, "invoice", |o| {
                o["parent"] = json!({ "type": "subscription_details", "subscription_details":
                    { "metadata": named(), "subscription": story.plot.subscription() } });
            }),
            "customer" => tag(&mut events, "customer", |o| o["metadata"] = named()),
            "later" => {
                let mut customer = events[0]["data"]["object"].clone();
                customer["metadata"] = named();
                let at = story.plot.start_s + 40 * 86_400;
                events.push(wrap("evt_mlater99", "customer.updated", "2026-03-25.dahlia", at, customer));
            }
            "subscription" => {
                let object = json!({ "id": story.plot.subscription(), "object": "subscription",
                    "created": story.plot.start_s - 60, "customer": story.plot.customer(), "metadata": named() });
                let at = story.plot.start_s - 60;
                let type_ = "customer.subscription.created";
                events.push(wrap("evt_msub99", type_, "2026-03-25.dahlia", at, object));
            }
            _ => tag(&mut events, "checkout.session", |o| {
                o["payment_link"] = json!({ "id": "plink_1", "object": "payment_link", "metadata": named() });
            }),
        }
        // Where money comes first, it is attributed when its evidence comes.
        if n % 2 == 1 {
            events.reverse();
        }
        stories.push((story, events));
    }
    tell(&world, &stories).await;
    let told: Vec<Story> = stories.into_iter().map(|(story, _)| story).collect();
    world.expect_totals(&expected(&told)).await;
    world.finish().await;
}

async fn references_that_fit_nobody_are_left_alone_with_a_reason(engine: Engine) {
    let world = World::connected(engine).await;
    let long = "x".repeat(300);
    let wide = "ä€𝄞".repeat(200);
    let references = [
        long.as_str(),
        wide.as_str(),
        "cart/17",
        "'; --",
        "tab\tbell\u{7}",
        "vis_00",
        "https://a.example/?b=c",
        "ada",
    ];
    let mut stories = Vec::new();
    for (n, reference) in references.into_iter().enumerate() {
        let mut story = story(&format!("odd{n}"), Era::Dahlia, None);
        story.plot.client_reference_id = Some(reference.to_owned());
        let events = story.events();
        stories.push((story, events));
    }
    // A customer that is known keeps its partner whatever the reference says.
    world.customer("u-1", Some("known@example.com"), "ADA").await;
    let mut known = story("known", Era::Dahlia, Some("ADA"));
    known.plot.email = "known@example.com".to_owned();
    known.plot.client_reference_id = Some(long.clone());
    let events = known.events();
    stories.push((known, events));
    tell(&world, &stories).await;
    let told: Vec<Story> = stories.iter().map(|(story, _)| story.clone()).collect();
    world.expect_totals(&expected(&told)).await;
    for (story, _) in &stories[..references.len()] {
        let id = story.plot.session();
        let said = world.command(&["explain", &id, "--json"], "").await.ok().json();
        let reason = said["place_reason"].as_str().unwrap_or_default();
        assert!(reason.contains("is no visit, partner's key or customer's key here"), "{id}: {said}");
    }
    let said = world.command(&["explain", "cs_test_known", "--json"], "").await.ok().json();
    let pieces = said["attribution"]["considered"].as_array().expect("evidence");
    let odd =
        pieces.iter().find(|piece| piece["kind"] == "client_reference").expect("the reference is shown");
    assert_eq!(odd["verdict"], "fits_nobody", "{said}");
    assert!(odd["detail"].as_str().is_some_and(|text| text.contains("longer than the 200")), "{said}");
    world.finish().await;
}

async fn an_address_that_changed_before_paying_still_finds_the_customer(engine: Engine) {
    let world = World::connected(engine).await;
    let mut stories = Vec::new();
    for turned in [false, true] {
        let story = story(if turned { "back" } else { "forth" }, Era::Dahlia, Some("ADA"));
        let old = format!("old.{}@example.com", story.plot.tag);
        world.customer(&format!("u-{}", story.plot.tag), Some(&old), "ADA").await;
        let mut events = story.events();
        let mut before = events[0].clone();
        before["id"] = json!(format!("evt_old{}", story.plot.tag));
        before["created"] = json!(story.plot.start_s - 9_000);
        before["data"]["object"]["email"] = json!(old);
        events[0]["type"] = json!("customer.updated");
        events.insert(0, before);
        if turned {
            events.reverse();
        }
        stories.push((story, events));
    }
    tell(&world, &stories).await;
    let told: Vec<Story> = stories.into_iter().map(|(story, _)| story).collect();
    world.expect_totals(&expected(&told)).await;
    world.finish().await;
}

async fn a_deleted_buyer_and_a_suspended_partner_change_no_other_time(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let mut deleted = story("gone", Era::Dahlia, Some("ADA"));
    deleted.plot.client_reference_id = Some("ADA".to_owned());
    let mut events = deleted.events();
    let customer = events[0]["data"]["object"].clone();
    let at = deleted.plot.start_s + 86_400;
    events.push(wrap("evt_gone99", "customer.deleted", "2026-03-25.dahlia", at, customer));
    let mut paused = story("paused", Era::Dahlia, None);
    paused.plot.client_reference_id = Some("BOB".to_owned());
    let between = (paused.plot.start_s + 10 * 86_400) * 1_000;
    let own = paused.events();
    let sql = format!(
        "UPDATE partner_status SET from_ms = 1 WHERE partner_id = (SELECT partner_id FROM partner WHERE key = 'BOB'); \
         INSERT INTO partner_status (workspace_id, partner_id, from_ms, status) \
         SELECT workspace_id, partner_id, {between}, 'suspended' FROM partner WHERE key = 'BOB'"
    );
    world.database.damage(&sql).await;
    tell(&world, &[(deleted.clone(), events), (paused.clone(), own)]).await;
    let each = commission(10_000, 1, 1);
    world.expect_totals(&[("ADA", "usd", 2 * each), ("BOB", "usd", each)]).await;
    let id = paused.plot.purchase(2).invoice;
    let said = world.command(&["explain", &id, "--json"], "").await.ok().json();
    assert_eq!(said["partner"]["key"], "BOB", "it is still BOB who brought it: {said}");
    assert!(said["outcome_words"].as_str().is_some_and(|words| words.contains("suspended")), "{said}");
    world.finish().await;
}
