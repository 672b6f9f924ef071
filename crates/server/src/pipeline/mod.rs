//! The way of a payment, in the order in which it happens:
//! receive (in `stripe::receive`) → [`project`] → [`place`] → [`settle`] → [`post`], driven by [`worker`].

pub mod adopt;
mod again;
pub mod clicks;
pub mod codes;
pub mod context;
pub mod decide;
pub mod erase;
pub mod evidence;
pub mod explain;
pub mod fetch;
pub mod fixing;
pub mod link;
pub mod mature;
pub mod place;
pub mod post;
pub mod project;
mod purged;
pub mod replay;
pub mod rulings;
pub mod seal;
pub mod settle;
pub mod signup;
pub mod transactions;
pub mod verify;
pub mod waiting;
pub mod witness;
pub mod worker;
pub mod world;

pub use again::{
    customer_changed, key_taken, partner_changed, policy_added, program_attached, program_detached,
    visit_recorded,
};
pub use decide::{Decision, decide};
pub use settle::settle_customer;
pub use signup::{Signup, SignupOutcome, record_browser_signup};
pub use transactions::{ApiSale, write_transaction};
pub use worker::{drain, rerun_event};
