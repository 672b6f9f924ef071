//! `invoice_payment.paid`

use super::EventType;
use crate::project;

/// Joins an invoice to its PaymentIntent or charge, since basil.
pub(super) const TYPE: EventType = EventType {
    name: "invoice_payment.paid",
    object: "invoice_payment",
    subscribe: true,
    project: project::invoice_payment,
};
