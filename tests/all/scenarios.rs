//! The pages Test scenarios and Events, with a sandbox connected.

use crate::support::browser::{Browser, Page};
use crate::support::sandbox::Sandbox;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines};

both_engines!(
    a_scenario_shows_what_had_to_be_earned_beside_the_ledger,
    a_test_event_proves_address_secret_and_pipeline,
    events_are_narrowed_exported_and_shown_whole_to_the_owner_alone,
);

/// The payload that a page shows; the page names the buyer elsewhere, too.
fn payload(page: &Page) -> &str {
    page.body.split("<pre").nth(1).and_then(|rest| rest.split("</pre>").next()).unwrap_or_default()
}

async fn connected(engine: Engine) -> (World, Sandbox, Browser) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let said = world.connect_with(&world.program, "rk_test_the_usual_one", None).await.ok().json();
    assert!(said["webhook_endpoint"].is_string(), "{said}");
    world.partner("ADA").await;
    let browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    (world, sandbox, browser)
}

async fn a_scenario_shows_what_had_to_be_earned_beside_the_ledger(engine: Engine) {
    let (world, sandbox, mut browser) = connected(engine).await;
    let path = format!("/p/{}/scenarios", world.program);
    let events = browser.get(&world, &format!("/p/{}/events", world.program)).await;
    assert!(events.body.contains(&path), "the list of events leads there");
    let page = browser.get(&world, &path).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("value=\"partial_refund\"") && page.body.contains("ADA"), "{}", page.body);
    assert!(!page.body.contains("value=\"signup\""), "what needs an API key is left out");
    let token = page.token();
    for (story, words) in [
        ("partial_refund", "$18.00"),
        ("trial_to_paid", "$14.70"),
        ("annual", "$36.00"),
        ("kwd", "KWD"),
        ("never_paid", "Nothing was sold"),
    ] {
        let form = [("form_token", token.as_str()), ("story", story), ("partner", "ADA")];
        let told = browser.post(&world, &path, &form).await;
        assert_eq!(told.status, 303, "{story}: {}", told.body);
        let shown = browser.get(&world, &told.location).await;
        assert!(shown.body.contains(words), "{story}: {}", shown.body);
        assert!(
            !shown.body.contains("Differs") && !shown.body.contains("Not yet"),
            "{story}: {}",
            shown.body
        );
    }
    sandbox.agree(&world).await;
    let odd = [("form_token", token.as_str()), ("story", "../state"), ("partner", "ADA")];
    assert_eq!(browser.post(&world, &path, &odd).await.status, 404);
    let nobody = [("form_token", token.as_str()), ("story", "jpy"), ("partner", "NOBODY")];
    assert_eq!(browser.post(&world, &path, &nobody).await.status, 404);
    let forged = [("form_token", "x"), ("story", "jpy"), ("partner", "ADA")];
    assert_eq!(browser.post(&world, &path, &forged).await.status, 403);
    let odd = browser.get(&world, &format!("{path}?played=<b>&of=%3Cb%3E~usd~1,in_1~usd~5")).await;
    assert!(odd.status == 200 && !odd.body.contains("<b>~"), "{}", odd.body);
    world.finish().await;
    sandbox.stop().await;
    let gone = browser.get(&world, &path).await;
    assert!(gone.status == 200 && gone.body.contains("tributary sandbox"), "it says who does not answer");
}

async fn a_test_event_proves_address_secret_and_pipeline(engine: Engine) {
    let (world, sandbox, mut browser) = connected(engine).await;
    let list = format!("/p/{}/events", world.program);
    let token = browser.get(&world, &list).await.token();
    let sent = browser.post(&world, &format!("{list}/test"), &[("form_token", &token)]).await;
    assert!(sent.status == 303 && sent.location.contains("evt_test"), "{sent:?}");
    let page = browser.get(&world, &sent.location).await;
    assert!(page.body.contains("tributary.test") && page.body.contains("Ignored"), "{}", page.body);
    assert!(page.body.contains("the signing secret and the pipeline work"), "{}", page.body);
    assert_eq!(world.database.number("SELECT COUNT(*) FROM sale").await, 0);
    let other = World::started(engine).await;
    let mut browser = Browser::log_in(&other, EMAIL, PASSWORD).await;
    let list = format!("/p/{}/events", other.program);
    let page = browser.get(&other, &list).await;
    assert!(!page.body.contains("Test scenarios"), "there is no sandbox");
    let form = [("form_token", page.token())];
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let sent = browser.post(&other, &format!("{list}/test"), &form).await;
    assert!(sent.status == 303 && sent.location.ends_with("test=secret"), "{sent:?}");
    assert!(browser.get(&other, &sent.location).await.body.contains("no signing secret"));
    let page = browser.get(&other, &format!("/p/{}/scenarios", other.program)).await;
    assert!(page.body.contains("No sandbox is connected"), "{}", page.body);
    world.finish().await;
    sandbox.stop().await;
}

async fn events_are_narrowed_exported_and_shown_whole_to_the_owner_alone(engine: Engine) {
    let (world, sandbox, mut browser) = connected(engine).await;
    sandbox.play(&world, "guest_one_time").await;
    world.settled().await;
    let list = format!("/p/{}/events", world.program);
    let all = browser.get(&world, &list).await;
    assert!(all.body.contains("charge.succeeded") && all.body.contains("checkout.session.completed"));
    let narrowed = browser.get(&world, &format!("{list}?type=charge.&outcome=processed")).await;
    assert!(
        narrowed.body.contains("charge.succeeded") && !narrowed.body.contains("checkout.session.completed")
    );
    let sql = "SELECT object_id, connection_id, event_id FROM event WHERE type = 'charge.succeeded'";
    let row = &world.database.rows(sql).await[0];
    let [charge, connection, event] = [0, 1, 2].map(|at| row[at].clone().expect("a text"));
    let about = browser.get(&world, &format!("{list}?object={charge}&connection={connection}")).await;
    assert!(about.body.contains(&event) && !about.body.contains("checkout.session.completed"));
    let none = browser.get(&world, &format!("{list}?from=2100-01-01")).await;
    assert!(none.body.contains("Nothing fits"), "{}", none.body);
    let other = browser.get(&world, &format!("{list}?connection=con_of_somebody")).await;
    assert!(other.body.contains("Nothing fits"), "{}", other.body);
    let csv = browser.get(&world, &format!("/p/{}/events.csv?type=charge.", world.program)).await;
    let lines: Vec<&str> = csv.body.lines().collect();
    assert!(lines[0].starts_with("received,happened,event,type,object"), "{}", lines[0]);
    assert!(lines.len() == 2 && lines[1].contains(&charge), "{}", csv.body);
    let path = format!("{list}/{connection}/{event}");
    let masked = browser.get(&world, &path).await;
    assert!(!payload(&masked).contains("@buyer.example"), "{}", masked.body);
    let token = masked.token();
    assert_eq!(browser.post(&world, &format!("{path}/reveal"), &[("form_token", "x")]).await.status, 403);
    let shown = browser.post(&world, &format!("{path}/reveal"), &[("form_token", &token)]).await;
    assert!(shown.status == 200 && payload(&shown).contains("@buyer.example"), "{}", shown.body);
    world.database.damage("UPDATE user_account SET role = 'analyst'").await;
    let refused = browser.post(&world, &format!("{path}/reveal"), &[("form_token", &token)]).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let page = browser.get(&world, &path).await;
    assert!(!page.body.contains("/reveal") && !payload(&page).contains("@buyer.example"));
    world.finish().await;
    sandbox.stop().await;
}
