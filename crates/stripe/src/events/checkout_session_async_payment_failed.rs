//! `checkout.session.async_payment_failed`

use super::EventType;
use crate::project;

/// A delayed payment of a session did not arrive. The session stays unpaid.
pub(super) const TYPE: EventType = EventType {
    name: "checkout.session.async_payment_failed",
    object: "checkout.session",
    subscribe: true,
    project: project::session,
};
