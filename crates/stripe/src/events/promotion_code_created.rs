//! `promotion_code.created`

use super::EventType;
use crate::project;

/// A promotion code was made: which text its id stands for.
pub(super) const TYPE: EventType = EventType {
    name: "promotion_code.created",
    object: "promotion_code",
    subscribe: true,
    project: project::promotion_code,
};
