//! `customer.subscription.created`

use super::EventType;
use crate::project;

/// A subscription was made: its metadata and discounts tell who brought its customer.
pub(super) const TYPE: EventType = EventType {
    name: "customer.subscription.created",
    object: "subscription",
    subscribe: true,
    project: project::subscription,
};
