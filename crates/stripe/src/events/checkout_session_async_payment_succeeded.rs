//! `checkout.session.async_payment_succeeded`

use super::EventType;
use crate::project;

/// A delayed payment of a session arrived.
pub(super) const TYPE: EventType = EventType {
    name: "checkout.session.async_payment_succeeded",
    object: "checkout.session",
    subscribe: true,
    project: project::session,
};
