//! What runs beside requests.

pub mod backfill;
pub mod poll;
pub mod visits;
