//! Flows across crates: the real server as a process of its own, on both databases. One binary for all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at its first surprise, in its helpers too"
)]

mod attribution;
mod byhand;
mod codes;
mod corruption;
mod crash;
mod eras;
mod evidence;
mod faults;
mod histories;
mod localstripe;
mod mutants;
mod pages;
mod rest;
mod sandbox;
mod settings;
mod setup;
mod shuffles;
mod signatures;
mod stripe_app;
mod support;
mod tidy;
mod track;
mod traps;
