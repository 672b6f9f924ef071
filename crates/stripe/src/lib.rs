//! Stripe's side of Tributary: signatures, tolerant views of objects at any API version, from source to facts,
//! and the client.
//!
//! Nothing here knows the database. A webhook body goes through [`signature::verify`] and
//! [`facts::facts_of_event`]; what was fetched goes through [`facts::facts_of_answer`].

mod answers;
pub mod client;
pub mod connect;
pub mod endpoint;
pub mod event;
pub mod events;
pub mod facts;
pub mod json;
pub mod lists;
mod project;
pub mod signature;
#[cfg(feature = "testkit")]
pub mod story;
pub mod views;
