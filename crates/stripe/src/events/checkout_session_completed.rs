//! `checkout.session.completed`

use super::EventType;
use crate::project;

/// The buyer finished Checkout. It is paid only if payment_status says so; delayed methods are paid later. It carries the attribution.
pub(super) const TYPE: EventType = EventType {
    name: "checkout.session.completed",
    object: "checkout.session",
    subscribe: true,
    project: project::session,
};
