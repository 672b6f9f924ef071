//! All SQL of Tributary: one text for SQLite and PostgreSQL.

pub mod alerts;
pub mod api;
pub mod checklist;
pub mod connections;
pub mod db;
pub mod error;
pub mod health;
pub mod imports;
pub mod links;
pub mod oauth;
pub mod pages;
pub mod pipeline;
pub mod reconcile;
pub mod setup;
pub mod track;
pub mod users;
pub mod vault;
pub mod whole;
pub mod wipe;
pub mod workspaces;

pub use db::{Db, P, Row, Tx, Ty, Unit};
pub use error::StoreError;
