//! The merchant's pages. One page, one file, with its typed context.

pub mod error;
pub mod event;
pub mod events;
pub mod transaction;
pub mod transactions;

#[cfg(test)]
mod samples;
