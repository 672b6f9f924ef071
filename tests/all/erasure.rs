//! Erasing a person: nothing that says who it was is left, and the books are what they were.

use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::process;
use crate::support::story::{Story, commission};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines};
use serde_json::{Value, json};
use std::time::Duration;
use tributary_stripe::story::{Era, Objects, Plot, wrap};

both_engines!(
    a_person_is_erased_and_the_books_stay,
    a_guest_is_erased_by_address,
    the_page_erases_when_the_key_is_typed,
    nobody_is_told_so,
    what_nobody_brought_stays_nobodys,
    whoever_has_the_same_key_or_address_goes_too,
    nothing_knows_a_guest_again,
);

/// What is written into every place that may say who somebody is.
const CANARY: &str = "canary7f3a";

fn buyer(tag: &str, subscription: bool) -> Story {
    let plot = Plot {
        email: format!("{tag}.{CANARY}@example.com"),
        client_reference_id: Some("ADA".to_owned()),
        ..Plot::new(tag)
    };
    Story { plot, era: Era::Dahlia, subscription, partner: Some("ADA") }
}

/// The events, with the canary in names, descriptions and metadata.
fn events(story: &Story) -> Vec<Value> {
    let mut events = story.events();
    for event in &mut events {
        let object = &mut event["data"]["object"];
        for field in ["billing_details", "customer_details"] {
            if object[field].is_object() {
                object[field]["name"] = json!(format!("Carla {CANARY}"));
            }
        }
        object["description"] = json!(format!("for {CANARY}"));
    }
    events
}

/// The same, with a customer's key in the metadata of the session; the double knows the session so, too.
fn keyed_events(world: &World, story: &Story, key: &str) -> Vec<Value> {
    let mut events = events(story);
    for event in events.iter_mut().filter(|event| event["type"] == "checkout.session.completed") {
        event["data"]["object"]["metadata"]["customer_key"] = json!(key);
        world.stripe.put(event["data"]["object"].clone());
    }
    events
}

/// The beginnings of the addresses' hashes, as they go into keys.
async fn hashes(world: &World) -> Vec<String> {
    let sql = "SELECT DISTINCT value FROM buyer_hint WHERE kind = 'email'";
    world.database.column(sql).await.into_iter().map(|hash| hash[..16].to_owned()).collect()
}

/// What is found in the tables alone: a file keeps deleted bytes until it is compacted.
async fn left_in_tables(world: &World, words: &[&str]) -> Vec<String> {
    let all = everything(world).await;
    let tables: Vec<_> = all.into_iter().filter(|(place, _)| !place.starts_with("file")).collect();
    hits(&tables, words)
}

