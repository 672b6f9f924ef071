//! What Stripe sends us.

pub mod receive;
