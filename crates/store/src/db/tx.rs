//! One transaction of either database, and statements in one text.

use super::crew::{Answer, Crew, How};
use super::flight::{self, refs};
use super::{P, Row};
use crate::error::StoreError;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A transaction. Statements write their parameters as `$1`, `$2`, …
pub struct Tx<'c> {
    engine: Engine<'c>,
    settings: Option<Settings>,
}

enum Engine<'c> {
    /// The writer's connection, or a reader's.
    Sqlite(&'c mut rusqlite::Connection),
    Pg(&'c deadpool_postgres::Transaction<'c>),
    /// One work of several that go side by side.
    Member(&'c Crew<'c>),
}

/// Answers by the place of the statement's text and what was bound.
pub(super) type Settings = Arc<Mutex<HashMap<(usize, String), Arc<Vec<Row>>>>>;

impl<'c> Tx<'c> {
    /// On SQLite.
    pub(super) const fn sqlite(connection: &'c mut rusqlite::Connection) -> Self {
        Self { engine: Engine::Sqlite(connection), settings: None }
    }

    /// On PostgreSQL.
    pub(super) const fn pg(transaction: &'c deadpool_postgres::Transaction<'c>) -> Self {
        Self { engine: Engine::Pg(transaction), settings: None }
    }

    pub(super) const fn member(crew: &'c Crew<'c>, settings: Option<Settings>) -> Self {
        Self { engine: Engine::Member(crew), settings }
    }
}

