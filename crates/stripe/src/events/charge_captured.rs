//! `charge.captured`

use super::EventType;
use crate::project;

/// An authorisation was captured: the money exists from here on.
pub(super) const TYPE: EventType =
    EventType { name: "charge.captured", object: "charge", subscribe: true, project: project::charge };
