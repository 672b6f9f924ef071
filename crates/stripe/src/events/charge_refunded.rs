//! `charge.refunded`

use super::EventType;
use crate::project;

/// The total refunded of a charge rose. Old versions list the refunds inside.
pub(super) const TYPE: EventType = EventType {
    name: "charge.refunded",
    object: "charge",
    subscribe: true,
    project: project::refunded_charge,
};
