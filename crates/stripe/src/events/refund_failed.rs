//! `refund.failed`

use super::EventType;
use crate::project;

/// A refund did not reach the buyer: the money came back to the merchant.
pub(super) const TYPE: EventType =
    EventType { name: "refund.failed", object: "refund", subscribe: true, project: project::refund };
