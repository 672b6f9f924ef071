//! What runs beside requests.

pub mod poll;
