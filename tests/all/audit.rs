//! The audit log: whatever is changed leaves a line, no line holds a secret, and none can be taken away.

use crate::support::browser::Browser;
use crate::support::database::{Database, connect};
use crate::support::story::Story;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines};
use tributary_stripe::story::{Era, Plot};

both_engines!(
    every_change_leaves_a_line_without_a_secret,
    a_line_is_never_changed_and_an_erased_person_is_not_named,
);

async fn lines(world: &World, browser: &mut Browser, query: &str) -> Vec<String> {
    let path = format!("/p/{}/settings/audit.csv{query}", world.program);
    let page = browser.get(world, &path).await;
    assert_eq!(page.status, 200, "{page:?}");
    page.body.lines().skip(1).map(str::to_owned).collect()
}

/// The lines of an action.
fn of<'l>(lines: &'l [String], action: &str) -> Vec<&'l str> {
    let named = format!(",{action},");
    lines.iter().filter(|line| line.contains(&named)).map(String::as_str).collect()
}

async fn every_change_leaves_a_line_without_a_secret(engine: Engine) {
    let world = World::connected(engine).await;
    let story = Story { plot: Plot::new("log"), era: Era::Dahlia, subscription: false, partner: None };
    story.put(&world.stripe);
    world.deliver_all(&story.events()).await;
    world.settled().await;
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let at = |path: &str| format!("/p/{}/{path}", world.program);
    let token = browser.get(&world, &at("settings")).await.token();
    let form = |rest: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
        [&[("form_token", token.as_str())], rest].concat()
    };
    let before = lines(&world, &mut browser, "").await;
    assert_eq!(of(&before, "connection").len(), 1, "{before:?}");
    assert!(before[0].contains(",command line,connection,"), "{before:?}");
    // An API key is made and taken away.
    let made = form(&[("name", "Shop"), ("tab", "settings/keys")]);
    assert_eq!(browser.post(&world, &at("settings/keys"), &made).await.status, 303);
    let key = world.database.text("SELECT key_id FROM api_key WHERE name = 'Shop'").await;
    for _ in 0..2 {
        let revoke = at(&format!("settings/keys/{key}/revoke"));
        assert_eq!(browser.post(&world, &revoke, &form(&[])).await.status, 303);
    }
    // A payload is revealed, a partner suspended, a further signing secret taken.
    let event =
        world.database.rows("SELECT connection_id, event_id FROM event ORDER BY event_id LIMIT 1").await;
    let [Some(connection), Some(event)] = &event[0][..] else { panic!("two columns") };
    let reveal = at(&format!("events/{connection}/{event}/reveal"));
    assert_eq!(browser.post(&world, &reveal, &form(&[])).await.status, 200);
    let partner = world.database.text("SELECT partner_id FROM partner WHERE key = 'ADA'").await;
    let suspend = at(&format!("partners/{partner}/status"));
    assert_eq!(browser.post(&world, &suspend, &form(&[("status", "suspended")])).await.status, 303);
    let secret = "whsec_a_further_secret_of_this_test";
    let paste = at(&format!("settings/stripe/{connection}/secrets"));
    assert_eq!(browser.post(&world, &paste, &form(&[("secret", secret)])).await.status, 303);
    // Test data are wiped, and the account is let go.
    let wipe = form(&[("word", "wipe test data")]);
    assert_eq!(browser.post(&world, &at("settings/test-data"), &wipe).await.status, 303);
    let leave = at(&format!("settings/stripe/{connection}/disconnect"));
    assert_eq!(browser.post(&world, &leave, &form(&[])).await.status, 303);
    let all = lines(&world, &mut browser, "").await;
    for (action, count, words) in [
        ("key", 2, "revoked"),
        ("payload", 1, event.as_str()),
        ("partner", 1, "active,suspended"),
        ("connection", 3, "disconnected"),
        ("wipe", 1, "rows wiped"),
    ] {
        let found = of(&all, action);
        assert_eq!(found.len(), count, "{action}: {all:?}");
        assert!(found.iter().any(|line| line.contains(words)), "{action}: {found:?}");
    }
    let by_hand = all.iter().filter(|line| line.contains(&format!(",user:{EMAIL},"))).count();
    assert_eq!(by_hand, all.len() - 1, "{all:?}");
    assert!(!all.concat().contains("whsec_") && !all.concat().contains("trb_"), "{all:?}");
    assert_eq!(lines(&world, &mut browser, "?action=access").await.len(), 5);
    assert_eq!(lines(&world, &mut browser, "?action=data").await.len(), 2);
    assert_eq!(lines(&world, &mut browser, "?action=wipe").await.len(), 1);
    let page = browser.get(&world, &at("settings/audit?action=access")).await;
    assert!(page.body.contains("API key") && !page.body.contains("Test data wiped"), "{}", page.body);
    world.verify().await;
}

async fn a_line_is_never_changed_and_an_erased_person_is_not_named(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    world.customer("carla@example.com", Some("carla@example.com"), "ADA").await;
    let customer = world.database.text("SELECT customer_id FROM customer").await;
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/customers/{customer}/partner", world.program);
    let token = browser.get(&world, &path).await.token();
    let form = [
        ("form_token", token.as_str()),
        ("decision", "give"),
        ("partner", "BOB"),
        ("reason", "Carla asked for it"),
    ];
    assert_eq!(browser.post(&world, &path, &form).await.status, 303);
    world.settled().await;
    let told = lines(&world, &mut browser, "?action=attribute").await;
    assert!(told[0].contains("customer carla@example.com") && told[0].contains("Carla asked"), "{told:?}");
    for sql in ["UPDATE audit SET actor = 'user:somebody@else.example'", "DELETE FROM audit"] {
        let refused = refusal(&world, sql).await;
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    // The person goes; that something was decided, by whom and what, stays.
    let erase = ["erase", "--customer", "carla@example.com", "--for-good", "--json"];
    world.command(&erase, "").await.ok();
    let told = lines(&world, &mut browser, "").await;
    assert!(!told.concat().to_lowercase().contains("carla"), "{told:?}");
    assert_eq!((of(&told, "attribute").len(), of(&told, "erase").len()), (1, 1), "{told:?}");
    // What was decided of the customer still holds for it.
    let key = world.database.text("SELECT key FROM customer").await;
    let subject =
        world.database.text("SELECT subject FROM decision WHERE connection_id LIKE 'customer:%'").await;
    assert_eq!(key, subject);
    world.finish().await;
}

/// What the database says to a statement of somebody who opens it by hand.
async fn refusal(world: &World, sql: &str) -> String {
    let refused = match &world.database {
        Database::Sqlite(path) => {
            rusqlite::Connection::open(path).expect("opens").execute_batch(sql).map_err(|e| e.to_string())
        }
        Database::Postgres(url) => {
            connect(url).await.batch_execute(sql).await.map_err(|e| format!("{:?}", e.as_db_error()))
        }
    };
    refused.expect_err(sql)
}
