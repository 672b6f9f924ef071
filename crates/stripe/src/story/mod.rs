//! Whole purchase stories as webhook events, in the shapes of nine eras of Stripe's API.
//!
//! The same plot told in any era must end in the same ledger. Only for tests: behind the feature `testkit`.

mod era;
mod objects;
mod plot;
mod tell;

pub use era::Era;
pub use objects::Objects;
pub use plot::{Plot, Purchase};
pub use tell::{credited, disputed, payment_link, subscription, wrap};
