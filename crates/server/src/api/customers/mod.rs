//! Customers.

pub mod archive;
pub mod change;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod search;
pub mod target;
pub mod transactions;
pub mod update;
pub mod view;
