//! What was captured and what was given back, charge by charge.

use super::{Need, Reader};
use crate::fact::{Field, Kind};
use crate::merge::ObjectState;
use std::collections::BTreeSet;

impl<'m> Reader<'m> {
    /// Captured over all charges that succeeded, minor units.
    pub(super) fn captured(&self) -> i64 {
        self.of(Kind::Charge).map(captured_of).fold(0, i64::saturating_add)
    }

    /// The charges that captured money.
    pub(super) fn captured_charges(&self) -> impl Iterator<Item = &'m ObjectState> + use<'m> {
        self.of(Kind::Charge).filter(|charge| captured_of(charge) > 0)
    }

    /// When the first captured charge was made, ms UTC.
    pub(super) fn charged_at(&self) -> Option<i64> {
        self.captured_charges().map(ObjectState::created).min()
    }

    /// Was every captured charge made in this currency, as far as the charges say?
    pub(super) fn charged_in(&self, currency: &str) -> bool {
        self.captured_charges().all(|charge| charge.text(Field::Currency).is_none_or(|of| of == currency))
    }

    /// Refunds by charge. A refund that names only a PaymentIntent belongs to the charge that captured for it:
    /// of the attempts of a PaymentIntent only one can.
    fn refunds_of(&self, charge: &ObjectState) -> impl Iterator<Item = &'m ObjectState> + use<'m> {
        let id = charge.id.clone();
        let intent = charge.text(Field::PaymentIntent).filter(|_| captured_of(charge) > 0).map(str::to_owned);
        self.of(Kind::Refund).filter(move |refund| match refund.text(Field::Charge) {
            Some(of) => of == id,
            None => intent.is_some() && refund.text(Field::PaymentIntent) == intent.as_deref(),
        })
    }

    /// min(captured, max(Σ refunds that did not fail, highest total seen − Σ failed refunds)), charge by charge.
    pub(super) fn refunded(&self, captured: i64) -> i64 {
        let mut seen = BTreeSet::new();
        let mut sum = 0_i64;
        for charge in self.of(Kind::Charge) {
            let (mut kept, mut failed) = (0_i64, 0_i64);
            for refund in self.refunds_of(charge).filter(|refund| seen.insert(refund.id.as_str())) {
                let amount = refund.int(Field::Amount).unwrap_or(0).max(0);
                let side = if refund_failed(refund) { &mut failed } else { &mut kept };
                *side = side.saturating_add(amount);
            }
            let told = charge.int(Field::AmountRefunded).unwrap_or(0).saturating_sub(failed);
            let given_back = kept.max(told).saturating_sub(released_of(charge));
            sum = sum.saturating_add(given_back.clamp(0, captured_of(charge)));
        }
        // Refunds whose charge is not described still count.
        let apart = self
            .of(Kind::Refund)
            .filter(|refund| !seen.contains(refund.id.as_str()) && !refund_failed(refund))
            .filter_map(|refund| refund.int(Field::Amount));
        apart.fold(sum, |sum, amount| sum.saturating_add(amount.max(0))).min(captured)
    }

    /// Charges whose refunded total the known refunds do not explain: the highest total is more than all of them,
    /// or the newest is more than those that did not fail (a failed refund may hide that another came after it).
    pub(super) fn unexplained_refunds(&self) -> BTreeSet<Need> {
        let unexplained = |charge: &&ObjectState| {
            let (mut kept, mut failed) = (0_i64, 0_i64);
            for refund in self.refunds_of(charge) {
                let side = if refund_failed(refund) { &mut failed } else { &mut kept };
                *side = side.saturating_add(refund.int(Field::Amount).unwrap_or(0).max(0));
            }
            let listed = charge.int(Field::RefundsListedAt).unwrap_or(i64::MIN);
            let beyond = |field: Field, known: i64| {
                let said = charge.fields.get(&field).map_or(0, |reading| reading.at);
                charge.int(field).unwrap_or(0) > known && listed < said
            };
            beyond(Field::AmountRefunded, kept.saturating_add(failed))
                || beyond(Field::AmountRefundedNow, kept)
        };
        self.of(Kind::Charge).filter(unexplained).map(|charge| Need::RefundsOf(charge.id.clone())).collect()
    }
}

/// Captured of a charge that succeeded, else 0.
pub(super) fn captured_of(charge: &ObjectState) -> i64 {
    if charge.text(Field::ChargeStatus) == Some("succeeded") {
        charge.int(Field::AmountCaptured).unwrap_or(0).max(0)
    } else {
        0
    }
}

/// Authorised but never captured, of a charge that was captured in part. Stripe books the release as a refund
/// of its own and counts it in `amount_refunded`, yet no money came and none went back.
fn released_of(charge: &ObjectState) -> i64 {
    let captured = captured_of(charge);
    charge.int(Field::Amount).unwrap_or(0).max(captured).saturating_sub(captured)
}

fn refund_failed(refund: &ObjectState) -> bool {
    matches!(refund.text(Field::RefundStatus), Some("failed" | "canceled"))
}
