//! Transactions: sales, whoever wrote them.

pub mod archive;
pub mod create;
pub mod delete;
pub mod get;
pub mod item;
pub mod list;
pub(crate) mod record;
pub mod update;
pub mod view;