/// Every place where something may be left, with its text: tables, files, the log.
async fn everything(world: &World) -> Vec<(String, String)> {
    let log = std::fs::read(world.log()).unwrap_or_default();
    let mut all = vec![("log".to_owned(), String::from_utf8_lossy(&log).into_owned())];
    let tables = match &world.database {
        Database::Sqlite(path) => {
            for end in ["", "-wal", "-shm"] {
                let mut name = path.clone().into_os_string();
                name.push(end);
                if let Ok(bytes) = std::fs::read(name) {
                    all.push((format!("file{end}"), String::from_utf8_lossy(&bytes).into_owned()));
                }
            }
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        }
        Database::Postgres(_) => {
            "SELECT CAST(c.oid::regclass AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')"
        }
    };
    for table in world.database.column(tables).await {
        let rows = world.database.rows(&format!("SELECT * FROM {table}")).await;
        all.push((table, rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n")));
    }
    all
}

/// Which of the words are found, and where.
fn hits(all: &[(String, String)], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, text) in all {
        let text = text.to_lowercase();
        let here = words.iter().filter(|word| text.contains(&word.to_lowercase()));
        found.extend(here.map(|word| format!("{word} in {place}")));
    }
    found
}

async fn a_person_is_erased_and_the_books_stay(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let key = format!("user-{CANARY}");
    let (story, other) = (buyer("sub", true), buyer("other", true));
    world.customer(&key, Some(&story.plot.email), "BOB").await;
    for story in [&story, &other] {
        story.put(&world.stripe);
        world.deliver_all(&events(story)).await;
    }
    let body = json!({ "customer": { "key": key }, "key": "order-1", "amount": 20 });
    world.post("/v1/transactions", &body).await.expect(201);
    world.settled().await;
    let (digest, totals) = (world.digest().await, world.ledger_totals().await);
    let buyer = format!(
        "SELECT b.buyer_id FROM buyer_customer b JOIN customer c ON c.workspace_id = b.workspace_id \
         AND c.customer_id = b.customer_id WHERE c.key = '{key}' AND b.buyer_id LIKE 'cus_%'"
    );
    let cus = world.database.text(&buyer).await;
    let hash = world.database.text(&format!("SELECT email_hash FROM customer WHERE key = '{key}'")).await;
    assert!(!hits(&everything(&world).await, &[CANARY]).is_empty(), "the canary sings before");
    let refused = world.command(&["erase", "--customer", &key, "--json"], "").await;
    refused.expect_failure("for-good");
    let said = world.command(&["erase", "--customer", &key, "--for-good", "--json"], "").await.ok().json();
    assert!(said["customers"].as_u64() == Some(1) && said["payloads"].as_u64() > Some(3), "{said}");
    assert_eq!(world.digest().await, digest, "the books are what they were");
    assert_eq!(world.ledger_totals().await, totals);
    // The other one is still there; then it goes, too, by the id at Stripe.
    assert!(!hits(&everything(&world).await, &["other.canary7f3a"]).is_empty());
    let other_cus = world
        .database
        .text(&format!(
            "SELECT MIN(buyer_id) FROM buyer_customer WHERE buyer_id LIKE 'cus_%' AND buyer_id <> '{cus}'"
        ))
        .await;
    world.command(&["erase", "--stripe-customer", &other_cus, "--for-good", "--json"], "").await.ok();
    assert_eq!(world.digest().await, digest);
    // What Stripe sends again, and what is new of the same Stripe customer, stores nothing personal and still earns.
    for story in [&story, &other] {
        for mut event in events(story) {
            event["id"] = json!(format!("{}_again", event["id"].as_str().expect("an id")));
            world.deliver(&event).await;
        }
    }
    world.settled().await;
    assert_eq!(world.digest().await, digest, "nothing is earned twice, and nothing is lost");
    assert_eq!(world.replay().await["digest"], digest.as_str());
    assert_eq!(world.stop().await, 0);
    // Already erased: once more does no harm, and rewrites the files.
    let once_more = ["erase", "--stripe-customer", &cus, "--for-good", "--compact", "--json"];
    world.command(&once_more, "").await.ok();
    let found = hits(&everything(&world).await, &[CANARY, &hash, "Carla"]);
    assert!(found.is_empty(), "left: {found:?}");
    let fresh = world.folder.path().join("fresh.db");
    let url = format!("sqlite:{}", fresh.display());
    let into = world.command(&["replay", "--into", &url, "--json"], "").await.ok().json();
    assert_eq!(into["digest"], digest.as_str());
    let mut verify = world.prepared(&["verify", "--json"]);
    verify.env("TRIBUTARY_DATABASE_URL", &url);
    let verified = process::run(verify, "", Duration::from_secs(60)).await.ok().json();
    assert_eq!((&verified["ok"], &verified["digest"]), (&json!(true), &json!(digest)), "{verified}");
    world.finish().await;
}

async fn a_guest_is_erased_by_address(engine: Engine) {
    let world = World::connected(engine).await;
    let story = buyer("guest", false);
    story.put(&world.stripe);
    world.deliver_all(&events(&story)).await;
    world.settled().await;
    let (digest, totals) = (world.digest().await, world.ledger_totals().await);
    let said = world
        .command(&["erase", "--email", &story.plot.email, "--for-good", "--compact", "--json"], "")
        .await;
    assert_eq!(said.ok().json()["customers"], 1);
    assert_eq!(world.digest().await, digest);
    world.deliver_all(&events(&story)).await;
    for mut event in events(&story) {
        event["id"] = json!(format!("{}_again", event["id"].as_str().expect("an id")));
        world.deliver(&event).await;
    }
    world.settled().await;
    assert_eq!(world.ledger_totals().await, totals);
    assert_eq!(world.replay().await["digest"], digest.as_str());
    assert_eq!(world.stop().await, 0);
    world.command(&["erase", "--customer", "nobody", "--for-good"], "").await.expect_failure("nobody");
    let found = hits(&everything(&world).await, &[CANARY, "Carla"]);
    assert!(found.is_empty(), "left: {found:?}");
    world.finish().await;
}

async fn the_page_erases_when_the_key_is_typed(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-77", Some("someone@example.com"), "ADA").await;
    let id = world.database.text("SELECT customer_id FROM customer WHERE key = 'u-77'").await;
    let path = format!("/p/{}/customers/{id}", world.program);
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let page = browser.get(&world, &path).await;
    assert!(page.body.contains(&format!("{path}/erase")), "{}", page.body);
    let asked = browser.get(&world, &format!("{path}/erase")).await;
    assert_eq!(asked.status, 200);
    let token = asked.token();
    let erase = format!("{path}/erase");
    let wrong = browser.post(&world, &erase, &[("form_token", &token), ("confirm", "u-78")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert_eq!(world.database.text("SELECT key FROM customer").await, "u-77", "nothing was erased");
    let done = browser.post(&world, &erase, &[("form_token", &token), ("confirm", "u-77")]).await;
    assert_eq!((done.status, done.location.as_str()), (303, path.as_str()), "{done:?}");
    let page = browser.get(&world, &path).await;
    assert!(
        page.status == 200 && page.body.contains("erased_") && !page.body.contains("u-77"),
        "{}",
        page.body
    );
    assert_eq!(world.database.number("SELECT COUNT(*) FROM customer WHERE email_hash IS NOT NULL").await, 0);
    world.get("/v1/customers/u-77").await.expect_error(404);
    world.finish().await;
}

async fn nobody_is_told_so(engine: Engine) {
    let world = World::connected(engine).await;
    for (flag, value, code) in [
        ("--customer", "nobody", 1),
        ("--email", "nobody@example.com", 1),
        ("--email", "nobody", 2),
        ("--stripe-customer", "cus_nobody", 1),
        ("--stripe-customer", "ch_1", 2),
    ] {
        let output = world.command(&["erase", flag, value, "--for-good", "--json"], "").await;
        assert_eq!(output.code, code, "{flag} {value}: {output:?}");
    }
    assert_eq!(world.command(&["erase", "--for-good"], "").await.code, 2);
}

/// A buyer without a partner is erased; who is named as its partner later has what is paid later.
async fn what_nobody_brought_stays_nobodys(engine: Engine) {
    let world = World::connected(engine).await;
    let plot = Plot { client_reference_id: None, ..Plot::new("alone") };
    let story = Story { plot, era: Era::Dahlia, subscription: true, partner: None };
    story.put(&world.stripe);
    world.deliver_all(&story.events()).await;
    world.settled().await;
    world.expect_totals::<&str>(&[]).await;
    let customer = story.plot.customer();
    let arguments = ["erase", "--stripe-customer", &customer, "--for-good", "--json"];
    let said = world.command(&arguments, "").await.ok().json();
    assert_eq!(said["sales"], 2, "{said}");
    let (objects, third) = (Objects { era: Era::Dahlia, plot: &story.plot }, story.plot.purchase(3));
    let named = |mut object: Value| {
        object["metadata"] = json!({ "partner_key": "ADA" });
        object
    };
    let event = |id: &str, type_: &str, object: Value| {
        wrap(id, type_, Era::Dahlia.api_version(), third.at_s + 5, object)
    };
    let payment = objects.invoice_payment(&third);
    let later = [
        event("evt_named", "customer.updated", named(objects.customer())),
        event("evt_third", "invoice.paid", named(objects.invoice(&third))),
        event("evt_paid", "invoice_payment.paid", payment),
        event("evt_charge", "charge.succeeded", objects.charge(&third, true, 0)),
    ];
    world.deliver_all(&later).await;
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", commission(10_000, 1, 1))]).await;
    world.finish().await;
}

/// A person who is more than one customer: by a key that came later, and by the address alone.
async fn whoever_has_the_same_key_or_address_goes_too(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let (kept, twice, mut guest) = (buyer("kept", true), buyer("twice", true), buyer("guest", false));
    guest.plot.email.clone_from(&twice.plot.email);
    for story in [&kept, &twice, &guest] {
        story.put(&world.stripe);
    }
    world.deliver_all(&events(&kept)).await;
    world.deliver_all(&events(&twice)).await;
    world.deliver_all(&keyed_events(&world, &guest, &format!("guest-{CANARY}"))).await;
    world.settled().await;
    // A call keeps the customer that the purchase made; then the buyer turns out to be another one.
    let path = format!("/v1/customers/stripe_{}", kept.plot.customer());
    world.put(&path, &json!({ "partner": { "key": "BOB" } })).await.expect(200);
    let mut customer = Objects { era: Era::Dahlia, plot: &kept.plot }.customer();
    customer["metadata"] = json!({ "customer_key": format!("kept-{CANARY}") });
    world.stripe.put(customer.clone());
    let at_s = kept.plot.purchase(2).at_s + 10;
    let event = wrap("evt_keyed", "customer.updated", Era::Dahlia.api_version(), at_s, customer);
    world.deliver(&event).await;
    world.settled().await;
    let of = |tag: &str| format!("SELECT COUNT(*) FROM customer WHERE email LIKE '{tag}.%'");
    for tag in ["kept", "twice"] {
        assert_eq!(world.database.number(&of(tag)).await, 2, "{tag}: two customers with one address");
    }
    let (digest, totals, hashes) = (world.digest().await, world.ledger_totals().await, hashes(&world).await);
    assert_eq!(hashes.len(), 2, "{hashes:?}");
    for story in [&kept, &twice] {
        let arguments = ["erase", "--stripe-customer", &story.plot.customer(), "--for-good", "--json"];
        let said = world.command(&arguments, "").await.ok().json();
        assert_eq!(said["customers"], 2, "{said}");
        assert_eq!(world.database.number(&of(&story.plot.tag)).await, 0);
    }
    assert_eq!((world.digest().await, world.ledger_totals().await), (digest, totals));
    let mut words = vec![CANARY, "Carla", "Grace"];
    words.extend(hashes.iter().map(String::as_str));
    let found = left_in_tables(&world, &words).await;
    assert!(found.is_empty(), "left: {found:?}");
    world.finish().await;
}

/// Guests with and without a key, and one whom nobody brought: the hash of the address goes and does not come back.
async fn nothing_knows_a_guest_again(engine: Engine) {
    let world = World::connected(engine).await;
    let (keyed, plain, mut alone) = (buyer("keyed", false), buyer("plain", false), buyer("alone", false));
    (alone.plot.client_reference_id, alone.partner) = (None, None);
    let stories = [&keyed, &plain, &alone];
    for story in stories {
        story.put(&world.stripe);
    }
    let key = format!("keyed-{CANARY}");
    let told = [keyed_events(&world, &keyed, &key), events(&plain), events(&alone)].concat();
    world.deliver_all(&told).await;
    world.settled().await;
    let (digest, totals, hashes) = (world.digest().await, world.ledger_totals().await, hashes(&world).await);
    assert_eq!(hashes.len(), 3, "{hashes:?}");
    for story in stories {
        world.command(&["erase", "--email", &story.plot.email, "--for-good", "--json"], "").await.ok();
    }
    let mut words = vec![CANARY, "Carla", "Grace"];
    words.extend(hashes.iter().map(String::as_str));
    let found = left_in_tables(&world, &words).await;
    assert!(found.is_empty(), "left: {found:?}");
    let unnamed = "SELECT COUNT(*) FROM customer WHERE key LIKE 'erased_%'";
    assert_eq!(world.database.number(unnamed).await, 2, "and no customer was made meanwhile");
    assert_eq!(world.database.number("SELECT COUNT(*) FROM customer").await, 2);
    // What Stripe sends again brings nothing back, nor does what is derived anew.
    for mut event in told {
        event["id"] = json!(format!("{}_again", event["id"].as_str().expect("an id")));
        world.deliver(&event).await;
    }
    world.settled().await;
    assert_eq!((world.digest().await, world.ledger_totals().await), (digest.clone(), totals.clone()));
    let applied = world.command(&["replay", "--apply", "--json"], "").await.ok().json();
    assert_eq!((&applied["posted"], &applied["journals"]), (&json!(0), &json!(0)), "{applied}");
    let found = left_in_tables(&world, &words).await;
    assert!(found.is_empty(), "came back: {found:?}");
    assert_eq!((world.digest().await, world.ledger_totals().await), (digest, totals));
    world.finish().await;
}
