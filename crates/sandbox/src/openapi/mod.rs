//! Stripe's own OpenAPI document: read once, translated to JSON Schema, asked about every request and every answer.

pub mod document;
pub mod skeleton;
pub mod translate;
pub mod validate;

pub use document::{Matched, Operation, document};
pub use validate::Breach;
