//! Authorisation by OAuth: the operator's App or platform, authorisations under way, and tokens.

pub mod clients;
pub mod states;
pub mod tokens;
