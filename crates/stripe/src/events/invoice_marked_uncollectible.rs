//! `invoice.marked_uncollectible`

use super::EventType;
use crate::project;

/// An invoice was given up; it may be paid later all the same.
pub(super) const TYPE: EventType = EventType {
    name: "invoice.marked_uncollectible",
    object: "invoice",
    subscribe: true,
    project: project::invoice,
};
