//! `verify` finds what was changed by hand behind the product's back, and names the row.

use crate::support::database::{Database, connect};
use crate::support::process::Output;
use crate::support::story::Story;
use crate::support::{Engine, World, both_engines, eventually};
use std::time::Duration;
use tributary_stripe::story::{Era, Plot};

both_engines!(
    verify_names_every_row_that_was_damaged,
    verify_counts_anew_when_asked,
    the_ledger_refuses_to_be_changed
);

/// A settled world whose server has stopped.
async fn settled_world(engine: Engine) -> World {
    let world = World::connected(engine).await;
    let stories = [
        Story { plot: Plot::new("one"), era: Era::Dahlia, subscription: true, partner: Some("ADA") },
        Story { plot: Plot::new("two"), era: Era::Y2022, subscription: false, partner: Some("ADA") },
    ];
    for story in &stories {
        story.put(&world.stripe);
        world.deliver_all(&story.events()).await;
    }
    world.settled().await;
    eventually("every journal is sealed", Duration::from_secs(20), || async {
        let left = world.database.text("SELECT COUNT(*) FROM unsealed").await;
        (left == "0").then_some(())
    })
    .await;
    world.finish().await;
    assert_eq!(world.stop().await, 0, "serve ends cleanly on SIGTERM");
    world
}

/// A copy of a world's database.
async fn copy(world: &World, n: usize) -> Database {
    match &world.database {
        Database::Sqlite(path) => {
            let copied = world.folder.path().join(format!("copy{n}.db"));
            // The server has stopped and every look is over: what is in the write-ahead log goes into the file.
            world.database.rows("PRAGMA wal_checkpoint(TRUNCATE)").await;
            std::fs::copy(path, &copied).expect("the file is copied");
            Database::Sqlite(copied)
        }
        Database::Postgres(url) => {
            let (server, name) = url.rsplit_once('/').expect("an address with a name");
            let sql = format!("CREATE DATABASE {name}_{n} TEMPLATE {name}");
            eventually("the database can be copied", Duration::from_secs(20), || async {
                connect(&format!("{server}/postgres")).await.batch_execute(&sql).await.ok()
            })
            .await;
            Database::Postgres(format!("{url}_{n}"))
        }
    }
}

async fn verify(world: &World, database: &Database) -> Output {
    let mut command = world.prepared(&["verify", "--json"]);
    command.env("TRIBUTARY_DATABASE_URL", database.url());
    crate::support::process::run(command, "", Duration::from_secs(60)).await
}

/// The names of a table's columns but one, for copying rows.
async fn columns(database: &Database, table: &str) -> Vec<String> {
    let sql = match database {
        Database::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
        Database::Postgres(_) => {
            format!("SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'")
        }
    };
    database.column(&sql).await
}

/// SQL that copies the rows of a table that fit, with some columns changed.
async fn doubled(database: &Database, table: &str, change: &[(&str, &str)], fits: &str) -> String {
    let names = columns(database, table).await;
    let values: Vec<String> = names
        .iter()
        .map(|name| {
            change.iter().find(|(c, _)| c == name).map_or_else(|| name.clone(), |(_, v)| (*v).to_owned())
        })
        .collect();
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {table} WHERE {fits}",
        names.join(", "),
        values.join(", ")
    )
}

/// A kind of damage: what it is called, the SQL, and the names of which the report must say one.
struct Damage {
    what: &'static str,
    sql: String,
    names: Vec<String>,
}

