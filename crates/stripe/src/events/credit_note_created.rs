//! `credit_note.created`

use super::EventType;
use crate::project;

/// An invoice was lowered; what was given back outside of Stripe is known only here.
pub(super) const TYPE: EventType = EventType {
    name: "credit_note.created",
    object: "credit_note",
    subscribe: true,
    project: project::credit_note,
};
