//! What disputes took and may yet take, charge by charge.
//!
//! The effect of a dispute is the sum of its movements where they are known; its status only says whether it is over.
//! While it is open it takes nothing: the hold stands in for it.

use super::{Need, Reader, ask};
use crate::fact::{Field, Kind};
use crate::merge::ObjectState;
use crate::money::decimal_parts;
use std::collections::BTreeSet;

/// States in which a dispute is over. Every other one, known or not, keeps the hold. `prevented` ends before the bank
/// takes the money; `charge_refunded`, of old APIs, because it was given back: the refund stands for itself.
const OVER: [&str; 5] = ["won", "lost", "warning_closed", "prevented", "charge_refunded"];

impl<'m> Reader<'m> {
    /// Disputes of a charge; one that names only a PaymentIntent belongs to the charge that captured for it.
    pub(super) fn disputes_of(
        &self,
        charge: &ObjectState,
    ) -> impl Iterator<Item = &'m ObjectState> + use<'m> {
        self.named_by(Kind::Dispute, charge)
    }

    /// What a dispute took for good, minor units of the charge's currency: 0 while it is open.
    pub(super) fn taken(&self, dispute: &ObjectState) -> i64 {
        let amount = dispute.int(Field::Amount).unwrap_or(0).max(0);
        let status = dispute.text(Field::DisputeStatus).unwrap_or_default();
        if !OVER.contains(&status) {
            return 0;
        }
        let moves: Vec<&ObjectState> = self
            .of(Kind::BalanceTransaction)
            .filter(|moved| moved.text(Field::Dispute) == Some(&dispute.id))
            .filter(|moved| moved.int(Field::Amount).is_some_and(|amount| amount != 0))
            .collect();
        let came_back = moves.iter().any(|moved| moved.int(Field::Amount).unwrap_or(0) > 0);
        match status {
            // Nothing came back yet: it is on its way.
            "won" if !came_back => 0,
            "lost" if moves.is_empty() => amount,
            _ => net_taken(amount, dispute.text(Field::Currency), &moves),
        }
    }

    /// What open disputes ask back, at least 1 while one is open.
    pub(super) fn disputed(&self, captured: i64) -> i64 {
        let open = self.of(Kind::Dispute).filter(|dispute| {
            !dispute.text(Field::DisputeStatus).is_some_and(|status| OVER.contains(&status))
        });
        let asked = open.map(|dispute| dispute.int(Field::Amount).filter(|a| *a > 0).unwrap_or(captured));
        asked.fold(0_i64, |sum, amount| sum.saturating_add(amount.max(1))).min(captured.max(1))
    }

    /// Charges that say that they were disputed, while no dispute of them is known; and disputes that do not say how
    /// much they ask back, or how they stand.
    pub(super) fn unexplained_disputes(&self) -> BTreeSet<Need> {
        let silent = self.of(Kind::Dispute).filter(|dispute| {
            dispute.int(Field::Amount).is_none() || dispute.text(Field::DisputeStatus).is_none()
        });
        let unexplained = |charge: &&ObjectState| {
            let said = charge.fields.get(&Field::Disputed).map_or(0, |reading| reading.at);
            let listed = charge.int(Field::DisputesListedAt).unwrap_or(i64::MIN);
            charge.flag(Field::Disputed) && listed < said && self.disputes_of(charge).next().is_none()
        };
        let unexplained = self.of(Kind::Charge).filter(unexplained);
        let of_charges = unexplained.map(|charge| Need::DisputesOf(charge.id.clone()));
        of_charges.chain(silent.filter_map(ask)).collect()
    }
}

/// The sum of movements. In the dispute's own currency it stands as it is. In the settlement currency it is a share:
/// what did not come back, of what went away, each at its own rate, of the dispute's amount.
fn net_taken(amount: i64, currency: Option<&str>, moves: &[&ObjectState]) -> i64 {
    let own = |moved: &&&ObjectState| moved.text(Field::Currency).is_none_or(|of| Some(of) == currency);
    let mut taken = moves
        .iter()
        .filter(own)
        .fold(0_i64, |sum, moved| sum.saturating_sub(moved.int(Field::Amount).unwrap_or(0)));
    let others: Vec<_> = moves.iter().filter(|moved| !own(moved)).collect();
    let values: Option<Vec<i128>> = others.iter().map(|moved| at_its_rate(moved)).collect();
    let values = values.unwrap_or_else(|| {
        others.iter().map(|moved| i128::from(moved.int(Field::Amount).unwrap_or(0))).collect()
    });
    let away: i128 = values.iter().filter(|value| **value < 0).fold(0, |sum, v| sum.saturating_sub(*v));
    let back: i128 = values.iter().filter(|value| **value > 0).fold(0, |sum, v| sum.saturating_add(*v));
    if away > 0 {
        let kept_away = away.saturating_sub(back).max(0);
        let share = kept_away.checked_mul(i128::from(amount)).map(|product| product / away);
        // Too large to be multiplied: divide first.
        let share = share.unwrap_or_else(|| kept_away / (away / i128::from(amount.max(1))).max(1));
        let share = i64::try_from(share).unwrap_or(amount);
        // Both movements were rounded to whole units at their own rates: less than that says nothing.
        let smallest = others.iter().map(|moved| moved.int(Field::Amount).unwrap_or(0).unsigned_abs()).min();
        let unit = i64::try_from(smallest.unwrap_or(1).max(1)).unwrap_or(i64::MAX);
        let slack = (amount / unit).saturating_add(1);
        taken = taken.saturating_add(if back > 0 && share <= slack { 0 } else { share });
    }
    taken.clamp(0, amount)
}

/// A movement's amount over its rate, scaled alike for all movements; `None` without a rate.
fn at_its_rate(moved: &ObjectState) -> Option<i128> {
    const SCALE: i128 = 1_000_000_000;
    let (digits, places) = decimal_parts(moved.text(Field::ExchangeRate)?)?;
    let amount = i128::from(moved.int(Field::Amount)?);
    let scaled = amount.checked_mul(SCALE)?.checked_mul(10_i128.checked_pow(places)?)?;
    (digits > 0).then(|| scaled / digits)
}
