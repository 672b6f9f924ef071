//! `customer.subscription.updated`

use super::EventType;
use crate::project;

/// A subscription changed: its metadata may name a partner now.
pub(super) const TYPE: EventType = EventType {
    name: "customer.subscription.updated",
    object: "subscription",
    subscribe: true,
    project: project::subscription,
};
