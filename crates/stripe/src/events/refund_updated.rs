//! `refund.updated`

use super::EventType;
use crate::project;

/// A refund changed its status.
pub(super) const TYPE: EventType =
    EventType { name: "refund.updated", object: "refund", subscribe: true, project: project::refund };
