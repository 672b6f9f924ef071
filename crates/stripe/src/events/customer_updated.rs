//! `customer.updated`

use super::EventType;
use crate::project;

/// A buyer changed: metadata or e-mail address.
pub(super) const TYPE: EventType =
    EventType { name: "customer.updated", object: "customer", subscribe: true, project: project::customer };
