//! Flows across crates: the real server as a process of its own, on both databases. One binary for all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at its first surprise, in its helpers too"
)]

mod adopt;
mod attribution;
mod audit;
mod base;
mod byhand;
mod codes;
mod connections;
mod corruption;
mod crash;
mod dated;
mod disputes;
mod doctor;
mod eras;
mod erasure;
mod evidence;
mod faults;
mod histories;
mod killed;
mod known_as;
mod localstripe;
mod missed;
mod mutants;
mod oauth;
mod pages;
mod purge;
mod races;
mod reconcile;
mod replay;
mod rest;
mod sandbox;
mod scenarios;
mod settings;
mod setup;
mod shuffles;
mod signatures;
mod stripe_app;
mod support;
mod tidy;
mod track;
mod traps;
mod waiting;
