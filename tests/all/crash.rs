//! `kill -9` under load: what was answered 2xx is there, and the books come out right.

use crate::support::story::{Story, expected};
use crate::support::webhook::{print, sign};
use crate::support::{Engine, Numbers, World, both_engines, eventually, now_s};
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tributary_stripe::story::{Era, Plot};

both_engines!(nothing_that_was_acknowledged_is_lost);

/// How often the server is killed.
const KILLS: usize = 25;
/// Senders at once.
const SENDERS: usize = 8;

/// Events that are still to be sent, and those that the server has taken.
#[derive(Debug, Default)]
struct Post {
    waiting: VecDeque<Value>,
    taken: BTreeSet<String>,
}

/// One sale by Payment Link; every third is given back in part.
fn story(n: usize, numbers: &mut Numbers) -> Story {
    let small = |n: usize| i64::try_from(n).expect("fits");
    let total = 100 + small(numbers.below(50_000));
    let refund = if n.is_multiple_of(3) { 1 + small(numbers.below(100)) } else { 0 };
    let partner = ["ADA", "BOB"][n % 2];
    let plot = Plot {
        total,
        tax: total / 6,
        refund,
        client_reference_id: Some(partner.to_owned()),
        ..Plot::new(&format!("k{n}"))
    };
    Story { plot, era: Era::Y2024, subscription: false, partner: Some(partner) }
}

/// Sends until the server is gone or nothing is left; as Stripe does, what was not answered 2xx is sent again later.
async fn sender(world: &World, post: &Mutex<Post>) {
    loop {
        let Some(event) = post.lock().expect("unpoisoned").waiting.pop_front() else { return };
        let body = print(&event);
        let header = sign(&world.secret, now_s(), &body);
        let taken = matches!(world.try_send(&world.program, body, Some(&header)).await,
            Ok(answer) if (200..300).contains(&answer.status));
        let mut post = post.lock().expect("unpoisoned");
        if !taken {
            post.waiting.push_back(event);
            return;
        }
        post.taken.insert(event["id"].as_str().expect("an id").to_owned());
    }
}

async fn nothing_that_was_acknowledged_is_lost(engine: Engine) {
    let world = Arc::new(World::connected(engine).await);
    world.partner("BOB").await;
    let post = Arc::new(Mutex::new(Post::default()));
    let mut numbers = Numbers::new(25);
    let mut stories = Vec::new();
    let mut under_way = 0;
    for round in 0..KILLS {
        // More than can be sent before the kill, so that every kill meets work under way.
        while post.lock().expect("unpoisoned").waiting.len() < 200 {
            let story = story(stories.len(), &mut numbers);
            let mut events = story.events();
            numbers.shuffle(&mut events);
            post.lock().expect("unpoisoned").waiting.extend(events);
            stories.push(story);
        }
        let before = post.lock().expect("unpoisoned").taken.len();
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let (world, post) = (world.clone(), post.clone());
                tokio::spawn(async move { sender(&world, &post).await })
            })
            .collect();
        // Every kill meets a server that has just taken something; when exactly, is left to chance.
        eventually("an event is taken", Duration::from_secs(30), || async {
            (post.lock().expect("unpoisoned").taken.len() > before).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(u64::try_from(numbers.below(300)).expect("fits"))).await;
        if world.unfinished().await > 0 {
            under_way += 1;
        }
        world.kill().await;
        for sender in senders {
            sender.await.expect("the sender ends");
        }
        let start = Instant::now();
        world.serve().await;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "round {round}: ready only after {took:?}");
        let inbox: BTreeSet<String> =
            world.database.column("SELECT event_id FROM event").await.into_iter().collect();
        let taken = post.lock().expect("unpoisoned").taken.clone();
        let lost: Vec<&String> = taken.difference(&inbox).collect();
        assert!(lost.is_empty(), "round {round}: answered 2xx and lost: {lost:?}");
        assert!(taken.len() > before, "round {round}: nothing was sent");
    }
    assert!(under_way > 0, "no kill met work under way: the load is too small");
    let taken = post.lock().expect("unpoisoned").taken.len();
    assert!(taken > KILLS, "only {taken} events were taken in {KILLS} rounds");

    // Stripe sends again what was not answered: then all is there, once.
    while !post.lock().expect("unpoisoned").waiting.is_empty() {
        sender(&world, &post).await;
    }
    let all: usize = stories.iter().map(|story| story.events().len()).sum();
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event").await, i64::try_from(all).expect("fits"));
    world.settled_within(Duration::from_secs(120)).await;
    world.expect_totals(&expected(&stories)).await;
    if engine == Engine::Sqlite {
        assert_eq!(world.database.text("PRAGMA integrity_check").await, "ok");
    }
    world.finish().await;
}
