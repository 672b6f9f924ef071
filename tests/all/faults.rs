//! When things break: the answer is clear, nothing that was acknowledged is lost, and it recovers by itself.

use crate::support::database::Database;
use crate::support::postgres::{Server, empty_database};
use crate::support::process::{Running, binary, tail};
use crate::support::story::Story;
use crate::support::webhook::{print, sign};
use crate::support::{Engine, World, both_engines, eventually, now_s};
use serde_json::{Value, json};
use std::time::Duration;
use tributary_stripe::story::{Era, Plot, wrap};

both_engines!(
    a_wrong_master_key_stops_the_start,
    a_newer_schema_stops_the_start,
    a_busy_port_names_the_variable,
    secrets_lie_nowhere_in_the_clear,
    a_name_is_taken_once,
    health_tells_the_truth,
);

fn event(id: &str, padding: usize) -> Value {
    let object =
        json!({ "id": format!("cus_{id}"), "object": "customer", "description": "x".repeat(padding) });
    wrap(id, "customer.created", "2026-05-27.dahlia", now_s(), object)
}

async fn post(world: &World, event: &Value) -> u16 {
    let body = print(event);
    let header = sign(&world.secret, now_s(), &body);
    world.send(body, Some(&header)).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_one_file_refuses() {
    let world = World::connected(Engine::Sqlite).await;
    let mut second = world.prepared(&["serve"]);
    second.env("TRIBUTARY_LISTEN", "127.0.0.1:0");
    let output = crate::support::process::run(second, "", Duration::from_secs(20)).await;
    assert_eq!(output.code, 3, "{output:?}");
    let said = output.expect_failure("process");
    assert!(said.contains(&world.server_id().to_string()), "it names the process: {said}");
    // The first is not disturbed, and the other commands work beside it.
    assert_eq!(post(&world, &event("evt_still", 10)).await, 200);
    world.settled().await;
    world.finish().await;
    // The lock goes with the process, however it ends.
    world.kill().await;
    world.serve().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_database_down_stripe_is_told_to_come_back() {
    let server = Server::start().await;
    let url = empty_database(&server.address()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = World::on(Engine::Postgres, folder, Database::Postgres(url)).await;
    world.setup().await;
    world.serve().await;
    world.connect().await;
    world.partner("ADA").await;
    let story = Story { plot: Plot::new("down"), era: Era::Dahlia, subscription: true, partner: Some("ADA") };
    story.put(&world.stripe);
    let events = story.events();
    let (before, after) = events.split_at(3);
    world.deliver_all(before).await;

    server.down().await;
    assert_eq!(post(&world, &after[0]).await, 503, "Stripe must try again");
    let answer = world.get("/v1/partners").await.expect_error(503);
    assert!(!answer.text.contains("postgres"), "no inner details: {answer:?}");
    assert_eq!(world.page("/readyz").await.status, 503);
    assert_eq!(world.page("/healthz").await.status, 200, "the process lives");

    server.up().await;
    eventually("it recovers by itself", Duration::from_secs(20), || async {
        (world.page("/readyz").await.status == 200).then_some(())
    })
    .await;
    world.deliver_all(after).await;
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", story.earned())]).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_recovers() {
    let mut world = World::empty(Engine::Sqlite).await;
    world.setup().await;
    world.serve().await;
    world.connect().await;
    world.partner("ADA").await;
    assert_eq!(world.stop().await, 0);

    // A limit on the size of files stands in for a full disk: every write beyond it fails.
    let size: u64 = std::fs::metadata(world.folder.path().join("tributary.db")).expect("a file").len();
    let script =
        format!("trap '' XFSZ; ulimit -S -f {}; exec {} serve", size / 1024 + 1500, binary().display());
    let mut limited = world.prepared(&[]);
    let environment: Vec<_> = limited
        .as_std()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    limited = crate::support::process::command("bash", world.folder.path());
    limited.args(["-c", &script]).envs(environment);
    world.adopt(Running::start(limited, world.log()));
    world.ready().await;

    let (mut taken, mut refused) = (Vec::new(), 0);
    for n in 0..400 {
        let id = format!("evt_{n:04}");
        match post(&world, &event(&id, 30_000)).await {
            200..300 => taken.push(id),
            503 => refused += 1,
            other => panic!("{id}: {other}, and not 503:\n{}", tail(&world.log(), 20)),
        }
        if refused >= 5 {
            break;
        }
    }
    assert!(refused >= 5 && taken.len() > 3, "{refused} refused, {} taken", taken.len());
    assert_eq!(world.page("/healthz").await.status, 200, "the process lives");

    // Room again: it goes on by itself.
    let id = world.server_id().to_string();
    let lifted =
        std::process::Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited:unlimited"]).status();
    assert!(lifted.expect("prlimit runs").success());
    eventually("it takes events again", Duration::from_secs(20), || async {
        (post(&world, &event("evt_room_again", 30_000)).await == 200).then_some(())
    })
    .await;
    taken.push("evt_room_again".to_owned());
    world.kill().await;
    world.serve().await;
    let inbox = world.database.column("SELECT event_id FROM event").await;
    let lost: Vec<_> = taken.iter().filter(|id| !inbox.contains(id)).collect();
    assert!(lost.is_empty(), "answered 2xx and lost: {lost:?}");
    assert_eq!(world.database.text("PRAGMA integrity_check").await, "ok");
    world.settled().await;
    world.finish().await;
}

/// `serve` with a changed variable, which had to refuse; what it said.
async fn refused_start(world: &World, name: &str, value: &str, word: &str) -> String {
    let mut serve = world.prepared(&["serve"]);
    serve.env(name, value);
    crate::support::process::run(serve, "", Duration::from_secs(30)).await.expect_failure(word)
}

async fn a_wrong_master_key_stops_the_start(engine: Engine) {
    let world = World::connected(engine).await;
    assert_eq!(world.stop().await, 0);
    let wrong = "ff".repeat(32);
    let said = refused_start(&world, "TRIBUTARY_MASTER_KEY", &wrong, "key").await;
    assert!(!said.contains(&wrong), "{said}");
    for bad in ["abc", "zz", &"0".repeat(63)] {
        refused_start(&world, "TRIBUTARY_MASTER_KEY", bad, "64").await;
    }
    world.serve().await;
    world.finish().await;
}

async fn a_newer_schema_stops_the_start(engine: Engine) {
    let world = World::started(engine).await;
    assert_eq!(world.stop().await, 0);
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
         VALUES (9999, 'of_the_future', '2026-01-01T00:00:00Z', '1')";
    world.database.damage(newer).await;
    refused_start(&world, "TRIBUTARY_LOG", "info", "newer").await;
    let verify = world.command(&["verify", "--json"], "").await;
    verify.expect_failure("newer");
}

async fn a_busy_port_names_the_variable(engine: Engine) {
    let world = World::started(engine).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    assert_eq!(world.stop().await, 0);
    refused_start(&world, "TRIBUTARY_LISTEN", &address, "TRIBUTARY_LISTEN").await;
    refused_start(&world, "TRIBUTARY_LISTEN", "nonsense", "TRIBUTARY_LISTEN").await;
}

async fn a_name_is_taken_once(engine: Engine) {
    let world = World::started(engine).await;
    let again = world.setup_program("Test program", "usd", "30%").await;
    again.expect_failure("Test program");
    for (currency, commission, word) in [
        ("xxx", "30%", "currency"),
        ("usd", "130%", "100"),
        ("usd", "-3%", "commission"),
        ("usd", "much", "commission"),
    ] {
        world.setup_program("Another", currency, commission).await.expect_failure(word);
    }
    assert_eq!(world.database.number("SELECT COUNT(*) FROM program").await, 1);
}

async fn health_tells_the_truth(engine: Engine) {
    let world = World::started(engine).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(world.page(path).await.status, 200, "{path}");
    }
    assert_eq!(
        world.page("/metrics").await.status,
        404,
        "metrics are on a listener of their own, off by default"
    );
    assert_eq!(world.page("/no/such/page").await.status, 404);
}

async fn secrets_lie_nowhere_in_the_clear(engine: Engine) {
    let mut world = World::empty(engine).await;
    world.set("TRIBUTARY_LOG", "trace");
    world.setup().await;
    world.serve().await;
    world.connect().await;
    world.partner("ADA").await;
    world.deliver(&event("evt_seen", 10)).await;
    world.settled().await;
    let mut seen: Vec<(String, Vec<u8>)> = Vec::new();
    match &world.database {
        Database::Sqlite(_) => {}
        Database::Postgres(_) => {
            for table in [
                "connection",
                "connection_secret",
                "api_key",
                "route",
                "user_account",
                "workspace",
                "event_payload",
            ] {
                let rows = world.database.rows(&format!("SELECT * FROM {table}")).await;
                let text = rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n");
                seen.push((table.to_owned(), text.into_bytes()));
            }
        }
    }
    for entry in std::fs::read_dir(world.folder.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            seen.push((path.display().to_string(), std::fs::read(&path).expect("bytes")));
        }
    }
    assert!(
        seen.iter().any(|(name, bytes)| name.ends_with("serve.log") && !bytes.is_empty()),
        "the log was read"
    );
    let secrets = [
        ("the signing secret", world.secret.clone()),
        ("Stripe's key", "sk_test_the_usual_one".to_owned()),
        ("the API key", world.api_key.clone()),
        ("the password", crate::support::world::PASSWORD.to_owned()),
        ("the master key", crate::support::world::MASTER_KEY.to_owned()),
    ];
    for (name, bytes) in &seen {
        for (what, secret) in &secrets {
            for form in [secret.clone(), hex::encode(secret)] {
                let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{what} lies in the clear in {name}");
            }
        }
    }
}
