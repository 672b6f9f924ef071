//! One transaction of either database, and statements in one text.

use super::{P, Row};
use crate::error::StoreError;
use postgres_types::ToSql;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// A transaction. Statements write their parameters as `$1`, `$2`, …
pub enum Tx<'c> {
    /// On SQLite: the writer's connection, or a reader's.
    Sqlite(&'c mut rusqlite::Connection),
    /// On PostgreSQL.
    Pg(&'c deadpool_postgres::Transaction<'c>),
}

impl Tx<'_> {
    /// Runs a statement that gives no rows; returns how many it changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn exec(&mut self, sql: &'static str, params: &[P<'_>]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sqlite_text(sql))?;
                bind(&mut statement, params)?;
                Ok(statement.raw_execute()? as u64)
            }
            Self::Pg(tx) => {
                let statement = tx.prepare_cached(sql).await?;
                Ok(tx.execute(&statement, &refs(params)).await?)
            }
        }
    }

    /// Runs a statement once for each set of parameters: row by row where the database is in the process, in one
    /// pipelined flight where it is across a socket. Returns how many rows were changed in all.
    ///
    /// # Errors
    /// The database's.
    pub async fn exec_each(&mut self, sql: &'static str, sets: &[Vec<P<'_>>]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sqlite_text(sql))?;
                let mut changed = 0;
                for params in sets {
                    bind(&mut statement, params)?;
                    changed += statement.raw_execute()? as u64;
                }
                Ok(changed)
            }
            Self::Pg(tx) => {
                let tx: &deadpool_postgres::Transaction<'_> = tx;
                let statement = tx.prepare_cached(sql).await?;
                let flights = sets.iter().map(|params| {
                    let statement = &statement;
                    async move { tx.execute(statement, &refs(params)).await }
                });
                let changed = futures_util::future::try_join_all(flights).await?;
                Ok(changed.iter().sum())
            }
        }
    }

    /// Runs a query once for each set of parameters, pipelined like [`Tx::exec_each`].
    ///
    /// # Errors
    /// The database's.
    pub async fn rows_each(
        &mut self,
        sql: &'static str,
        sets: &[Vec<P<'_>>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        match self {
            Self::Sqlite(_) => {
                let mut all = Vec::with_capacity(sets.len());
                for params in sets {
                    all.push(self.rows(sql, params).await?);
                }
                Ok(all)
            }
            Self::Pg(tx) => {
                let tx: &deadpool_postgres::Transaction<'_> = tx;
                let statement = tx.prepare_cached(sql).await?;
                let flights = sets.iter().map(|params| {
                    let statement = &statement;
                    async move { tx.query(statement, &refs(params)).await }
                });
                let answers = futures_util::future::try_join_all(flights).await?;
                Ok(answers.into_iter().map(|rows| rows.into_iter().map(Row::Postgres).collect()).collect())
            }
        }
    }

    /// Runs a query.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(&mut self, sql: &'static str, params: &[P<'_>]) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(connection) => {
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
            Self::Pg(tx) => {
                let statement = tx.prepare_cached(sql).await?;
                let rows = tx.query(&statement, &refs(params)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
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
        matches!(self, Self::Pg(_))
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

fn refs<'a>(params: &'a [P<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
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
