//! Migrations: two folders with equal numbers, embedded.

use super::postgres::PgDb;
use crate::error::{StoreError, with_causes};
use refinery::{Migration, Runner};
use std::path::Path;
use std::time::Duration;

macro_rules! migrations {
    ($( $name:literal ),+ $(,)?) => {
        const SQLITE: &[(&str, &str)] = &[ $( ($name, include_str!(concat!("../../migrations/sqlite/", $name, ".sql"))) ),+ ];
        const POSTGRES: &[(&str, &str)] = &[ $( ($name, include_str!(concat!("../../migrations/postgres/", $name, ".sql"))) ),+ ];
    };
}
migrations!(
    "0001_base",
    "0002_derived",
    "0003_ledger",
    "0004_append_only",
    "0005_track",
    "0006_connect",
    "0007_links",
    "0008_held",
    "0009_archived",
    "0010_seals",
    "0015_oauth",
    "0016_watch",
    "0017_app_tokens",
    "0018_import",
    "0019_reconcile",
    "0020_whole",
    "0021_payloads",
    "0022_erasure",
    "0024_partner_month",
    "0025_disputes",
    "0026_credit_notes_listed",
    "0027_codes",
    "0028_audit",
    "0029_match_email",
    "0030_feed_spans",
    "0032_platform_secrets",
    "0033_known_as",
    "0034_reconcile_state",
    "0035_payload_part_lock",
    "0036_wiped"
);

/// The newest version that this binary knows: the greatest number, of which some before it may not be in use.
pub(super) fn newest() -> i64 {
    SQLITE.iter().filter_map(|(name, _)| name.split('_').next()?.parse().ok()).max().unwrap_or(0)
}

/// How many migrations there are.
#[cfg(test)]
pub(super) fn count() -> usize {
    SQLITE.len()
}

fn runner(files: &[(&str, &str)]) -> Result<Runner, StoreError> {
    let migrations = files
        .iter()
        .map(|(name, sql)| {
            let (number, what) = name.split_once('_').unwrap_or((name, "x"));
            Migration::unapplied(&format!("V{}__{what}", number.trim_start_matches('0')), sql)
                .map_err(|e| StoreError::Driver(e.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Runner::new(&migrations).set_grouped(true).set_abort_divergent(true).set_abort_missing(false))
}

fn failed(error: &refinery::Error) -> StoreError {
    StoreError::Driver(format!("migration: {}", with_causes(error)))
}

fn check_not_newer(found: i64) -> Result<(), StoreError> {
    if found > newest() { Err(StoreError::NewerSchema { found, known: newest() }) } else { Ok(()) }
}

/// A database that Tributary never migrated has no tables; those of somebody else are left alone.
fn check_own(found: &[String]) -> Result<(), StoreError> {
    if found.is_empty() {
        return Ok(());
    }
    Err(StoreError::Invalid(format!(
        "The database holds tables that are not Tributary's ({}). Give Tributary a database of its own; nothing was changed.",
        found.join(", ")
    )))
}

fn open(path: &Path) -> Result<rusqlite::Connection, StoreError> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    Ok(connection)
}

pub(super) fn sqlite(path: &Path) -> Result<usize, StoreError> {
    let version = sqlite_version(path)?;
    check_not_newer(version)?;
    if version == 0 {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'refinery_schema_history' \
             ORDER BY name LIMIT 3";
        let connection = open(path)?;
        let mut statement = connection.prepare(sql)?;
        let found = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        check_own(&found)?;
    }
    let report = runner(SQLITE)?.run(&mut open(path)?).map_err(|e| failed(&e))?;
    Ok(report.applied_migrations().len())
}

/// The version of a schema, 0 for an empty database.
pub(super) fn sqlite_version(path: &Path) -> Result<i64, StoreError> {
    let connection = open(path)?;
    let exists: i64 = connection.query_row(
        "SELECT COUNT(*) FROM sqlite_master WHERE name = 'refinery_schema_history'",
        [],
        |row| row.get(0),
    )?;
    if exists == 0 {
        return Ok(0);
    }
    let sql = "SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Tables that neither Tributary nor an extension made: hosted PostgreSQL often comes with some of its own.
const FOREIGN: &str = "SELECT CAST(c.relname AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') \
     AND c.relname NOT IN ('migration_lease', 'refinery_schema_history') \
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass) \
     AND d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname LIMIT 3";

pub(super) async fn postgres(db: &PgDb) -> Result<usize, StoreError> {
    let version = postgres_version(db).await?;
    check_not_newer(version)?;
    let mut client = db.own_client().await?;
    if version == 0 {
        let rows = client.query(FOREIGN, &[]).await?;
        let found = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        // Another node may be about to tell of the tables that it has just made.
        if postgres_version(db).await? == 0 {
            check_own(&found)?;
        }
    }
    lease(&client).await?;
    let result = runner(POSTGRES)?.run_async(&mut *client).await.map_err(|e| failed(&e));
    client.batch_execute("UPDATE migration_lease SET until_ms = 0").await?;
    Ok(result?.applied_migrations().len())
}

/// One node migrates at a time: a lease row, not an advisory lock (other databases that speak PostgreSQL's
/// protocol have none).
async fn lease(client: &tokio_postgres::Client) -> Result<(), StoreError> {
    // Two nodes may create the table at once; the loser's error only says that it is there.
    let created = client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS migration_lease (id BIGINT PRIMARY KEY, until_ms BIGINT NOT NULL)",
        )
        .await;
    if let Err(error) = created {
        tracing::debug!(%error, "migration_lease is being made by another node");
    }
    let claim = "INSERT INTO migration_lease (id, until_ms) \
         VALUES (1, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + 60000) \
         ON CONFLICT (id) DO UPDATE SET until_ms = excluded.until_ms \
         WHERE migration_lease.until_ms < excluded.until_ms - 60000";
    for _ in 0..600 {
        if client.execute(claim, &[]).await? == 1 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(StoreError::Unavailable("another node has been migrating for a minute".into()))
}

pub(super) async fn postgres_version(db: &PgDb) -> Result<i64, StoreError> {
    let client = db.client().await?;
    let exists = client.query_one("SELECT to_regclass('refinery_schema_history') IS NOT NULL", &[]).await?;
    if !exists.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let sql = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM refinery_schema_history";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}
