//! `charge.succeeded`

use super::EventType;
use crate::project;

/// Money was authorised, and captured unless captured is false. Alone it does not say what it pays for.
pub(super) const TYPE: EventType =
    EventType { name: "charge.succeeded", object: "charge", subscribe: true, project: project::charge };
