//! What runs beside requests.

pub mod alerts;
pub mod backfill;
pub mod health;
pub mod parts;
pub mod payloads;
pub mod poll;
pub mod visits;