async fn damages(world: &World) -> Vec<Damage> {
    let db = &world.database;
    let journal = db.text("SELECT MIN(journal_id) FROM entry").await;
    let sale = db.text("SELECT MIN(sale_id) FROM sale WHERE merged_into IS NULL AND paid > 0").await;
    let root = db.text(&format!("SELECT root_id FROM sale WHERE sale_id = '{sale}'")).await;
    let partner = db.text("SELECT partner_id FROM partner_total").await;
    let connection = db.text("SELECT connection_id FROM connection").await;
    let event = db.text("SELECT MIN(event_id) FROM event WHERE outcome = 'processed'").await;
    let object = db.text("SELECT MIN(object_id) FROM alias WHERE sale_id IS NOT NULL").await;
    let witness = db.text("SELECT MIN(object_id) FROM evidence").await;
    let first = db.text("SELECT journal_id FROM seal WHERE n = 1").await;
    let second = db.text("SELECT journal_id FROM seal WHERE n = 2").await;
    let last = db.text("SELECT journal_id FROM seal ORDER BY n DESC LIMIT 1").await;
    let erased = format!("(SELECT commission_id FROM journal WHERE journal_id = '{first}')");
    let of_journal = format!("journal_id = '{journal}' AND line = 1");
    let commission =
        db.text(&format!("SELECT commission_id FROM journal WHERE journal_id = '{journal}'")).await;
    let ledger_row = vec![journal.clone(), commission];
    let damage = |what, sql: String, names: Vec<String>| Damage { what, sql, names };
    let no_index = "DROP INDEX ix_sale_root";
    vec![
        damage(
            "entry changed",
            format!("UPDATE entry SET amount = amount + 1 WHERE {of_journal}"),
            ledger_row.clone(),
        ),
        damage("entry deleted", format!("DELETE FROM entry WHERE {of_journal}"), ledger_row.clone()),
        damage(
            "entry doubled",
            doubled(db, "entry", &[("line", "line + 100")], &of_journal).await,
            ledger_row.clone(),
        ),
        damage(
            "sale doubled",
            format!(
                "{no_index}; {}",
                doubled(db, "sale", &[("sale_id", "'sal_doubled'")], &format!("sale_id = '{sale}'")).await
            ),
            vec!["sal_doubled".to_owned(), root],
        ),
        damage(
            "counter of a partner off",
            "UPDATE partner_total SET gross = gross + 1".to_owned(),
            vec![partner.clone()],
        ),
        damage(
            "count of sales off",
            "UPDATE partner_total SET sales = sales + 1".to_owned(),
            vec![partner.clone()],
        ),
        damage(
            "counters of a partner missing",
            "DELETE FROM partner_total".to_owned(),
            vec![partner.clone()],
        ),
        damage(
            "money of a program's day off",
            "UPDATE program_day_money SET refunded = refunded + 1".to_owned(),
            vec!["program_day_money".to_owned()],
        ),
        damage(
            "money of a partner's day missing",
            "DELETE FROM partner_day_money".to_owned(),
            vec![partner.clone()],
        ),
        damage(
            "money of a partner's month off",
            "UPDATE partner_month_money SET target = target + 1".to_owned(),
            vec!["partner_month_money".to_owned()],
        ),
        damage(
            "customers of a day off",
            "UPDATE program_day SET customers = customers - 1".to_owned(),
            vec!["program_day".to_owned()],
        ),
        damage(
            "visits of a partner's day off",
            "UPDATE partner_day SET visits = visits + 1".to_owned(),
            vec![partner],
        ),
        damage(
            "counter of a day off",
            "UPDATE connection_day SET events = events + 1".to_owned(),
            vec![connection.clone()],
        ),
        damage("event missing", format!("DELETE FROM event WHERE event_id = '{event}'"), vec![event.clone()]),
        damage(
            "event and its payload missing",
            format!(
                "DELETE FROM event WHERE event_id = '{event}'; DELETE FROM event_payload WHERE event_id = '{event}'"
            ),
            vec![event],
        ),
        damage(
            "account of another workspace",
            format!(
                "{}; UPDATE entry SET credit_account = 'acc_foreign' WHERE {of_journal}",
                doubled(
                    db,
                    "account",
                    &[("workspace_id", "'wsp_foreign'"), ("account_id", "'acc_foreign'")],
                    &format!("account_id = (SELECT credit_account FROM entry WHERE {of_journal})")
                )
                .await
            ),
            ledger_row,
        ),
        damage(
            "seal changed",
            format!("UPDATE seal SET hash = 'x' WHERE journal_id = '{second}'"),
            vec![second.clone()],
        ),
        damage(
            "last seal deleted",
            format!("DELETE FROM seal WHERE journal_id = '{last}'"),
            vec![last.clone()],
        ),
        damage(
            "two seals swapped",
            format!(
                "UPDATE seal SET journal_id = 'x' WHERE journal_id = '{first}'; \
                 UPDATE seal SET journal_id = '{first}' WHERE journal_id = '{second}'; \
                 UPDATE seal SET journal_id = '{second}' WHERE journal_id = 'x'"
            ),
            vec![first.clone()],
        ),
        damage(
            "journal deleted",
            format!(
                "DELETE FROM entry WHERE {of_journal}; DELETE FROM journal WHERE journal_id = '{journal}'"
            ),
            vec![journal.clone()],
        ),
        damage(
            "journal changed",
            format!("UPDATE journal SET reason = 'x' WHERE journal_id = '{last}'"),
            vec![last],
        ),
        // Nothing is left that its own seals could contradict: only the program's chain knows of it.
        damage(
            "commission erased with its journals",
            format!(
                "DELETE FROM entry WHERE journal_id IN (SELECT journal_id FROM journal WHERE commission_id = {erased}); \
                 DELETE FROM commission WHERE commission_id = {erased}; \
                 DELETE FROM journal WHERE commission_id = (SELECT commission_id FROM journal WHERE journal_id = '{first}')"
            ),
            vec![first],
        ),
        damage(
            "alias that leads nowhere",
            format!("UPDATE alias SET sale_id = 'sal_nowhere' WHERE object_id = '{object}'"),
            vec![object.clone()],
        ),
        damage(
            "decision without a subject",
            format!(
                "INSERT INTO decision (workspace_id, decision_id, mode, program_id, kind, connection_id, subject, value, \
                 actor, created_at) SELECT workspace_id, 'dec_lonely', 'test', 'prg_x', 'void', '{connection}', \
                 'in_nowhere', '', 'test', 1 FROM workspace"
            ),
            vec!["dec_lonely".to_owned()],
        ),
        damage(
            "evidence of another workspace",
            format!("UPDATE evidence SET workspace_id = 'wsp_foreign' WHERE object_id = '{witness}'"),
            vec![witness.clone()],
        ),
        damage(
            "evidence of another workspace's connection",
            format!("UPDATE evidence SET connection_id = 'con_foreign' WHERE object_id = '{witness}'"),
            vec![witness],
        ),
        damage(
            "buyer whose customer is gone",
            "DELETE FROM customer".to_owned(),
            vec!["buyer_customer".to_owned()],
        ),
        damage("key of the other mode", "UPDATE connection SET mode = 'live'".to_owned(), vec![connection]),
    ]
}

