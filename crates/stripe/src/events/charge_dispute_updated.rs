//! `charge.dispute.updated`

use super::EventType;
use crate::project;

/// A dispute changed its state.
pub(super) const TYPE: EventType = EventType {
    name: "charge.dispute.updated",
    object: "dispute",
    subscribe: true,
    project: project::dispute,
};
