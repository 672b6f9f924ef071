//! `charge.dispute.created`

use super::EventType;
use crate::project;

/// A buyer's bank asks money back: the commission waits.
pub(super) const TYPE: EventType = EventType {
    name: "charge.dispute.created",
    object: "dispute",
    subscribe: true,
    project: project::dispute,
};
