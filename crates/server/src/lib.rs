//! HTTP, pipeline and jobs of Tributary.

pub mod admin;
pub mod api;
pub mod assets;
pub mod audit;
pub mod auth;
pub mod body;
pub mod clock;
pub mod connect;
pub mod imports;
pub mod jobs;
pub mod password;
pub mod pipeline;
pub mod reconcile;
pub mod router;
pub mod setup;
pub mod state;
pub mod stripe;
pub mod track;
pub mod tracking;
pub mod ui;

pub use router::{router, serve};
pub use state::{App, Settings};
