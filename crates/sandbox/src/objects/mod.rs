//! Objects whose shape takes more than a few lines.

pub mod items;
pub mod lines;
pub mod session;
