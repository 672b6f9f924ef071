//! All SQL of Tributary: one text for SQLite and PostgreSQL.

pub mod db;
pub mod error;
pub mod vault;

pub use db::{Db, P, Row, Tx, Ty, Unit};
pub use error::StoreError;
