//! The API on a database of its own, driven through its router.

mod access;
mod customers;
pub(crate) mod harness;
mod partners;
mod signups;
mod transactions;
