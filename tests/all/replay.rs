//! Replay as a whole: into a fresh database, on either engine; and putting what was derived in place.

use crate::support::database::Database;
use crate::support::process::{self, Output};
use crate::support::story::{Story, expected};
use crate::support::{Engine, World, both_engines};
use serde_json::json;
use std::time::Duration;
use tributary_stripe::story::{Era, Plot};

both_engines!(
    a_fresh_database_ends_in_the_same_books,
    what_was_damaged_is_put_right_by_new_journals,
    applying_where_nothing_differs_posts_nothing,
    an_installation_moves_to_the_other_engine,
    a_copy_of_what_was_changed_meanwhile_is_refused,
    a_database_of_somebody_else_is_left_alone,
    as_of_an_instant_two_installations_say_the_same,
);

fn stories() -> Vec<Story> {
    let link = Plot { currency: "eur".to_owned(), total: 4999, tax: 798, refund: 1000, ..Plot::new("link") };
    vec![
        Story { plot: Plot::new("sub"), era: Era::Dahlia, subscription: true, partner: Some("ADA") },
        Story { plot: link, era: Era::Y2022, subscription: false, partner: Some("ADA") },
    ]
}

/// A settled world with two buyers, a customer and a sale of the API, and a decision.
pub async fn settled_world(engine: Engine) -> World {
    let world = World::connected(engine).await;
    let stories = stories();
    for story in &stories {
        story.put(&world.stripe);
        world.deliver_all(&story.events()).await;
    }
    world.customer("called", Some("called@example.com"), "ADA").await;
    for (key, amount) in [("order-1", 100), ("order-2", 50)] {
        let body = json!({ "customer": { "key": "called" }, "key": key, "amount": amount });
        let answer = world.post("/v1/transactions", &body).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    }
    let answer = world.delete("/v1/transactions/order-2").await;
    assert!((200..300).contains(&answer.status), "{answer:?}");
    world.settled().await;
    world
}

pub async fn command(world: &World, database: &Database, arguments: &[&str]) -> Output {
    let mut command = world.prepared(arguments);
    command.env("TRIBUTARY_DATABASE_URL", database.url());
    process::run(command, "", Duration::from_secs(120)).await
}

/// Empty databases of both kinds.
pub async fn empty(world: &World) -> [Database; 2] {
    let file = world.folder.path().join("fresh").join("fresh.db");
    [Database::Sqlite(file), Database::Postgres(crate::support::postgres::fresh_database().await)]
}

async fn a_fresh_database_ends_in_the_same_books(engine: Engine) {
    let world = settled_world(engine).await;
    assert_eq!(world.stop().await, 0);
    let digest = world.digest().await;
    for database in empty(&world).await {
        let said = world.command(&["replay", "--into", &database.url(), "--json"], "").await.ok().json();
        assert_eq!(said["digest"], digest.as_str(), "{said}");
        assert_eq!(said["posted"], 0, "{said}");
        assert_eq!(said["events"], world.database.number("SELECT COUNT(*) FROM event").await, "{said}");
        let verified = command(&world, &database, &["verify", "--json"]).await.ok().json();
        assert_eq!((&verified["digest"], &verified["ok"]), (&json!(digest), &json!(true)), "{verified}");
        let again = command(&world, &database, &["replay", "--json"]).await.ok().json();
        assert_eq!(again["digest"], digest.as_str(), "{again}");
        for table in
            ["user_account", "api_key", "partner", "customer", "event", "event_payload", "observation"]
        {
            let count = format!("SELECT COUNT(*) FROM {table}");
            let (is, was) = (database.number(&count).await, world.database.number(&count).await);
            assert_eq!(is, was, "{table} came along");
        }
        // It is an installation like the first: one more replay into it is refused, and so is a half-filled one.
        let twice = world.command(&["replay", "--into", &database.url(), "--json"], "").await;
        twice.expect_failure("empty");
        database
            .damage("INSERT INTO copy_state (workspace_id, name, what, at) VALUES ('', '*', 'replay', 1)")
            .await;
        command(&world, &database, &["verify", "--json"]).await.expect_failure("not complete");
    }
    let own = world.database.url();
    world.command(&["replay", "--into", &own, "--json"], "").await.expect_failure("--into");
    world.finish().await;
}

