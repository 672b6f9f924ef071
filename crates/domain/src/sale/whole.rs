//! A sale is counted only where its object says all that its amounts mean. What lacks a currency, a tax or its payment waits
//! for the object in a shape that tells: nothing is guessed, and no other amount is taken in silence.

use super::{Money, Reader, SaleState, ask};
use crate::fact::{Field, Kind};
use crate::merge::ObjectState;

impl Reader<'_> {
    /// The money that an object brings, or the wait for what it does not say.
    pub(super) fn whole(&self, object: &ObjectState, money: Money) -> Money {
        let counts = matches!(money.state, SaleState::Paid);
        let silent = match object.kind {
            Kind::Invoice => counts && money.currency.is_empty(),
            Kind::Session => (counts && session_is_silent(object)) || self.hides_what_was_paid(object),
            _ => false,
        };
        if !silent {
            return money;
        }
        let mut waits = Money::nothing(SaleState::AwaitingParent).needing(ask(object));
        (waits.occurred_at, waits.currency) = (money.occurred_at, money.currency);
        waits
    }

    /// A purchase that is paid, by whoever's word, and does not say how much; or that does not say whether it is paid.
    fn hides_what_was_paid(&self, session: &ObjectState) -> bool {
        if Self::subscribes(session) || session.text(Field::Mode) == Some("setup") {
            return false;
        }
        match session.text(Field::PaymentStatus) {
            Some("no_payment_required") => false,
            None if !self.session_paid(session) => true,
            _ => self.session_paid(session) && session.int(Field::AmountTotal).is_none(),
        }
    }

    /// Is it a subscription's session? Where the mode is not said, or is a new word, the subscription that it names tells.
    pub(super) fn subscribes(session: &ObjectState) -> bool {
        match session.text(Field::Mode) {
            Some("subscription") => true,
            Some("payment") => false,
            _ => session.text(Field::Subscription).is_some(),
        }
    }
}

/// Without its currency or tax a session is no amount. Without its payment it would be counted beside its own charge.
fn session_is_silent(session: &ObjectState) -> bool {
    session.text(Field::Currency).is_none()
        || session.int(Field::AmountTax).is_none()
        || session.text(Field::PaymentIntent).is_none()
}
