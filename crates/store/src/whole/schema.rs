//! What the schema says of itself, and statements made of its own names.

use crate::{Db, P, StoreError, Tx, Unit};
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
    /// Its place in the primary key, from 1; 0 if it is no part of it.
    pub key: i64,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// TEXT
    Text,
    /// BIGINT
    Int,
    /// BYTEA
    Bytes,
    /// BOOLEAN
    Flag,
}

impl Holds {
    fn parse(table: &str, column: &str, text: &str) -> Result<Self, StoreError> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "bigint" => Ok(Self::Int),
            "bytea" | "blob" => Ok(Self::Bytes),
            "boolean" => Ok(Self::Flag),
            _ => Err(StoreError::Inconsistent(format!("{table}.{column} is of the unknown type {text}"))),
        }
    }
}

/// A statement whose text was made of names of the schema. Each text is kept once and for good: there are as many as
/// there are tables times the few ways to read or write one whole, and some for each `replay --apply`.
///
/// Nothing that a person or a request gave may be a part of it: that goes in as a parameter.
#[must_use]
pub fn statement(text: String) -> &'static str {
    static KNOWN: RwLock<BTreeSet<&'static str>> = RwLock::new(BTreeSet::new());
    if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(text.as_str()) {
        return known;
    }
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(text.as_str()) {
        return known;
    }
    let text: &'static str = Box::leak(text.into_boxed_str());
    known.insert(text);
    text
}

/// The names of all tables, without parts of tables and what the migrations themselves need.
#[derive(Debug)]
pub struct Names;

impl Unit for Names {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let names = all_names(tx).await?;
        let inner = |name: &String| {
            !["refinery_schema_history", "migration_lease"].contains(&name.as_str())
                && !name.starts_with(super::shadow::PREFIX)
        };
        Ok(names.into_iter().filter(inner).collect())
    }
}

/// The names of all tables, without parts of tables, in order.
///
/// # Errors
/// The database's.
pub async fn all_names(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(c.relname AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
    };
    tx.rows(sql, &[]).await?.iter().map(|row| row.text(0)).collect()
}

/// The columns of a table, in the order in which they were made.
#[derive(Debug)]
struct Columns(&'static str);

impl Unit for Columns {
    type Out = Vec<Column>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        columns(tx, self.0).await
    }
}

/// The columns of a table of an open database.
///
/// # Errors
/// The database's; [`StoreError::NotFound`] if there is no such table.
pub async fn columns_of(db: &Db, table: &'static str) -> Result<Vec<Column>, StoreError> {
    db.read(Columns(table)).await
}

/// The columns of a table, inside of a transaction.
///
/// # Errors
/// The database's; [`StoreError::NotFound`] if there is no such table.
pub async fn columns(tx: &mut Tx<'_>, table: &str) -> Result<Vec<Column>, StoreError> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod), CAST(COALESCE(array_position(\
         string_to_array(CAST(i.indkey AS TEXT), ' '), CAST(a.attnum AS TEXT)), 0) AS BIGINT) FROM pg_attribute a \
         LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    } else {
        "SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid"
    };
    let rows = tx.rows(sql, &[P::T(table)]).await?;
    if rows.is_empty() {
        return Err(StoreError::NotFound(format!("there is no table {table}")));
    }
    rows.iter()
        .map(|row| {
            let name = row.text(0)?;
            let holds = Holds::parse(table, &name, &row.text(1)?)?;
            Ok(Column { name, holds, key: row.int(2)? })
        })
        .collect()
}
