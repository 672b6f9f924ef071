//! `account.application.deauthorized`

/// The account took back what it had granted to a Stripe App or a Connect platform. It says nothing of sales: what it
/// changes is the connection, so it is in no table of projections.
pub const DEAUTHORIZED: &str = "account.application.deauthorized";
