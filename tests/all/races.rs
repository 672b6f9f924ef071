//! What is said of one sale by several at the same moment: every word counts once, and replay says the same.

use crate::support::browser::Browser;
use crate::support::story::{Story, commission};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, now_s};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tributary_stripe::story::{Era, Plot};

both_engines!(
    parallel_calls_on_one_transaction_agree,
    a_decision_beside_a_refund_loses_nothing,
    terms_that_are_saved_at_once_are_versions,
    a_partner_has_one_status,
);

async fn parallel_calls_on_one_transaction_agree(engine: Engine) {
    let world = World::started(engine).await;
    world.partner("ADA").await;
    world.customer("u-1", None, "ADA").await;
    for n in 0..6 {
        let key = format!("t-{n}");
        let body = |amount: i64| json!({ "key": key, "customer": { "key": "u-1" }, "amount": amount });
        let bodies: Vec<Value> = (1..=5).map(|times| body(10 * times)).collect();
        let answers = join_all(bodies.iter().map(|body| world.post("/v1/transactions", body))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409]);
        let path = format!("/v1/transactions/{key}");
        let changes: Vec<Value> = (1..=5).map(|times| json!({ "amount": 100 * times })).collect();
        for answer in join_all(changes.iter().map(|change| world.put(&path, change))).await {
            answer.expect(200);
        }
    }
    world.settled().await;
    world.finish().await;
}

/// A sale over 100.00 and a refund of half of it, at the moment of a decision.
async fn a_decision_beside_a_refund_loses_nothing(engine: Engine) {
    let world = World::connected(engine).await;
    let (mut earned, mut races) = (0, Vec::new());
    for n in 0..20 {
        let tag = format!("race{n}");
        let plot = Plot { refund: 6_000, start_s: now_s() - 86_400, ..Plot::new(&tag) };
        let plot = Plot { client_reference_id: Some("ADA".to_owned()), ..plot };
        let story = Story { plot, era: Era::Dahlia, subscription: false, partner: Some("ADA") };
        story.put(&world.stripe);
        let (refunds, sale): (Vec<Value>, Vec<Value>) = story
            .events()
            .into_iter()
            .partition(|event| event["type"].as_str().is_some_and(|type_| type_.contains("refund")));
        world.deliver_all(&sale).await;
        earned += commission(10_000, 6_000, 12_000);
        races.push((story.plot.session(), refunds));
    }
    world.settled().await;
    for (session, refunds) in &races {
        let path = format!("/v1/transactions/{session}");
        let decide = async {
            world.request("POST", &format!("{path}/archive"), None).await.expect(200);
            world.request("POST", &format!("{path}/revoke-archive"), None).await.expect(200);
        };
        tokio::join!(world.deliver_all(refunds), decide);
    }
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", earned)]).await;
    world.finish().await;
}

async fn terms_that_are_saved_at_once_are_versions(engine: Engine) {
    let world = World::connected(engine).await;
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = format!("/p/{}/settings/terms", world.program);
    let page = browser.get(&world, &path).await;
    let token = page.token();
    let form = |value: &'static str| {
        let rest = [("reward", "percent"), ("span", "lifetime"), ("count", ""), ("hold_days", "30")];
        let mut form = vec![("form_token", token.as_str()), ("value", value)];
        form.extend(rest);
        form
    };
    let before = world.database.number("SELECT COUNT(*) FROM terms").await;
    let saving = ["21", "22", "23", "24"].map(|value| {
        let (mut owner, world, path, form) = (browser.clone(), &world, &path, form(value));
        async move { owner.post(world, path, &form).await }
    });
    for saved in join_all(saving).await {
        assert!(saved.location.ends_with("notice=terms"), "{saved:?}");
    }
    assert_eq!(world.database.number("SELECT COUNT(*) FROM terms").await, before + 4);
    world.finish().await;
}

/// Archived while somebody corrects the name: what is shown is what sales go by.
async fn a_partner_has_one_status(engine: Engine) {
    let world = World::connected(engine).await;
    for n in 0..6 {
        let key = format!("P{n}");
        world.partner(&key).await;
        let path = format!("/v1/partners/{key}");
        let archive = format!("{path}/archive");
        let names = [json!({ "name": "Ann" }), json!({ "name": "Anne" }), json!({ "tags": ["vip"] })];
        let (archived, changed) = tokio::join!(
            world.request("POST", &archive, None),
            join_all(names.iter().map(|name| world.put(&path, name)))
        );
        archived.expect(200);
        changed.into_iter().for_each(|answer| drop(answer.expect(200)));
        let shown = world.database.text(&format!("SELECT status FROM partner WHERE key = '{key}'")).await;
        let sql = format!(
            "SELECT s.status FROM partner_status s JOIN partner p ON p.workspace_id = s.workspace_id \
             AND p.partner_id = s.partner_id WHERE p.key = '{key}' ORDER BY s.from_ms DESC LIMIT 1"
        );
        assert_eq!((shown.as_str(), world.database.text(&sql).await.as_str()), ("archived", "archived"));
    }
    world.finish().await;
}
