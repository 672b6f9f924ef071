//! The installation as a whole: every table by what it is, for what copies, compares or replaces many of them.

pub mod fingerprint;
pub mod rows;
pub mod schema;
pub mod shadow;
pub mod state;
mod tables;

pub use tables::TABLES;

/// What the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A source that is read whenever something is derived.
    Source,
    /// Kept like a source, but nothing is derived from it: users, keys, addresses.
    Setting,
    /// A large source, read a page at a time where it lies: events, observations, visits.
    Raw,
    /// Rebuilt from the sources.
    Derived,
    /// The ledger: posted anew where everything is derived anew.
    Ledger,
    /// A counter that also counts what was never kept as rows: copied, then counted anew so far as there are rows.
    Counter,
    /// Of this installation's running alone: sessions, leases, memories.
    Local,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What its rows are.
    pub class: Class,
    /// Which of its rows are sources, as a condition; empty for all.
    pub sources: &'static str,
}

/// Which rows are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All.
    All,
    /// Those that are sources.
    Sources,
}
