//! `invoice.voided`

use super::EventType;
use crate::project;

/// An invoice was voided: it brings no money.
pub(super) const TYPE: EventType =
    EventType { name: "invoice.voided", object: "invoice", subscribe: true, project: project::invoice };
