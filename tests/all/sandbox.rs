//! Whole flows with `tributary sandbox` as Stripe.

use crate::support::process::Output;
use crate::support::sandbox::Sandbox;
use crate::support::{Engine, World, both_engines};
use serde_json::{Value, json};

both_engines!(
    the_demonstration_comes_out_right,
    every_story_agrees_with_the_sandboxs_books,
    without_a_webhook_events_are_polled,
    the_endpoint_is_made_once,
    a_full_account_is_told_the_manual_way,
    a_key_without_webhook_write_is_told_the_manual_way,
    keys_that_cannot_be_used_are_refused_with_a_sentence,
    look_ups_that_fail_are_tried_again,
);

const KEY: &str = "rk_test_the_usual_one";

async fn connect(world: &World, key: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["stripe", "connect", "--program", &world.program, "--api-key-stdin", "--json"];
    arguments.extend(more);
    world.command(&arguments, &format!("{key}\n")).await
}

async fn the_demonstration_comes_out_right(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let said = connect(&world, KEY, &[]).await.ok().json();
    assert!(said["webhook_endpoint"].as_str().is_some_and(|id| id.starts_with("we_")), "{said}");
    world.partner("ADA").await;
    let told = sandbox.play(&world, "demo").await;
    sandbox.agree(&world).await;
    // Four invoices of 49.00 of which half of one was given back, and 120.00 by Payment Link; 30 %.
    world.expect_totals(&[("ADA", "usd", 735 + 3 * 1470 + 3600)]).await;

    let charge =
        told["ids"]["charge"].as_str().or_else(|| told["ids"]["charge"][0].as_str()).expect("a charge");
    let explained = world.command(&["explain", charge, "--json"], "").await.ok().json();
    let text = explained.to_string();
    assert!(text.contains(charge), "the explanation names what was asked for: {text}");
    let words = world.command(&["explain", charge], "").await.ok().stdout;
    assert!(words.contains("7.35") && words.contains("30"), "the explanation shows rate and amount: {words}");
    world.command(&["explain", "ch_never_seen", "--json"], "").await.expect_failure("ch_never_seen");

    let doctor = world.command(&["doctor", "--json"], "").await;
    assert_eq!(doctor.code, 0, "{doctor:?}");
    doctor.json();
    world.finish().await;
    sandbox.stop().await;
}

async fn every_story_agrees_with_the_sandboxs_books(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    connect(&world, KEY, &[]).await.ok();
    world.partner("ADA").await;
    let listed = sandbox.look("stories").await;
    let stories: Vec<&str> = listed["stories"]
        .as_array()
        .expect("stories")
        .iter()
        .map(|story| story["name"].as_str().expect("a name"))
        .filter(|name| *name != "demo")
        .collect();
    assert!(stories.len() > 30, "{listed}");
    for story in stories {
        let told = sandbox.play(&world, story).await;
        assert_eq!(told["real"]["same"], true, "{story}: {told}");
        sandbox.agree(&world).await;
    }
    world.finish().await;
    sandbox.stop().await;
}

async fn without_a_webhook_events_are_polled(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let said = connect(&world, KEY, &["--poll"]).await.ok().json();
    assert_eq!((&said["webhook_endpoint"], &said["polling"]), (&Value::Null, &json!(true)), "{said}");
    assert_eq!(sandbox.endpoints().await.len(), 0);
    world.partner("ADA").await;
    sandbox.play(&world, "demo").await;
    crate::support::eventually("the events are polled", std::time::Duration::from_secs(40), || async {
        let arrived = world.database.number("SELECT COUNT(*) FROM event WHERE via = 'poll'").await;
        let sold =
            world.database.number("SELECT COUNT(*) FROM sale WHERE merged_into IS NULL AND paid > 0").await;
        (arrived > 10 && sold == 5).then_some(())
    })
    .await;
    sandbox.agree(&world).await;
    // Polled again and again, nothing comes twice.
    let before = world.database.number("SELECT COUNT(*) FROM event").await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM event").await, before);
    world.finish().await;
    sandbox.stop().await;
}

async fn the_endpoint_is_made_once(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let first = connect(&world, KEY, &[]).await.ok().json();
    let again = connect(&world, KEY, &[]).await.ok().json();
    assert_eq!(first["webhook_endpoint"], again["webhook_endpoint"], "{again}");
    assert_eq!(first["connection_id"], again["connection_id"], "{again}");
    let second = world.setup_program("Second", "eur", "10%").await.ok().json();
    let second = second["program_public_id"].as_str().expect("an id").to_owned();
    let attached = world.connect_with(&second, KEY, None).await.ok().json();
    assert_eq!(attached["connection_id"], first["connection_id"], "{attached}");
    assert_eq!(
        attached["webhook_endpoint"], first["webhook_endpoint"],
        "one endpoint per connection: {attached}"
    );

    let endpoints = sandbox.endpoints().await;
    assert_eq!(endpoints.len(), 1, "{endpoints:?}");
    assert_eq!(endpoints[0]["api_version"], "2026-05-27.dahlia", "{endpoints:?}");
    let url = endpoints[0]["url"].as_str().expect("a URL");
    assert_eq!(url, world.webhook_url(&world.program));
    let types = endpoints[0]["enabled_events"].to_string();
    for wanted in ["checkout.session.completed", "invoice.paid", "charge.refunded", "refund.failed"] {
        assert!(types.contains(wanted), "{wanted} is not subscribed: {types}");
    }
    world.partner("ADA").await;
    sandbox.play(&world, "renewals").await;
    sandbox.agree(&world).await;
    world.finish().await;
    sandbox.stop().await;
}