impl Tx<'_> {
    /// From here on each query of [`Tx::settings`] is asked once. For a unit that changes nothing that such queries
    /// read: partners, terms, policies, decisions.
    pub fn remember_settings(&mut self) {
        self.settings.get_or_insert_default();
    }

    /// Runs a query over what a workspace has set, or takes the answer that the same query had before in this
    /// transaction if the unit asked for that.
    ///
    /// # Errors
    /// The database's.
    pub async fn settings(
        &mut self,
        sql: &'static str,
        params: &[P<'_>],
    ) -> Result<Arc<Vec<Row>>, StoreError> {
        let Some(settings) = self.settings.clone() else {
            return Ok(Arc::new(self.rows(sql, params).await?));
        };
        let key = (sql.as_ptr().addr(), format!("{params:?}"));
        if let Some(known) = settings.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let asked = match &self.engine {
            Engine::Member(crew) => Some(crew.ask(sql, How::Settings, &[params.to_vec()]).await),
            Engine::Sqlite(_) | Engine::Pg(_) => None,
        };
        let rows = match asked {
            Some(Answer::Settings(rows)) => rows,
            Some(_) => return Err(mixed_up()),
            None => Arc::new(self.rows(sql, params).await?),
        };
        settings.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&rows));
        Ok(rows)
    }

    /// The same transaction for works that go side by side. `None` where the database is in the process and nothing
    /// is gained by that.
    #[must_use]
    pub fn crew(&self) -> Option<Crew<'_>> {
        match &self.engine {
            Engine::Sqlite(_) | Engine::Member(_) => None,
            Engine::Pg(tx) => Some(Crew::new(tx, self.settings.clone())),
        }
    }

    /// Runs a statement that gives no rows; returns how many it changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn exec(&mut self, sql: &'static str, params: &[P<'_>]) -> Result<u64, StoreError> {
        match &mut self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sqlite_text(sql))?;
                bind(&mut statement, params)?;
                Ok(statement.raw_execute()? as u64)
            }
            Engine::Pg(tx) => {
                let statement = tx.prepare_cached(sql).await?;
                Ok(tx.execute(&statement, &refs(params)).await?)
            }
            Engine::Member(crew) => changed(crew.ask(sql, How::Exec, &[params.to_vec()]).await),
        }
    }

    /// Runs a statement once for each set of parameters: row by row where the database is in the process, as one
    /// statement over all of them where it is across a socket. Returns how many rows were changed in all.
    ///
    /// # Errors
    /// The database's.
    pub async fn exec_each(&mut self, sql: &'static str, sets: &[Vec<P<'_>>]) -> Result<u64, StoreError> {
        if sets.is_empty() {
            return Ok(0);
        }
        match &mut self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sqlite_text(sql))?;
                let mut changed = 0;
                for params in sets {
                    bind(&mut statement, params)?;
                    changed += statement.raw_execute()? as u64;
                }
                Ok(changed)
            }
            Engine::Pg(tx) => flight::exec_each(tx, sql, sets).await,
            Engine::Member(crew) => changed(crew.ask(sql, How::Exec, sets).await),
        }
    }

    /// Like [`Tx::exec_each`]; returns how many rows were changed for each set.
    ///
    /// # Errors
    /// The database's.
    pub async fn exec_told(
        &mut self,
        sql: &'static str,
        sets: &[Vec<P<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        match &mut self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sqlite_text(sql))?;
                let mut told = Vec::with_capacity(sets.len());
                for params in sets {
                    bind(&mut statement, params)?;
                    told.push(statement.raw_execute()? as u64);
                }
                Ok(told)
            }
            Engine::Pg(tx) => flight::exec_told(tx, sql, sets).await,
            Engine::Member(crew) => match crew.ask(sql, How::Exec, sets).await {
                Answer::Changed(told) => Ok(told),
                _ => Err(mixed_up()),
            },
        }
    }

    /// Adds to counters, by an upsert whose first `keys` parameters name the counter and whose others are numbers to be
    /// added. Works that go side by side add to one counter once.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_each(
        &mut self,
        sql: &'static str,
        sets: &[Vec<P<'_>>],
        keys: usize,
    ) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Member(crew) if !sets.is_empty() => {
                changed(crew.ask(sql, How::Add(keys), sets).await).map(drop)
            }
            _ => self.exec_each(sql, sets).await.map(drop),
        }
    }

    /// Runs a query once for each set of parameters, like [`Tx::exec_each`].
    ///
    /// # Errors
    /// The database's.
    pub async fn rows_each(
        &mut self,
        sql: &'static str,
        sets: &[Vec<P<'_>>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        match &self.engine {
            Engine::Sqlite(_) => {
                let mut all = Vec::with_capacity(sets.len());
                for params in sets {
                    all.push(self.rows(sql, params).await?);
                }
                Ok(all)
            }
            Engine::Pg(tx) => flight::rows_each(tx, sql, sets).await,
            Engine::Member(crew) => match crew.ask(sql, How::Rows, sets).await {
                Answer::Rows(rows) => Ok(rows),
                _ => Err(mixed_up()),
            },
        }
    }

    /// Runs a query.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(&mut self, sql: &'static str, params: &[P<'_>]) -> Result<Vec<Row>, StoreError> {
        match &mut self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sqlite_text(sql))?;
                bind(&mut statement, params)?;
                let columns = statement.column_count();
                let mut rows = statement.raw_query();
                let mut out = Vec::new();
                while let Some(row) = rows.next()? {
                    let values = (0..columns).map(|at| row.get(at)).collect::<Result<Vec<_>, _>>()?;
                    out.push(Row::Sqlite(values));
                }
                Ok(out)
            }
            Engine::Pg(tx) => {
                let statement = tx.prepare_cached(sql).await?;
                let rows = tx.query(&statement, &refs(params)).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
            Engine::Member(crew) => match crew.ask(sql, How::Rows, &[params.to_vec()]).await {
                Answer::Rows(rows) => Ok(rows.into_iter().flatten().collect()),
                _ => Err(mixed_up()),
            },
        }
    }

    /// Runs a query that gives at most one row that matters.
    ///
    /// # Errors
    /// The database's.
    pub async fn opt(&mut self, sql: &'static str, params: &[P<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Is this PostgreSQL? For the few statements whose text must differ.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.engine, Engine::Pg(_) | Engine::Member(_))
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[P<'_>]) -> Result<(), StoreError> {
    if statement.parameter_count() != params.len() {
        return Err(StoreError::Driver(format!(
            "the statement has {} parameters, {} were given",
            statement.parameter_count(),
            params.len()
        )));
    }
    for (at, param) in params.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, param)?;
    }
    Ok(())
}

fn changed(answer: Answer) -> Result<u64, StoreError> {
    match answer {
        Answer::Changed(counts) => Ok(counts.iter().sum()),
        _ => Err(mixed_up()),
    }
}

fn mixed_up() -> StoreError {
    StoreError::Driver("another question was answered".to_owned())
}

/// `$1` as `?1`: SQLite numbers its own parameters by first use when they carry a name. Texts are static, so
/// the table of translations is bounded by the number of statements in the program.
fn sqlite_text(sql: &'static str) -> &'static str {
    static TEXTS: RwLock<BTreeMap<(usize, usize), &'static str>> = RwLock::new(BTreeMap::new());
    if !sql.contains('$') {
        return sql;
    }
    let place = (sql.as_ptr().addr(), sql.len());
    if let Some(text) = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
        return text;
    }
    let text: &'static str = Box::leak(sql.replace('$', "?").into_boxed_str());
    TEXTS.write().unwrap_or_else(PoisonError::into_inner).entry(place).or_insert(text)
}
