//! `credit_note.updated`

use super::EventType;
use crate::project;

/// A credit note changed.
pub(super) const TYPE: EventType = EventType {
    name: "credit_note.updated",
    object: "credit_note",
    subscribe: true,
    project: project::credit_note,
};