/// The answer tells how to make the endpoint by hand, and events are polled meanwhile.
fn manual_way(world: &World, said: &Value) {
    assert_eq!((&said["webhook_endpoint"], &said["polling"]), (&Value::Null, &json!(true)), "{said}");
    let warnings = said["warnings"].to_string();
    for needed in
        [&world.webhook_url(&world.program), "2026-05-27.dahlia", "--webhook-secret-stdin", "invoice.paid"]
    {
        assert!(warnings.contains(needed), "the manual way does not say {needed}: {warnings}");
    }
}

async fn a_full_account_is_told_the_manual_way(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    for n in 0..16 {
        let url = format!("http://127.0.0.1:9/{n}");
        let form = [("url", url.as_str()), ("enabled_events[0]", "customer.created")];
        sandbox.stripe("sk_test_others", "POST", "webhook_endpoints", &form).await.expect(200);
    }
    let said = connect(&world, KEY, &[]).await.ok().json();
    manual_way(&world, &said);
    assert_eq!(sandbox.endpoints().await.len(), 16, "nobody else's endpoint is touched");

    // With room again, the same command makes the endpoint.
    let other = sandbox.endpoints().await[0]["id"].as_str().expect("an id").to_owned();
    sandbox.stripe("sk_test_others", "DELETE", &format!("webhook_endpoints/{other}"), &[]).await.expect(200);
    let said = connect(&world, KEY, &[]).await.ok().json();
    assert!(said["webhook_endpoint"].is_string(), "{said}");
    assert_eq!(said["polling"], false, "{said}");
}

async fn a_key_without_webhook_write_is_told_the_manual_way(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let key = "rk_test_no-webhook_write_abcdef";
    let said = connect(&world, key, &[]).await.ok().json();
    manual_way(&world, &said);

    // The person does it by hand: an endpoint with another key, and its secret pasted.
    let url = world.webhook_url(&world.program);
    let form = [("url", url.as_str()), ("enabled_events[0]", "*")];
    let made = sandbox.stripe("sk_test_by_hand", "POST", "webhook_endpoints", &form).await.expect(200);
    let secret = made.json["secret"].as_str().expect("a secret").to_owned();
    let said = world.connect_with(&world.program, key, Some(&secret)).await.ok().json();
    assert_eq!(said["polling"], false, "{said}");
    world.partner("ADA").await;
    sandbox.play(&world, "half_refund").await;
    sandbox.agree(&world).await;
    assert_eq!(
        world.database.number("SELECT COUNT(*) FROM event WHERE via = 'webhook'").await,
        world.database.number("SELECT COUNT(*) FROM event").await
    );
    world.finish().await;
    sandbox.stop().await;
}

async fn keys_that_cannot_be_used_are_refused_with_a_sentence(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    for (key, word) in [
        ("pk_test_publishable", "publishable"),
        ("whsec_not_a_key_at_all", "key"),
        ("nonsense", "key"),
        ("", "key"),
        ("sk_test_with blank", "key"),
    ] {
        let output = connect(&world, key, &[]).await;
        let said = output.expect_failure(word);
        assert!(key.is_empty() || !said.contains(key), "the key is repeated in clear: {said}");
    }
    sandbox.control("keys/revoke", &json!({ "key": "rk_test_revoked_one" })).await;
    connect(&world, "rk_test_revoked_one", &[]).await.expect_failure("key");
    let secret = world.connect_with(&world.program, KEY, Some("sk_test_this_is_a_key")).await;
    secret.expect_failure("whsec_");
    let unknown = world.connect_with("ZZZZ9999", KEY, None).await;
    unknown.expect_failure("ZZZZ9999");
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection").await, 0, "nothing was stored");

    // What it cannot read is told, permission by permission.
    let said = connect(&world, "rk_test_no-charge_read.customer_read_abcdef", &["--poll"]).await.ok().json();
    let warnings = said["warnings"].to_string();
    assert!(warnings.contains("charge_read") && warnings.contains("customer_read"), "{warnings}");
    assert!(!warnings.contains("invoice_read"), "{warnings}");

    // A test key at an API that answers in live mode.
    world.stripe.go_live();
    let base = world.stripe.base.clone();
    let wrong = connect(&world, KEY, &["--api-base", &base]).await;
    wrong.expect_failure("mode");
    // Out of reach: the status says so, for scripts that try again.
    let gone = connect(&world, KEY, &["--api-base", "http://127.0.0.1:9"]).await;
    assert_eq!(gone.code, 3, "{gone:?}");
    let open = connect(&world, KEY, &["--api-base", "http://stripe.example"]).await;
    open.expect_failure("loopback");
}

async fn look_ups_that_fail_are_tried_again(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    connect(&world, KEY, &[]).await.ok();
    world.partner("ADA").await;
    let fault = json!({ "path_prefix": "/v1/invoice_payments", "status": 500 });
    let faults = vec![fault; 12];
    sandbox.control("api_faults", &json!({ "faults": faults })).await;
    sandbox.play(&world, "renewals").await;
    sandbox.agree(&world).await;
    world.finish().await;
}
