//! `kill -9` in the middle of the long commands that write: what is there afterwards is what was there before, or it is
//! finished by running the command again.

use crate::replay::{command, empty, settled_world, true_of};
use crate::support::database::Database;
use crate::support::process::{Output, Running};
use crate::support::{Engine, World, both_engines};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

both_engines!(
    a_replay_that_is_killed_applies_all_or_nothing,
    a_copy_that_is_killed_is_no_installation_until_it_is_finished
);

/// Runs a command and kills it: after a time, or when a database answers `reached` with a number above 0 and the time
/// after that has passed. Answers whether it had ended by itself.
async fn killed(
    world: &World,
    arguments: &[&str],
    reached: Option<(&Database, &str)>,
    after: Duration,
) -> bool {
    let log = world.folder.path().join("killed.log");
    let mut running = Running::start(world.prepared(arguments), log);
    let began = Instant::now();
    while let Some((database, sql)) = reached {
        let ended = running.ended().is_some();
        if ended || database.number(sql).await > 0 || began.elapsed() > Duration::from_secs(60) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    tokio::time::sleep(after).await;
    let ended = running.ended().is_some();
    running.kill().await;
    ended
}

/// What `verify` says; whatever happened before, it must find no problem.
fn sound(found: Output) -> (String, bool) {
    let said: Value = found.ok().json();
    assert_eq!((&said["ok"], &said["problems"]), (&json!(true), &json!([])), "{said}");
    (said["digest"].as_str().expect("a digest").to_owned(), said["waiting"] == 0)
}

const fn beside(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'shadow_%'",
        Engine::Postgres => "SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'shadow_%'",
    }
}

/// Damages a sale and lets the ledger follow it: books that a replay puts right. Answers their digest.
async fn damaged(world: &World) -> String {
    let sale = world.database.text("SELECT MIN(sale_id) FROM commission WHERE target > 0").await;
    for sql in [
        format!("UPDATE sale SET paid = paid - 100, captured = captured - 100 WHERE sale_id = '{sale}'"),
        format!("UPDATE scope SET generation = generation + 1, whole = {}", true_of(world.engine)),
    ] {
        world.database.damage(&sql).await;
    }
    let found = world.command(&["replay", "--json"], "").await;
    assert_eq!(found.code, 1, "{found:?}");
    sound(world.command(&["verify", "--json"], "").await).0
}

async fn a_replay_that_is_killed_applies_all_or_nothing(engine: Engine) {
    let world = settled_world(engine).await;
    assert_eq!(world.stop().await, 0);
    let (right, totals) = (world.digest().await, world.ledger_totals().await);
    let began = Instant::now();
    world.replay().await;
    let whole = began.elapsed();
    let wrong = damaged(&world).await;
    assert_ne!(right, wrong);
    let wrong_totals = world.ledger_totals().await;
    let apply = ["replay", "--apply", "--json"];
    let (mut before, mut after) = (0, 0);
    for kill in 0..14_u32 {
        // Half of the kills fall anywhere, half when what was derived lies beside and is about to be put in place.
        let ended = if kill % 2 == 0 {
            killed(&world, &apply, None, whole * (kill + 1) / 12).await
        } else {
            let reached = Some((&world.database, beside(engine)));
            killed(&world, &apply, reached, Duration::from_millis(u64::from(kill) * 9)).await
        };
        let (digest, settled) = sound(world.command(&["verify", "--json"], "").await);
        if !settled {
            // It was put in place, and what differs waits to be posted: whoever comes next posts it.
            world.command(&["replay", "--json"], "").await.ok();
        } else if digest == wrong {
            assert!(!ended, "it ended and did nothing");
            assert_eq!(world.ledger_totals().await, wrong_totals);
            before += 1;
            continue;
        }
        assert_eq!(world.digest().await, right, "neither as before nor put right");
        assert_eq!(world.ledger_totals().await, totals);
        after += 1;
        assert_eq!(damaged(&world).await, wrong);
    }
    assert!(before > 0, "no kill met it at work");
    world.command(&apply, "").await;
    assert_eq!(world.digest().await, right);
    assert_eq!((world.ledger_totals().await, world.target_totals().await), (totals.clone(), totals));
    assert_eq!(world.database.number(beside(engine)).await, 0, "nothing is left beside");
    println!("{engine:?}: {before} kills left it as it was, {after} came when it was done");
    world.serve().await;
    world.finish().await;
}

async fn a_copy_that_is_killed_is_no_installation_until_it_is_finished(engine: Engine) {
    let world = settled_world(engine).await;
    assert_eq!(world.stop().await, 0);
    let digest = world.digest().await;
    for database in empty(&world).await {
        // Its schema first, so that it can be asked how far a copy is.
        command(&world, &database, &["migrate"]).await.ok();
        let url = database.url();
        let copy = ["db", "copy", "--to", url.as_str(), "--json"];
        let (mut half, mut done) = (0, false);
        for tables in [0, 3, 9, 16, 24, 33, 43, 60] {
            // One row says that a copy has begun, and one each that a table is there whole.
            let reached = format!("SELECT CASE WHEN COUNT(*) > {tables} THEN 1 ELSE 0 END FROM copy_state");
            done |= killed(&world, &copy, Some((&database, &reached)), Duration::ZERO).await;
            let found = command(&world, &database, &["verify", "--json"]).await;
            if found.code == 0 && found.json()["digest"] == digest.as_str() {
                done = true;
                break;
            }
            // A copy that is not complete is refused in words, also by the server; before it began there is nothing.
            if found.code != 0 {
                found.expect_failure("not complete");
                command(&world, &database, &["serve"]).await.expect_failure("not complete");
                half += 1;
            } else {
                assert_eq!(found.json()["balances"], json!([]), "a database that is empty: {found:?}");
            }
            assert_eq!(world.digest().await, digest, "what is copied from is not touched");
        }
        assert!(half > 0, "no kill met it at work");
        if !done {
            let said = world.command(&copy, "").await.ok().json();
            assert_eq!((&said["digest"], &said["digest_there"]), (&json!(digest), &json!(digest)), "{said}");
        }
        let verified = command(&world, &database, &["verify", "--json"]).await;
        assert_eq!(sound(verified), (digest.clone(), true));
        let replayed = command(&world, &database, &["replay", "--json"]).await.ok().json();
        assert_eq!((&replayed["posted"], &replayed["digest"]), (&json!(0), &json!(digest)), "{replayed}");
    }
}
