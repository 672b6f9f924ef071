//! Reading an account's past: events that may have been missed, whole lists of objects, and lists to compare with.
//!
//! A run is a row: what it reads, how far it is, what went wrong. Each page is kept in one transaction with the place
//! where the next one begins, so a run that was broken off goes on where it was, in whichever process. Whoever works
//! on a connection's runs holds its lease; a page of somebody who lost it is not kept.

mod alone;
mod begin;
mod find;
mod heart;
mod keep;
mod read;
mod runner;
mod steps;
mod words;

pub use begin::{Begun, OVERLAP_MS, STRIPE_KEEPS_MS, Wish, begin, pause, resume};
pub use find::{Found, Named, find, run_of, runs};
pub use runner::{Runner, Settling};
pub use steps::{Kind, Step};
pub use words::{Progress, day, gap_words, progress};
