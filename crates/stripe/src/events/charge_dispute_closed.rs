//! `charge.dispute.closed`

use super::EventType;
use crate::project;

/// A dispute is over: won, lost, or an inquiry that came to nothing.
pub(super) const TYPE: EventType = EventType {
    name: "charge.dispute.closed",
    object: "dispute",
    subscribe: true,
    project: project::closed_dispute,
};