async fn what_was_damaged_is_put_right_by_new_journals(engine: Engine) {
    let world = settled_world(engine).await;
    assert_eq!(world.stop().await, 0);
    let (digest, totals) = (world.digest().await, world.ledger_totals().await);
    let db = &world.database;
    // A sale that no source knows, a sale that earned too much, derived rows that are gone, a commission's row that
    // says something else than its journals.
    let sale = db.text("SELECT MIN(sale_id) FROM commission WHERE target > 0").await;
    let of_sale = db.number(&format!("SELECT MAX(target) FROM commission WHERE sale_id = '{sale}'")).await;
    for sql in [
        format!("UPDATE sale SET paid = paid - 100, captured = captured - 100 WHERE sale_id = '{sale}'"),
        format!("UPDATE scope SET generation = generation + 1, whole = {}", true_of(engine)),
    ] {
        db.damage(&sql).await;
    }
    // Whatever comes next settles what is marked: the ledger follows what is derived.
    let drained = world.command(&["replay", "--json"], "").await;
    assert_eq!(drained.code, 1, "{drained:?}");
    let wrong = db.number(&format!("SELECT MAX(target) FROM commission WHERE sale_id = '{sale}'")).await;
    assert_ne!(wrong, of_sale, "the ledger follows what is derived");
    for sql in [
        "DELETE FROM buyer_hint".to_owned(),
        "DELETE FROM evidence".to_owned(),
        format!("UPDATE alias SET state = NULL WHERE sale_id = '{sale}'"),
        "UPDATE commission SET target = target + 7 WHERE commission_id = (SELECT MIN(commission_id) FROM commission)"
            .to_owned(),
    ] {
        db.damage(&sql).await;
    }
    let found = world.command(&["replay", "--json"], "").await;
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.json()["posted"].as_u64().is_some_and(|posted| posted > 0), "{found:?}");
    let journals = "SELECT COUNT(*) FROM journal";
    let before = db.number(journals).await;
    let applied = world.command(&["replay", "--apply", "--json"], "").await;
    assert_eq!(applied.code, 1, "problems were found, and put right: {applied:?}");
    assert!(applied.json()["journals"].as_u64().is_some_and(|journals| journals > 0), "{applied:?}");
    assert!(db.number(journals).await > before, "corrected by new journals, none was taken away");
    assert_eq!(world.replay().await["digest"], digest.as_str());
    assert_eq!(world.digest().await, digest);
    assert_eq!(world.ledger_totals().await, totals);
    assert_eq!(world.target_totals().await, totals);
    let left = match engine {
        Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'shadow_%'",
        Engine::Postgres => "SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'shadow_%'",
    };
    assert_eq!(db.number(left).await, 0, "nothing is left beside");
}

pub const fn true_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "1",
        Engine::Postgres => "TRUE",
    }
}

async fn applying_where_nothing_differs_posts_nothing(engine: Engine) {
    let world = settled_world(engine).await;
    let expected = expected(&stories());
    let digest = world.digest().await;
    // The server runs meanwhile.
    let said = world.command(&["replay", "--apply", "--json"], "").await.ok().json();
    assert_eq!((&said["posted"], &said["journals"]), (&json!(0), &json!(0)), "{said}");
    assert_eq!(world.digest().await, digest);
    let more = Story { plot: Plot::new("more"), era: Era::Clover, subscription: false, partner: Some("ADA") };
    more.put(&world.stripe);
    world.deliver_all(&more.events()).await;
    world.settled().await;
    assert_ne!(world.digest().await, digest, "the server goes on with what was put in place");
    assert!(!expected.is_empty());
    world.finish().await;
}

async fn an_installation_moves_to_the_other_engine(engine: Engine) {
    let world = settled_world(engine).await;
    let digest = world.digest().await;
    let url = format!("sqlite:{}", world.folder.path().join("copy.db").display());
    world.command(&["db", "copy", "--to", &url], "").await.expect_failure("serves this database");
    assert_eq!(world.stop().await, 0);
    for database in empty(&world).await {
        // A copy that was cut off goes on.
        let url = database.url();
        let said = world.command(&["db", "copy", "--to", &url, "--json"], "").await.ok().json();
        assert_eq!((&said["digest"], &said["digest_there"]), (&json!(digest), &json!(digest)), "{said}");
        database
            .damage(
                "INSERT INTO copy_state (workspace_id, name, what, at) VALUES ('', '*', 'copy', 1), \
                 ('', 'workspace', 'table', 1); DELETE FROM unsealed; DELETE FROM evidence; DELETE FROM seal",
            )
            .await;
        command(&world, &database, &["verify", "--json"]).await.expect_failure("not complete");
        world.command(&["db", "copy", "--to", &url, "--json"], "").await.ok();
        let verified = command(&world, &database, &["verify", "--json"]).await.ok().json();
        assert_eq!(verified["digest"], digest.as_str(), "{verified}");
        let replayed = command(&world, &database, &["replay", "--json"]).await.ok().json();
        assert_eq!(replayed["posted"], 0, "{replayed}");
        world.command(&["db", "copy", "--to", &url, "--json"], "").await.expect_failure("empty");
    }
}

