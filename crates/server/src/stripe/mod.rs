//! What Stripe sends us.

pub mod receive;
pub mod refusals;
