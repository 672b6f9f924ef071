//! A Stripe double on loopback, checked against Stripe's own OpenAPI document: every request, every answer and every
//! event. It keeps everything in memory and is deterministic from its seed; `tributary serve` meets it only over HTTP.
//!
//! Requests that break Stripe's schema get a 400 *and* are kept as violations; answers and events of the sandbox that
//! would break it become a 500 and are kept too. [`Running::violations`] lists them.

pub mod auth;
mod books;
mod clock;
pub mod config;
mod control;
mod deliver;
pub mod error;
mod events;
mod expand;
mod faults;
mod flows;
mod form;
mod http;
mod idempotency;
mod ids;
mod money;
mod oauth;
mod objects;
pub mod openapi;
mod pages;
mod params;
mod pay;
mod plan;
mod random;
mod routes;
mod server;
mod shared;
mod shop;
mod stories;
mod table;
mod world;

pub use config::{ApiKeys, Config, Retries, ShopConfig, TributaryTarget};
pub use error::Error;
pub use server::{Running, run, start};
pub use shared::Violation;
