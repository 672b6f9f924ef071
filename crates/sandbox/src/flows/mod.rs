//! What happens when somebody pays, in Stripe's order of events.

pub mod billing;
pub mod charge;
pub mod checkout;
pub mod credit;
pub mod credit_note;
pub mod dispute;
pub mod intent;
pub mod manual;
pub mod proration;
pub mod refund;
pub mod subscription;
