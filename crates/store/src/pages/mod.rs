//! What the merchant's pages read, one file per page, and the sessions of those who look at them.

pub mod audit;
pub mod customers;
pub mod events;
pub mod frame;
pub mod links;
pub mod onboarding;
pub mod overview;
pub mod partners;
pub mod scenarios;
pub mod search;
pub mod sessions;
pub mod stripe_customer;
pub mod transactions;

/// Where a page looks: one program in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The workspace.
    pub workspace_id: String,
    /// The program.
    pub program_id: String,
    /// `test` or `live`.
    pub mode: String,
}

/// From where a list goes on: the order's value and the key that breaks ties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// ms UTC.
    pub at: i64,
    /// The tie-breaker.
    pub id: String,
}

/// Which way a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the cursor to older rows; without one from the newest.
    Older,
    /// From the cursor to newer rows; without one from the oldest.
    Newer,
}
