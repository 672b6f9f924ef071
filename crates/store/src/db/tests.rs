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
    assert_eq!(db.migrate().await.unwrap(), migrate::count());
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

#[tokio::test]
async fn the_first_unit_of_a_group_undoes_itself_alone_too() {
    let (_folder, db) = fresh().await;
    for _ in 0..20 {
        let (first, second, third) = tokio::join!(
            db.write(Background(Insert("spoilt", true))),
            db.write(Insert("spoilt", true)),
            db.write(Insert("whole", false)),
        );
        assert!(matches!(first, Err(StoreError::Panicked(_))));
        assert!(matches!(second, Err(StoreError::Panicked(_))));
        third.unwrap();
        assert_eq!(db.read(Tokens).await.unwrap(), ["whole"]);
        db.write(Forget).await.unwrap();
    }
}

struct Forget;
impl Unit for Forget {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.exec("DELETE FROM route WHERE kind = $1", &[P::T("test")]).await.map(drop)
    }
}

/// Keeps the writer busy for 2 ms.
struct Slow;
impl Unit for Slow {
    type Out = ();
    async fn run(&self, _: &mut Tx<'_>) -> Result<(), StoreError> {
        std::thread::sleep(std::time::Duration::from_millis(2));
        Ok(())
    }
}

#[tokio::test]
async fn a_unit_that_is_waited_for_passes_those_of_the_background_and_both_get_their_turn() {
    let (_folder, db) = fresh().await;
    let mut behind = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let db = db.clone();
        behind.spawn(async move { db.write(Background(Slow)).await });
    }
    // The first of them is at work: the others wait.
    behind.join_next().await.unwrap().unwrap().unwrap();
    db.write(Insert("passes", false)).await.unwrap();
    assert!(behind.len() > 100, "{} of 199 wait still", behind.len());
    while let Some(done) = behind.join_next().await {
        done.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_nul_in_a_text_is_stored_as_on_postgresql() {
    let (_folder, db) = fresh().await;
    db.write(Insert("a\0b", false)).await.unwrap();
    assert_eq!(db.read(Tokens).await.unwrap(), ["a\u{fffd}b"]);
}

struct Twice(bool);
impl Unit for Twice {
    type Out = (usize, usize);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        if self.0 {
            tx.remember_settings();
        }
        let sql = "SELECT token FROM route WHERE kind = $1";
        let before = tx.settings(sql, &[P::T("test")]).await?.len();
        Insert("new", false).run(tx).await?;
        assert_eq!(tx.settings(sql, &[P::T("other")]).await?.len(), 0);
        Ok((before, tx.settings(sql, &[P::T("test")]).await?.len()))
    }
}

#[tokio::test]
async fn settings_are_asked_once_only_where_the_unit_wants_it_and_only_in_its_transaction() {
    let (_folder, db) = fresh().await;
    assert_eq!(db.write(Twice(false)).await.unwrap(), (0, 1));
    db.write(Forget).await.unwrap();
    assert_eq!(db.write(Twice(true)).await.unwrap(), (0, 0));
    db.write(Forget).await.unwrap();
    assert_eq!(db.write(Twice(true)).await.unwrap(), (0, 0));
    assert_eq!(db.read(Tokens).await.unwrap(), ["new"]);
}
