//! `customer.deleted`

use super::EventType;
use crate::project;

/// A buyer was deleted. What was earned stays.
pub(super) const TYPE: EventType = EventType {
    name: "customer.deleted",
    object: "customer",
    subscribe: true,
    project: project::deleted_customer,
};
