//! `customer.created`

use super::EventType;
use crate::project;

/// A buyer was made. Its metadata may name a partner.
pub(super) const TYPE: EventType =
    EventType { name: "customer.created", object: "customer", subscribe: true, project: project::customer };
