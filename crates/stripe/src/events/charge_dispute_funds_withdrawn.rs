//! `charge.dispute.funds_withdrawn`

use super::EventType;
use crate::project;

/// The money of a dispute went to the bank.
pub(super) const TYPE: EventType = EventType {
    name: "charge.dispute.funds_withdrawn",
    object: "dispute",
    subscribe: true,
    project: project::dispute,
};
