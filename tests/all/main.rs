//! One binary for all flows.
