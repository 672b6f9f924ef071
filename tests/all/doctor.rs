//! `tributary doctor`: its exit codes, and the operator's checklist that it walks.

use crate::support::process;
use crate::support::sandbox::Sandbox;
use crate::support::{Engine, World, both_engines, eventually};
use serde_json::{Value, json};
use std::time::Duration;

both_engines!(exit_codes_tell_problems_from_what_is_out_of_reach, the_checklist_is_walked_step_by_step);

const KEY: &str = "rk_test_the_usual_one";

async fn doctor(world: &World) -> (i32, Value) {
    let said = world.command(&["doctor", "--json"], "").await;
    (said.code, said.json())
}

async fn exit_codes_tell_problems_from_what_is_out_of_reach(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, KEY, None).await.ok();
    sandbox.play(&world, "payment_link").await;
    world.settled().await;
    assert_eq!(doctor(&world).await.0, 0);

    // 1: something here is to be mended.
    world.database.damage("UPDATE event SET outcome = 'parked'").await;
    let (code, said) = doctor(&world).await;
    assert_eq!(code, 1, "{said}");
    assert!(said["connections"][0]["problems"].to_string().contains("parked"), "{said}");
    world.database.damage("UPDATE event SET outcome = 'processed'").await;

    // 2: the command or the configuration is wrong.
    for arguments in [&["doctor", "--nonsense"][..], &["doctor", "now"]] {
        assert_eq!(world.command(arguments, "").await.code, 2, "{arguments:?}");
    }
    let mut odd = world.prepared(&["doctor", "--json"]);
    odd.env("TRIBUTARY_LISTEN", "nonsense");
    assert_eq!(process::run(odd, "", Duration::from_secs(30)).await.code, 2);

    // 3: Stripe is out of reach, and nothing else is wrong. With something else it is 1.
    sandbox.stop().await;
    let (code, said) = doctor(&world).await;
    assert_eq!(code, 3, "{said}");
    assert_eq!((&said["ok"], &said["connections"][0]["reached"]), (&json!(false), &json!(false)), "{said}");
    world.database.damage("UPDATE event SET outcome = 'parked'").await;
    assert_eq!(doctor(&world).await.0, 1);

    // 3: so is the database.
    let file = world.folder.path().join("not-there.db");
    for url in [format!("sqlite:{}", file.display()), "postgres://nobody@127.0.0.1:9/none".to_owned()] {
        let mut away = world.prepared(&["doctor", "--json"]);
        away.env("TRIBUTARY_DATABASE_URL", &url);
        let said = process::run(away, "", Duration::from_secs(60)).await;
        assert_eq!(said.code, 3, "{url}: {said:?}");
        assert_eq!(said.json()["ok"], false, "{said:?}");
    }
    assert!(!file.exists(), "a look makes nothing");
}

/// The numbers of the steps that are proven.
async fn proven(world: &World) -> Vec<i64> {
    let said = world.command(&["doctor", "--checklist", "--json"], "").await;
    let json = said.json();
    let steps =
        json["checklists"][0]["steps"].as_array().unwrap_or_else(|| panic!("no steps: {said:?}")).clone();
    assert_eq!(steps.len(), 15, "the last one is for live mode: {json}");
    for step in &steps {
        let proof = step["proof"].as_str().unwrap_or_default();
        assert_eq!(step["state"] == "proven", !proof.is_empty(), "what is proven says by what: {step}");
    }
    steps.iter().filter(|s| s["state"] == "proven").filter_map(|s| s["number"].as_i64()).collect()
}

async fn the_checklist_is_walked_step_by_step(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.partner("ADA").await;
    world.connect_with(&world.program, KEY, None).await.ok();
    assert_eq!(proven(&world).await, [1, 2], "a key with its permissions, and an endpoint");
    let told = world.command(&["doctor", "--checklist"], "").await.ok().stdout;
    assert!(told.contains("2 of 15 steps proven") && told.contains("Next: step 3."), "{told}");

    for (story, also) in [
        ("payment_link", vec![3, 4]),
        ("promo_code", vec![5]),
        ("renewals", vec![6]),
        ("async_paid", vec![]),
        ("async_failed", vec![7]),
        ("repeated_refunds", vec![8]),
        ("guest_one_time", vec![10]),
        ("trial_to_paid", vec![11]),
        ("two_currencies", vec![12]),
    ] {
        sandbox.play(&world, story).await;
        world.settled().await;
        let now = proven(&world).await;
        for step in also {
            assert!(now.contains(&step), "{story} proves step {step}: {now:?}");
        }
    }
    let before = proven(&world).await;
    assert!(!before.contains(&13) && !before.contains(&14), "{before:?}");

    // Steps 13 and 14: the key is revoked, and a new one goes on.
    sandbox.control("keys/revoke", &json!({ "key": KEY })).await;
    let status = async |wanted: &str| {
        let sql = format!("SELECT COUNT(*) FROM connection WHERE status = '{wanted}'");
        eventually(wanted, Duration::from_secs(90), || async {
            (world.database.number(&sql).await == 1).then_some(())
        })
        .await;
    };
    status("broken").await;
    let said = world.command(&["doctor", "--checklist", "--json"], "").await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(proven(&world).await.contains(&13));
    world.connect_with(&world.program, "rk_test_the_next_one", None).await.ok();
    status("connected").await;
    let now = proven(&world).await;
    assert!(now.contains(&1) && now.contains(&14), "{now:?}");
    sandbox.stop().await;
}