async fn verify_names_every_row_that_was_damaged(engine: Engine) {
    let world = settled_world(engine).await;
    let untouched = verify(&world, &copy(&world, 0).await).await;
    assert_eq!(untouched.code, 0, "the copy alone is no damage: {untouched:?}");
    let good = untouched.json()["digest"].clone();
    for (n, damage) in damages(&world).await.into_iter().enumerate() {
        let database = copy(&world, n + 1).await;
        database.damage(&damage.sql).await;
        let output = verify(&world, &database).await;
        assert_eq!(output.code, 1, "{}: {output:?}", damage.what);
        let said = output.json();
        assert_eq!(said["ok"], false, "{}: {said}", damage.what);
        let problems = said["problems"].as_array().expect("a list of problems").clone();
        assert!(!problems.is_empty(), "{}: {said}", damage.what);
        let text = said["problems"].to_string();
        let named = damage.names.iter().any(|name| text.contains(name.as_str()));
        assert!(named, "{}: none of {:?} is named: {said}", damage.what, damage.names);
        assert!(said["digest"].is_string() && good.is_string(), "{said}");
    }
}

async fn verify_counts_anew_when_asked(engine: Engine) {
    const COUNTERS: [&str; 7] = [
        "connection_day",
        "partner_total",
        "program_day_money",
        "partner_day_money",
        "partner_month_money",
        "program_day",
        "partner_day",
    ];
    let world = settled_world(engine).await;
    let db = &world.database;
    let money = "SELECT CAST(sales AS TEXT) || ' ' || CAST(refunded AS TEXT) || ' ' || CAST(revenue AS TEXT) || ' ' || \
         CAST(gross AS TEXT) || ' ' || CAST(target AS TEXT) || ' ' || CAST(day AS TEXT) FROM program_day_money \
         ORDER BY day";
    let before = db.column(money).await;
    assert!(!before.is_empty());
    for table in COUNTERS {
        let said = db.text(&format!("SELECT COUNT(*) FROM {table}")).await;
        assert_ne!(said, "0", "{table} counts something");
        db.damage(&format!("DELETE FROM {table}")).await;
    }
    let off = verify(&world, db).await;
    assert_eq!(off.code, 1, "{off:?}");
    let mut command = world.prepared(&["verify", "--rebuild", "--json"]);
    command.env("TRIBUTARY_DATABASE_URL", db.url());
    let good = crate::support::process::run(command, "", Duration::from_secs(60)).await;
    assert_eq!(good.code, 0, "{good:?}");
    assert_eq!(db.column(money).await, before);
    assert_eq!(verify(&world, db).await.code, 0);
}

async fn the_ledger_refuses_to_be_changed(engine: Engine) {
    let world = settled_world(engine).await;
    for sql in [
        "UPDATE entry SET amount = amount + 1",
        "UPDATE journal SET reason = 'x'",
        "UPDATE entry SET currency = 'eur'",
        "UPDATE seal SET hash = 'x'",
    ] {
        let refused = match &world.database {
            Database::Sqlite(path) => {
                rusqlite::Connection::open(path).expect("opens").execute_batch(sql).map_err(|e| e.to_string())
            }
            Database::Postgres(url) => {
                connect(url).await.batch_execute(sql).await.map_err(|e| format!("{:?}", e.as_db_error()))
            }
        };
        let error = refused.expect_err(sql);
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    world.finish().await;
}
