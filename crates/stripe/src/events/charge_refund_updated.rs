//! `charge.refund.updated`

use super::EventType;
use crate::project;

/// A refund changed; the only word of a failed refund before acacia.
pub(super) const TYPE: EventType =
    EventType { name: "charge.refund.updated", object: "refund", subscribe: true, project: project::refund };