/// Cut off at its end; then only a value was changed in what is copied from.
async fn a_copy_of_what_was_changed_meanwhile_is_refused(engine: Engine) {
    let world = settled_world(engine).await;
    assert_eq!(world.stop().await, 0);
    for (database, name) in empty(&world).await.into_iter().zip(["Once", "Twice"]) {
        let url = database.url();
        world.command(&["db", "copy", "--to", &url, "--json"], "").await.ok();
        let cut_off = "INSERT INTO copy_state (workspace_id, name, what, at) VALUES ('', '*', 'copy', 1), \
             ('', 'partner', 'table', 1)";
        database.damage(cut_off).await;
        world.database.damage(&format!("UPDATE partner SET name = '{name}' WHERE key = 'ADA'")).await;
        let refused = world.command(&["db", "copy", "--to", &url, "--json"], "").await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert_eq!(
            refused.json()["differing"],
            json!(["partner: other values here than there"]),
            "{refused:?}"
        );
        command(&world, &database, &["verify", "--json"]).await.expect_failure("not complete");
    }
}

async fn a_database_of_somebody_else_is_left_alone(engine: Engine) {
    let world = settled_world(engine).await;
    assert_eq!(world.stop().await, 0);
    let known = crate::support::postgres::fresh_database().await;
    let (address, _) = known.rsplit_once('/').expect("a name");
    let theirs = crate::support::postgres::empty_database(address).await;
    let file = world.folder.path().join("theirs.db");
    std::fs::File::create(&file).expect("a file");
    for database in [Database::Sqlite(file), Database::Postgres(theirs)] {
        database.damage("CREATE TABLE customer (id BIGINT); INSERT INTO customer (id) VALUES (7)").await;
        let words = "holds tables that are not Tributary's (customer)";
        for name in ["migrate", "serve"] {
            command(&world, &database, &[name]).await.expect_failure(words);
        }
        world.command(&["db", "copy", "--to", &database.url()], "").await.expect_failure(words);
        assert_eq!(database.number("SELECT SUM(id) FROM customer").await, 7);
    }
    // What an extension brought is nobody's: hosted PostgreSQL comes with such tables and views.
    let hosted = crate::support::postgres::empty_database(address).await;
    let database = Database::Postgres(hosted);
    let brought = "CREATE TABLE spatial_ref_sys (id BIGINT); ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys; \
         CREATE VIEW statements AS SELECT 1 AS calls";
    database.damage(brought).await;
    command(&world, &database, &["migrate"]).await.ok();
    world.command(&["db", "copy", "--to", &database.url(), "--json"], "").await.ok();
    let verified = command(&world, &database, &["verify", "--json"]).await.ok().json();
    assert_eq!(verified["ok"], true, "{verified}");
}

async fn as_of_an_instant_two_installations_say_the_same(engine: Engine) {
    let world = settled_world(engine).await;
    let [fresh, _] = empty(&world).await;
    world.command(&["replay", "--into", &fresh.url(), "--json"], "").await.ok();
    let first = world.database.number("SELECT MIN(occurred_at) FROM sale WHERE paid > 0").await;
    let mut digests = Vec::new();
    for at in [first - 1, first, first + 86_400_000 * 31, first + 86_400_000 * 4_000] {
        let arguments = ["verify", "--as-of", &at.to_string(), "--json"];
        let here = world.command(&arguments, "").await.ok().json();
        let there = command(&world, &fresh, &arguments).await.ok().json();
        assert_eq!(here["digest"], there["digest"], "as of {at}");
        assert_eq!(here["as_of"], at, "{here}");
        digests.push(here["digest"].as_str().expect("a digest").to_owned());
    }
    let plain = world.digest().await;
    digests.push(plain);
    let different: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(different.len(), digests.len(), "each instant has books of its own: {digests:?}");
    let before = world.command(&["verify", "--as-of", "2001-01-01", "--json"], "").await.ok().json();
    let sums = before["balances"].as_array().expect("balances");
    assert!(sums.iter().all(|balance| balance["amount"] == 0), "{before}");
    assert_eq!(world.command(&["verify", "--as-of", "soon"], "").await.code, 2);
}
