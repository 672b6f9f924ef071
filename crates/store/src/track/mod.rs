//! The public tracking surface: what it must know to answer without the database, and what it writes.

pub mod config;
pub mod parts;
pub mod visits;

/// One visit a link and visitor in this time, ms.
pub const REPEAT_MS: i64 = 30 * 60 * 1_000;
/// A day, ms.
pub const DAY_MS: i64 = 86_400_000;
