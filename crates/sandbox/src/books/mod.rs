//! The sandbox's own account of what was sold, and of what partners must have earned by it. It is reckoned from the
//! objects alone, by its own code, so that Tributary's sums are checked against somebody else's.

mod owed;
mod sales;

pub use owed::{Terms, owed};
pub use sales::sales;
