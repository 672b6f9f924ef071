//! `promotion_code.updated`

use super::EventType;
use crate::project;

/// A promotion code changed. One that is no longer active changes nothing of the past.
pub(super) const TYPE: EventType = EventType {
    name: "promotion_code.updated",
    object: "promotion_code",
    subscribe: true,
    project: project::promotion_code,
};
