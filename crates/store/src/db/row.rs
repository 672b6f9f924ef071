//! A row of either database, read by position.

use crate::error::StoreError;
use rusqlite::types::Value;
use std::sync::Arc;

/// One row.
#[derive(Debug, Clone)]
pub enum Row {
    /// Of SQLite, copied out of the statement.
    Sqlite(Vec<Value>),
    /// Of PostgreSQL.
    Postgres(Arc<tokio_postgres::Row>),
}

impl From<tokio_postgres::Row> for Row {
    fn from(row: tokio_postgres::Row) -> Self {
        Self::Postgres(Arc::new(row))
    }
}

impl Row {
    /// A BIGINT that may be NULL.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for another type or a missing column.
    pub fn opt_int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(values) => match values.get(at) {
                Some(Value::Integer(value)) => Ok(Some(*value)),
                Some(Value::Null) => Ok(None),
                other => Err(wrong(at, "a number", other)),
            },
            Self::Postgres(row) => row.try_get(at).map_err(|e| mismatch(at, &e)),
        }
    }

    /// A BIGINT.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for NULL, another type or a missing column.
    pub fn int(&self, at: usize) -> Result<i64, StoreError> {
        self.opt_int(at)?.ok_or_else(|| null(at))
    }

    /// A TEXT that may be NULL.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for another type or a missing column.
    pub fn opt_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(values) => match values.get(at) {
                Some(Value::Text(text)) => Ok(Some(text.clone())),
                Some(Value::Null) => Ok(None),
                other => Err(wrong(at, "a text", other)),
            },
            Self::Postgres(row) => row.try_get(at).map_err(|e| mismatch(at, &e)),
        }
    }

    /// A TEXT.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for NULL, another type or a missing column.
    pub fn text(&self, at: usize) -> Result<String, StoreError> {
        self.opt_text(at)?.ok_or_else(|| null(at))
    }

    /// A BYTEA that may be NULL.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for another type or a missing column.
    pub fn opt_bytes(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite(values) => match values.get(at) {
                Some(Value::Blob(bytes)) => Ok(Some(bytes.clone())),
                Some(Value::Null) => Ok(None),
                other => Err(wrong(at, "bytes", other)),
            },
            Self::Postgres(row) => row.try_get(at).map_err(|e| mismatch(at, &e)),
        }
    }

    /// A BYTEA.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for NULL, another type or a missing column.
    pub fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        self.opt_bytes(at)?.ok_or_else(|| null(at))
    }

    /// A BOOLEAN that may be NULL.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for another type or a missing column.
    pub fn opt_flag(&self, at: usize) -> Result<Option<bool>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(self.opt_int(at)?.map(|value| value != 0)),
            Self::Postgres(row) => row.try_get(at).map_err(|e| mismatch(at, &e)),
        }
    }

    /// A BOOLEAN.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for NULL, another type or a missing column.
    pub fn flag(&self, at: usize) -> Result<bool, StoreError> {
        self.opt_flag(at)?.ok_or_else(|| null(at))
    }
}

fn null(at: usize) -> StoreError {
    StoreError::Inconsistent(format!("column {at} is NULL"))
}

fn wrong(at: usize, wanted: &str, got: Option<&Value>) -> StoreError {
    let got = got.map_or("no such column".to_owned(), |value| format!("{:?}", value.data_type()));
    StoreError::Inconsistent(format!("column {at}: wanted {wanted}, got {got}"))
}

fn mismatch(at: usize, error: &tokio_postgres::Error) -> StoreError {
    StoreError::Inconsistent(format!("column {at}: {error}"))
}
