//! SQL of the way of a payment, one file per step.

pub mod codes;
pub mod commissions;
pub mod counters;
pub mod decisions;
pub mod erasure;
pub mod evidence;
pub mod inbox;
pub mod jobs;
pub mod known_as;
pub mod months;
pub mod objects;
pub mod people;
pub mod policies;
pub mod purge;
pub mod recount;
pub mod sales;
pub mod scopes;
pub mod seals;
pub mod signups;
pub mod visits;
pub mod waiting;
