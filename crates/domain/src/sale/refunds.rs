//! What was captured and what was given back, charge by charge.

use super::{Money, Need, Reader, ask};
use crate::fact::{Field, Kind};
use crate::merge::ObjectState;
use std::collections::BTreeSet;

/// What went back of a sale, minor units of its charges.
pub(super) struct GivenBack {
    /// Captured over all charges.
    pub(super) captured: i64,
    /// Refunded, `credited` included.
    pub(super) refunded: i64,
    /// Lost in disputes.
    pub(super) lost: i64,
    /// Given back outside of Stripe.
    pub(super) credited: i64,
    /// Of the captured, what came outside of Stripe.
    pub(super) off_captured: i64,
}

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

    /// Objects of a kind that name a charge. One that names only a PaymentIntent belongs to the charge that captured
    /// for it: of the attempts of a PaymentIntent only one can.
    pub(super) fn named_by(
        &self,
        kind: Kind,
        charge: &ObjectState,
    ) -> impl Iterator<Item = &'m ObjectState> + use<'m> {
        let id = charge.id.clone();
        let intent = charge.text(Field::PaymentIntent).filter(|_| captured_of(charge) > 0).map(str::to_owned);
        self.of(kind).filter(move |object| match object.text(Field::Charge) {
            Some(of) => of == id,
            None => intent.is_some() && object.text(Field::PaymentIntent) == intent.as_deref(),
        })
    }

    fn refunds_of(&self, charge: &ObjectState) -> impl Iterator<Item = &'m ObjectState> + use<'m> {
        self.named_by(Kind::Refund, charge)
    }

    /// What went back of what was captured, charge by charge: min(captured, refunded + lost), where refunded is
    /// max(Σ refunds that did not fail, highest total seen − Σ failed refunds). Then what was given back outside of
    /// Stripe. So nothing is taken back twice, and never more than came.
    pub(super) fn given_back(&self, money: &Money) -> GivenBack {
        let (mut refunds_seen, mut disputes_seen) = (BTreeSet::new(), BTreeSet::new());
        let (mut refunded, mut lost) = (0_i64, 0_i64);
        for charge in self.of(Kind::Charge) {
            let (captured, released) = (captured_of(charge), released_of(charge));
            let (mut kept, mut failed, mut release) = (0_i64, 0_i64, 0_i64);
            for refund in self.refunds_of(charge).filter(|refund| refunds_seen.insert(refund.id.as_str())) {
                let amount = refund.int(Field::Amount).unwrap_or(0).max(0);
                let side = if refund_failed(refund) {
                    &mut failed
                } else if release == 0
                    && amount == released
                    && refund.text(Field::BalanceTransaction).is_none()
                {
                    &mut release
                } else {
                    &mut kept
                };
                *side = side.saturating_add(amount);
            }
            // What the total tells beyond the known refunds; a release that no refund stands for may be in it.
            let told = charge.int(Field::AmountRefunded).unwrap_or(0).saturating_sub(failed);
            let beyond = told.saturating_sub(kept).saturating_sub(released).max(0);
            let given = kept.saturating_add(beyond).clamp(0, captured);
            let disputes = self.disputes_of(charge).filter(|d| disputes_seen.insert(d.id.as_str()));
            let taken = disputes.fold(0_i64, |sum, dispute| sum.saturating_add(self.taken(dispute)));
            refunded = refunded.saturating_add(given);
            lost = lost.saturating_add(taken.clamp(0, captured - given));
        }
        // Refunds and disputes whose charge is not described still count.
        let apart = self.of(Kind::Refund);
        let apart =
            apart.filter(|refund| !refunds_seen.contains(refund.id.as_str()) && !refund_failed(refund));
        let apart = apart.filter_map(|refund| refund.int(Field::Amount));
        refunded = apart.fold(refunded, |sum, amount| sum.saturating_add(amount.max(0)));
        let apart = self.of(Kind::Dispute).filter(|dispute| !disputes_seen.contains(dispute.id.as_str()));
        lost = apart.fold(lost, |sum, dispute| sum.saturating_add(self.taken(dispute)));
        self.limited(money, refunded, lost)
    }

    /// Cut to what was captured, over all charges: what was paid beyond an invoice's total counts in the share that is
    /// kept, as it would had it been asked for.
    fn limited(&self, money: &Money, refunded: i64, lost: i64) -> GivenBack {
        let comparable = self.charged_in(&money.currency);
        let captured = money.captured.max(0);
        let refunded = refunded.clamp(0, captured);
        let lost = lost.clamp(0, captured - refunded);
        let left = captured - refunded - lost;
        let credited = self.out_of_band();
        // A credit note speaks of the invoice's currency; charges in another are compared by their share.
        let credited = if comparable || money.paid <= 0 {
            credited
        } else {
            let share = i128::from(credited) * i128::from(captured) / i128::from(money.paid);
            i64::try_from(share).unwrap_or(i64::MAX)
        };
        let credited = credited.clamp(0, left);
        let off_captured = if comparable { money.off_stripe.min(captured) } else { 0 };
        GivenBack { captured, refunded: refunded + credited, lost, credited, off_captured }
    }

    /// What credit notes gave back outside of Stripe. The rest of a credit note lowered what was paid, is a refund of
    /// its own, or went to the customer's balance, where the next invoice brings less.
    fn out_of_band(&self) -> i64 {
        let standing = self.of(Kind::CreditNote).filter(|n| n.text(Field::CreditStatus) != Some("void"));
        standing
            .filter_map(|note| note.int(Field::OutOfBand))
            .fold(0_i64, |sum, amount| sum.saturating_add(amount.max(0)))
    }

    /// Credit notes that do not say what went back outside of Stripe.
    pub(super) fn silent_credit_notes(&self) -> impl Iterator<Item = Need> + use<'m> {
        let silent = |note: &&ObjectState| {
            note.int(Field::OutOfBand).is_none()
                && !note.said_none(Field::OutOfBand)
                && note.text(Field::CreditStatus) != Some("void")
        };
        self.of(Kind::CreditNote).filter(silent).filter_map(ask)
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

/// Authorised but never captured, of a charge that was captured in part. Stripe books the release as a refund of its own,
/// which moves nothing of the balance, and may count it in `amount_refunded`; yet no money came and none went back.
fn released_of(charge: &ObjectState) -> i64 {
    let captured = captured_of(charge);
    charge.int(Field::Amount).unwrap_or(0).max(captured).saturating_sub(captured)
}

fn refund_failed(refund: &ObjectState) -> bool {
    matches!(refund.text(Field::RefundStatus), Some("failed" | "canceled"))
}
