//! Delivery of events to webhook endpoints: signed, tried again, and disturbed on request.

pub mod queue;
pub mod send;
pub mod sign;
