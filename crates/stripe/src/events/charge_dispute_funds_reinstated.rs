//! `charge.dispute.funds_reinstated`

use super::EventType;
use crate::project;

/// The money of a dispute came back.
pub(super) const TYPE: EventType = EventType {
    name: "charge.dispute.funds_reinstated",
    object: "dispute",
    subscribe: true,
    project: project::dispute,
};
