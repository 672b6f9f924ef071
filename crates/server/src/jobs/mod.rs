//! What runs beside requests.

pub mod poll;
pub mod visits;
