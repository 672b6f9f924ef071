//! A sale that waits for Stripe always has somebody who asks, or says in words why nothing is left to ask for.

use crate::support::story::{Story, expected};
use crate::support::webhook::{print, sign};
use crate::support::{Engine, Numbers, World, both_engines, eventually, now_s};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tributary_stripe::story::{Era, Plot, wrap};

both_engines!(
    look_ups_of_what_stripe_denies_leave_nothing_waiting,
    a_sale_that_nobody_asks_for_is_named_and_healed
);

/// What Stripe says no to.
const DENIED: usize = 40;

fn thin(id: &str, type_: &str, object: &str, kind: &str) -> Value {
    json!({ "id": id, "object": "v2.core.event", "type": type_, "created": "2026-11-20T10:00:00.000Z",
        "livemode": false, "context": null,
        "related_object": { "id": object, "type": kind, "url": "/v1/elsewhere" } })
}

/// Events that name what is not there: thin ones, refunds of charges that nobody has seen, and charges of invoices.
fn of_nothing(n: usize) -> Vec<Value> {
    let version = "2024-06-20";
    let refund = json!({ "id": format!("re_gone{n}"), "object": "refund", "amount": 500, "currency": "usd",
        "charge": format!("ch_gone{n}"), "payment_intent": null, "status": "succeeded", "created": 1_700_000_000 });
    let charge = json!({ "id": format!("ch_here{n}"), "object": "charge", "amount": 900, "amount_captured": 900,
        "amount_refunded": 0, "captured": true, "paid": true, "status": "succeeded", "currency": "usd",
        "created": 1_700_000_000, "invoice": format!("in_gone{n}"), "payment_intent": null, "metadata": {} });
    let mut events = vec![
        thin(&format!("evt_thin_in{n}"), "v1.invoice.paid", &format!("in_gone{n}"), "invoice"),
        thin(&format!("evt_thin_ch{n}"), "v1.charge.succeeded", &format!("ch_gone{n}"), "charge"),
        wrap(&format!("evt_re{n}"), "refund.created", version, now_s(), refund),
    ];
    // Every other invoice that is denied has a charge whose own event is enough.
    if n.is_multiple_of(2) {
        events.push(wrap(&format!("evt_ch{n}"), "charge.succeeded", version, now_s(), charge));
    }
    events
}

async fn send_all(world: &Arc<World>, events: Vec<Value>) {
    let queue = Arc::new(Mutex::new(VecDeque::from(events)));
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let (world, queue) = (world.clone(), queue.clone());
            tokio::spawn(async move {
                loop {
                    let Some(event) = queue.lock().expect("unpoisoned").pop_front() else { return };
                    let body = print(&event);
                    let header = sign(&world.secret, now_s(), &body);
                    let answer = world.send(body, Some(&header)).await;
                    assert!((200..300).contains(&answer.status), "{answer:?}");
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("the sender ends");
    }
}

async fn look_ups_of_what_stripe_denies_leave_nothing_waiting(engine: Engine) {
    let mut world = World::empty(engine).await;
    // Look-ups meet the events that answer them.
    world.set("TRIBUTARY_LINK_DELAY_MS", "0");
    world.setup().await;
    world.serve().await;
    world.connect().await;
    world.partner("ADA").await;
    let stories: Vec<Story> = (0..6)
        .map(|n| {
            let plot =
                Plot { refund: 700, client_reference_id: Some("ADA".into()), ..Plot::new(&format!("w{n}")) };
            Story { plot, era: Era::Dahlia, subscription: n % 2 == 0, partner: Some("ADA") }
        })
        .collect();
    let mut events: Vec<Value> = (0..DENIED).flat_map(of_nothing).collect();
    for story in &stories {
        story.put(&world.stripe);
        events.extend(story.events());
    }
    let copies: Vec<Value> = events.iter().step_by(3).cloned().collect();
    events.extend(copies);
    Numbers::new(11).shuffle(&mut events);
    let world = Arc::new(world);
    send_all(&world, events).await;
    world.settled().await;
    eventually("every look-up has its answer", Duration::from_secs(60), || async {
        (world.database.number("SELECT COUNT(*) FROM job WHERE kind = 'fetch'").await == 0).then_some(())
    })
    .await;
    world.expect_totals(&expected(&stories)).await;
    let state =
        |state: &str| format!("SELECT COUNT(*) FROM sale WHERE merged_into IS NULL AND state = '{state}'");
    let denied = i64::try_from(DENIED).expect("fits");
    // The refund and its charge are one purchase, an invoice without its charge another one.
    assert_eq!(world.database.number(&state("unknown")).await, denied + denied / 2);
    assert_eq!(world.database.number(&state("awaiting_parent")).await, 0);
    let said = world.command(&["explain", "ch_gone1"], "").await.ok().stdout;
    assert!(said.contains("Stripe has no such purchase"), "{said}");
    world.finish().await;
}

async fn a_sale_that_nobody_asks_for_is_named_and_healed(engine: Engine) {
    let world = World::connected(engine).await;
    let story = Story { plot: Plot::new("heal"), era: Era::Dahlia, subscription: true, partner: Some("ADA") };
    story.put(&world.stripe);
    world.deliver_all(&story.events()).await;
    world.settled().await;
    let digest = world.digest().await;
    assert_eq!(world.stop().await, 0);
    let root = story.plot.purchase(1).invoice;
    let stuck =
        format!("UPDATE sale SET state = 'awaiting_parent', awaiting_since = 1 WHERE root_id = '{root}'");
    for sql in [stuck.as_str(), "DELETE FROM job"] {
        world.database.damage(sql).await;
    }
    let found = world.command(&["verify", "--json"], "").await;
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.json()["problems"].to_string().contains("nothing asks"), "{found:?}");
    world.serve().await;
    world.settled().await;
    assert_eq!(world.digest().await, digest);
    world.finish().await;
}
