//! The writer's promises on SQLite; the same units on PostgreSQL are tested across crates.

use super::*;
use crate::P;

struct Insert(&'static str, bool);
impl Unit for Insert {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO route (kind, token, workspace_id) VALUES ($2, $1, $2)";
        tx.exec(sql, &[P::T(self.0), P::T("test")]).await?;
        if self.1 {
            panic!("boom");
        }
        Ok(())
    }
}

struct Waits;
impl Unit for Waits {
    type Out = ();
    async fn run(&self, _: &mut Tx<'_>) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

struct Tokens;
impl Unit for Tokens {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let sql = "SELECT token FROM route WHERE kind = $1 ORDER BY token";
        tx.rows(sql, &[P::T("test")]).await?.iter().map(|row| row.text(0)).collect()
    }
}

async fn fresh() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&Location::Sqlite(folder.path().join("t.db"))).await.unwrap();
    assert_eq!(db.migrate().await.unwrap(), migrate::newest() as usize);
    assert_eq!(db.migrate().await.unwrap(), 0);
    db.check_schema().await.unwrap();
    (folder, db)
}

#[tokio::test]
async fn a_failing_or_panicking_unit_undoes_itself_alone() {
    let (_folder, db) = fresh().await;
    let (a, b, c, d) = tokio::join!(
        db.write(Insert("a", false)),
        db.write(Insert("b", true)),
        db.write(Insert("c", false)),
        db.write(Insert("a", false)),
    );
    a.unwrap();
    assert!(matches!(b, Err(StoreError::Panicked(_))));
    c.unwrap();
    assert!(matches!(d, Err(StoreError::Conflict(_))));
    assert_eq!(db.read(Tokens).await.unwrap(), ["a", "c"]);
}

#[tokio::test]
async fn a_unit_that_waits_for_something_outside_is_refused() {
    let (_folder, db) = fresh().await;
    assert!(matches!(db.write(Waits).await, Err(StoreError::AwaitedOutside)));
    db.write(Insert("after", false)).await.unwrap();
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let (_folder, db) = fresh().await;
    assert!(db.read(Insert("x", false)).await.is_err());
    assert!(db.read(Tokens).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_answered_is_on_disk_for_another_connection() {
    let (folder, db) = fresh().await;
    for token in ["1", "2", "3"] {
        db.write(Insert(token, false)).await.unwrap();
    }
    let other = rusqlite::Connection::open(folder.path().join("t.db")).unwrap();
    let count: i64 = other.query_row("SELECT COUNT(*) FROM route", [], |r| r.get(0)).unwrap();
    assert_eq!(count, 3);
    db.close().await;
    assert!(matches!(db.write(Insert("4", false)).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (folder, db) = fresh().await;
    let other = rusqlite::Connection::open(folder.path().join("t.db")).unwrap();
    other
        .execute("INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (99, 'x', '2026-01-01T00:00:00Z', '1')", [])
        .unwrap();
    assert!(matches!(db.check_schema().await, Err(StoreError::NewerSchema { found: 99, .. })));
    assert!(matches!(db.migrate().await, Err(StoreError::NewerSchema { .. })));
}
