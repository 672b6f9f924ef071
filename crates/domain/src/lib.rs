//! Rules without I/O.
//!
//! Everything here is a pure function of its arguments: no clock, no randomness, no database. Money is
//! `i64` minor units with a currency, rates are parts per million, and products are `i128` fractions that are
//! rounded once, half to even.

pub mod attribution;
pub mod digest;
pub mod fact;
pub mod ids;
pub mod ledger;
pub mod merge;
pub mod money;
pub mod sale;
pub mod settlement;
pub mod terms;
