//! `payment_intent.succeeded`

use super::EventType;
use crate::project;

/// A PaymentIntent has its money. charge.succeeded says the same with more, so it is understood but not asked for.
pub(super) const TYPE: EventType = EventType {
    name: "payment_intent.succeeded",
    object: "payment_intent",
    subscribe: false,
    project: project::payment_intent,
};
