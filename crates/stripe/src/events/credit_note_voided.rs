//! `credit_note.voided`

use super::EventType;
use crate::project;

/// A credit note was taken back.
pub(super) const TYPE: EventType = EventType {
    name: "credit_note.voided",
    object: "credit_note",
    subscribe: true,
    project: project::voided_credit_note,
};
