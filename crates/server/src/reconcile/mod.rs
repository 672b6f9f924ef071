//! Reconciliation: every paid invoice, charge, refund and dispute that Stripe lists for a period, against what
//! Tributary knows.
//!
//! The lists are read by a run like an import's, and kept. The comparison is computed when it is looked at, so what was
//! mended meanwhile shows at once.

mod compare;
mod heal;
mod items;
mod report;

pub use compare::{Line, Status};
pub use heal::{MOST, heal};
pub use items::items;
pub use report::{Ask, Count, Report, Sum, report};

/// The longest period of one comparison, ms.
pub const PERIOD_MAX_MS: i64 = 400 * 86_400_000;
