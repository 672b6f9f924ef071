//! `refund.created`

use super::EventType;
use crate::project;

/// A refund was made, of any kind, since acacia.
pub(super) const TYPE: EventType =
    EventType { name: "refund.created", object: "refund", subscribe: true, project: project::refund };
