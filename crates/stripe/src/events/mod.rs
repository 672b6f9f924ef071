//! The Stripe event types that Tributary understands, one file each. Every other type is ignored with a reason.

mod account_application_deauthorized;
mod charge_captured;
mod charge_dispute_closed;
mod charge_dispute_created;
mod charge_dispute_funds_reinstated;
mod charge_dispute_funds_withdrawn;
mod charge_dispute_updated;
mod charge_refund_updated;
mod charge_refunded;
mod charge_succeeded;
mod checkout_session_async_payment_failed;
mod checkout_session_async_payment_succeeded;
mod checkout_session_completed;
mod credit_note_created;
mod credit_note_updated;
mod credit_note_voided;
mod customer_created;
mod customer_deleted;
mod customer_subscription_created;
mod customer_subscription_updated;
mod customer_updated;
mod ignored;
mod invoice_marked_uncollectible;
mod invoice_paid;
mod invoice_payment_paid;
mod invoice_payment_succeeded;
mod invoice_voided;
mod payment_intent_succeeded;
mod promotion_code_created;
mod promotion_code_updated;
mod refund_created;
mod refund_failed;
mod refund_updated;

pub use account_application_deauthorized::DEAUTHORIZED;

use crate::event::Envelope;
use crate::facts::Outcome;
use crate::project::{Collector, Project};
use serde_json::value::RawValue;
use tributary_domain::fact::Kind;

/// One event type.
pub(crate) struct EventType {
    /// Stripe's name.
    pub(crate) name: &'static str,
    /// The object inside.
    pub(crate) object: &'static str,
    /// Do our own endpoints ask for it? Twins that bring nothing new are understood, but not asked for.
    pub(crate) subscribe: bool,
    /// Projects the object.
    pub(crate) project: Project,
}

/// All types that are understood.
const TABLE: &[EventType] = &[
    checkout_session_completed::TYPE,
    checkout_session_async_payment_succeeded::TYPE,
    checkout_session_async_payment_failed::TYPE,
    invoice_paid::TYPE,
    invoice_payment_succeeded::TYPE,
    invoice_payment_paid::TYPE,
    charge_succeeded::TYPE,
    charge_captured::TYPE,
    payment_intent_succeeded::TYPE,
    charge_refunded::TYPE,
    charge_refund_updated::TYPE,
    refund_created::TYPE,
    refund_updated::TYPE,
    refund_failed::TYPE,
    charge_dispute_created::TYPE,
    charge_dispute_updated::TYPE,
    charge_dispute_closed::TYPE,
    charge_dispute_funds_withdrawn::TYPE,
    charge_dispute_funds_reinstated::TYPE,
    credit_note_created::TYPE,
    credit_note_updated::TYPE,
    credit_note_voided::TYPE,
    invoice_voided::TYPE,
    invoice_marked_uncollectible::TYPE,
    customer_created::TYPE,
    customer_updated::TYPE,
    customer_deleted::TYPE,
    customer_subscription_created::TYPE,
    customer_subscription_updated::TYPE,
    promotion_code_created::TYPE,
    promotion_code_updated::TYPE,
];

/// The types that our own endpoints subscribe to. A list of events takes 20 at a time.
#[must_use]
pub fn subscribed() -> Vec<&'static str> {
    TABLE.iter().filter(|row| row.subscribe).map(|row| row.name).collect()
}

/// Is the type understood?
#[must_use]
pub fn is_understood(type_: &str) -> bool {
    row(type_).is_some()
}

fn row(type_: &str) -> Option<&'static EventType> {
    TABLE.iter().find(|row| row.name == type_)
}

/// Projects an event's object by its type.
pub(crate) fn project(
    envelope: &Envelope,
    object: Option<&RawValue>,
    collector: &mut Collector<'_>,
) -> Outcome {
    if envelope.thin {
        return thin(envelope);
    }
    match understand(envelope, object, collector) {
        Some(reason) => Outcome::Ignored { reason },
        None => Outcome::Relevant,
    }
}

/// A thin event names the type of its twin, `v1.invoice.paid`, and the object, which is to be fetched.
fn thin(envelope: &Envelope) -> Outcome {
    let twin = envelope.type_.strip_prefix("v1.").unwrap_or_default();
    let Some(row) = row(twin) else {
        let reason = match twin {
            "" => format!("Tributary does not use thin events of the type {}.", cut(&envelope.type_)),
            twin => ignored::reason(twin),
        };
        return Outcome::Ignored { reason };
    };
    let id = envelope.object_id.clone().unwrap_or_default();
    let told = envelope.object_kind.as_deref().unwrap_or(row.object);
    match kind_of(row.object).filter(|_| told == row.object) {
        Some(kind) if !id.is_empty() => Outcome::Fetch { kind, id },
        Some(_) => Outcome::Ignored { reason: ignored::NO_RELATED.to_owned() },
        None => Outcome::Ignored {
            reason: format!(
                "{} should name a {}, but names a {}.",
                cut(&envelope.type_),
                row.object,
                cut(told)
            ),
        },
    }
}

/// The kind of an object by Stripe's name of it.
fn kind_of(object: &str) -> Option<Kind> {
    if object == "checkout.session" { Some(Kind::Session) } else { Kind::parse(object) }
}

/// The first letters of a foreign text, for a sentence.
fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The reason to ignore the event, if there is one.
fn understand(envelope: &Envelope, object: Option<&RawValue>, c: &mut Collector<'_>) -> Option<String> {
    let Some(row) = row(&envelope.type_) else { return Some(ignored::reason(&envelope.type_)) };
    let Some(object) = object else { return Some(ignored::NO_OBJECT.to_owned()) };
    match envelope.object_kind.as_deref() {
        Some(kind) if kind != row.object => {
            return Some(format!("{} should carry a {}, but carries a {kind}.", row.name, row.object));
        }
        _ => (row.project)(object, c),
    }
    c.is_empty()
        .then(|| format!("The {} in this event has no id, or says nothing that Tributary uses.", row.object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_endpoints_ask_for_money_that_comes_and_goes() {
        for name in ["invoice.paid", "refund.created", "charge.dispute.closed", "credit_note.voided"] {
            assert!(subscribed().contains(&name), "{name}");
        }
    }

    #[test]
    fn no_type_stands_twice_in_the_table() {
        let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
