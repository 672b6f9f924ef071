//! HTTP, pipeline and jobs of Tributary.

pub mod clock;
pub mod pipeline;
pub mod state;

pub use state::{App, Settings};
