//! `invoice.payment_succeeded`

use super::EventType;
use crate::project;

/// The older twin of invoice.paid. Endpoints made by hand, and some doubles of Stripe, send only this one.
pub(super) const TYPE: EventType = EventType {
    name: "invoice.payment_succeeded",
    object: "invoice",
    subscribe: false,
    project: project::paid_invoice,
};
