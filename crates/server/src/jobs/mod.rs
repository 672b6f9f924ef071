//! What runs beside requests.

pub mod backfill;
pub mod parts;
pub mod payloads;
pub mod poll;
pub mod visits;
