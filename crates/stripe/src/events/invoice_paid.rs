//! `invoice.paid`

use super::EventType;
use crate::project;

/// An invoice is paid: the money event of subscriptions, from credit balance or outside Stripe too.
pub(super) const TYPE: EventType =
    EventType { name: "invoice.paid", object: "invoice", subscribe: true, project: project::paid_invoice };
