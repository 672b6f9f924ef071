//! Two databases behind one unit of work.

mod batch;
mod crew;
mod flight;
mod group;
mod migrate;
mod params;
mod postgres;
mod row;
mod sqlite;
mod tx;

#[cfg(test)]
mod tests;

pub use crew::Crew;
pub use params::{P, Ty};
pub use row::Row;
pub use tx::Tx;

use crate::error::StoreError;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A unit of work: owned input that can be run again. It touches nothing but the database.
pub trait Unit: Send + Sync + 'static {
    /// What it answers, after the commit.
    type Out: Send + 'static;
    /// May it run side by side with others in one transaction, statements in any order between them? On PostgreSQL
    /// such units are committed in groups, as all are on SQLite. For small inserts that read nothing but their own
    /// row and that do no harm when they are run again.
    const GROUPED: bool = false;
    /// Does nobody wait for it? On SQLite's one writer such a unit gives way to those whose answers are waited for,
    /// one of it a group.
    const BACKGROUND: bool = false;
    /// Runs inside one transaction.
    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Out, StoreError>> + Send;
}

/// A unit that nobody waits for.
#[derive(Debug, Clone)]
pub struct Background<U>(pub U);

impl<U: Unit> Unit for Background<U> {
    type Out = U::Out;
    const BACKGROUND: bool = true;
    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Out, StoreError>> + Send {
        self.0.run(tx)
    }
}

/// Which database holds the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A `postgres://` address; may hold a password, so it is never printed.
    Postgres(String),
}

impl Location {
    /// Reads `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(StoreError::Invalid(
                    "sqlite: needs a path, such as sqlite:./data/tributary.db".into(),
                ));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(StoreError::Invalid(
            "a database is sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME".into(),
        ))
    }
}

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Arc<Engine>,
    behind: Arc<AtomicBool>,
}

enum Engine {
    Sqlite(sqlite::SqliteDb),
    Postgres(postgres::PgDb),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("engine", &self.engine_name()).finish()
    }
}

impl Db {
    /// Opens the database without touching its schema.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be opened; [`StoreError::Invalid`] for an old SQLite.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let behind = Arc::<AtomicBool>::default();
        let engine = match location {
            Location::Sqlite(path) => Engine::Sqlite(sqlite::SqliteDb::open(path)?),
            Location::Postgres(url) => {
                Engine::Postgres(postgres::PgDb::open(url, Arc::clone(&behind)).await?)
            }
        };
        Ok(Self { engine: Arc::new(engine), behind })
    }

    /// Brings the schema to the newest version. Returns how many migrations were applied.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] if the schema is newer than this binary.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        match &*self.engine {
            Engine::Sqlite(db) => migrate::sqlite(db.path()),
            Engine::Postgres(db) => migrate::postgres(db).await,
        }
    }

    /// Fails unless the schema is exactly the one that this binary knows.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], or [`StoreError::Invalid`] if `migrate` must be run first.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let found = match &*self.engine {
            Engine::Sqlite(db) => migrate::sqlite_version(db.path())?,
            Engine::Postgres(db) => migrate::postgres_version(db).await?,
        };
        let known = migrate::newest();
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(StoreError::NewerSchema { found, known }),
            std::cmp::Ordering::Less => Err(StoreError::Invalid(format!(
                "the schema is at version {found}, this binary needs {known}: run `tributary migrate`"
            ))),
        }
    }

    /// Runs a unit that writes; the answer comes after its commit is durable.
    ///
    /// # Errors
    /// The unit's own error, or the database's. Nothing was kept then.
    pub async fn write<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        match &*self.engine {
            Engine::Sqlite(db) => db.write(unit).await,
            Engine::Postgres(db) => db.write(unit).await,
        }
    }

    /// Runs a unit that only reads, on one snapshot.
    ///
    /// # Errors
    /// The unit's own error, or the database's; a write is refused.
    pub async fn read<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        match &*self.engine {
            Engine::Sqlite(db) => db.read(unit).await,
            Engine::Postgres(db) => db.read(&unit).await,
        }
    }

    /// Says whether the units of the background have more to do than their turn. On PostgreSQL groups of other units then
    /// take turns with them, as they always do on SQLite.
    pub fn set_behind(&self, behind: bool) {
        self.behind.store(behind, Ordering::Relaxed);
    }

    /// What [`Db::set_behind`] said last.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// On PostgreSQL, has it count the rows of tables that have grown much, so that its plans fit them. Returns how many
    /// tables were counted.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_grown(&self) -> Result<usize, StoreError> {
        match &*self.engine {
            Engine::Sqlite(_) => Ok(0),
            Engine::Postgres(db) => db.count_grown().await,
        }
    }

    /// Rewrites the database, so that its free pages hold nothing old. Writers wait meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if others keep it busy or there is no room; nothing was lost then.
    pub async fn compact(&self) -> Result<(), StoreError> {
        match &*self.engine {
            Engine::Sqlite(db) => db.compact().await,
            Engine::Postgres(db) => db.compact().await,
        }
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        match &*self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// The file of an embedded database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &*self.engine {
            Engine::Sqlite(db) => Some(db.path()),
            Engine::Postgres(_) => None,
        }
    }

    /// How many other processes of Tributary are connected to the same PostgreSQL; 0 on SQLite, whose file tells itself
    /// who serves it.
    ///
    /// # Errors
    /// The database's.
    pub async fn others(&self) -> Result<i64, StoreError> {
        match &*self.engine {
            Engine::Sqlite(_) => Ok(0),
            Engine::Postgres(db) => db.others().await,
        }
    }

    /// Commits everything that is queued and closes the writer.
    pub async fn close(&self) {
        if let Engine::Sqlite(db) = &*self.engine {
            db.close().await;
        }
    }
}
