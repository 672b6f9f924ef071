//! What Stripe kept of each charge.

use super::detail::Fee;
use super::refunds::captured_of;
use super::{Money, Need, Reader, SaleState};
use crate::fact::{Field, Kind};
use crate::merge::ObjectState;

impl Reader<'_> {
    /// The fees, or what must be asked first.
    pub(super) fn fees(&self, money: &Money) -> (Option<Vec<Fee>>, Vec<Need>) {
        let through_stripe = money.paid.min(money.total).saturating_sub(money.off_stripe);
        if money.state != SaleState::Paid || through_stripe <= 0 {
            return (Some(Vec::new()), Vec::new());
        }
        let charges: Vec<&ObjectState> = self.captured_charges().collect();
        if charges.is_empty() {
            let asked = self.charge_to_find();
            // Only our API knows this sale: Stripe took nothing.
            return if asked.is_empty() { (Some(Vec::new()), asked) } else { (None, asked) };
        }
        let same = self.charged_in(&money.currency);
        let all = charges.iter().fold(0_i64, |sum, charge| sum.saturating_add(captured_of(charge)));
        let (mut fees, mut asked) = (Vec::new(), self.further_charges(&charges));
        for charge in charges {
            let captured = captured_of(charge);
            let (part, share) = if same { (captured, (1, 1)) } else { (through_stripe, (captured, all)) };
            let moved = self.of(Kind::BalanceTransaction).find(|moved| {
                moved.text(Field::Charge) == Some(&charge.id) && moved.int(Field::Fee).is_some()
            });
            match moved {
                Some(moved) => fees.push(Fee {
                    charge: charge.id.clone(),
                    fee: moved.int(Field::Fee).unwrap_or(0).max(0),
                    currency: moved.text(Field::Currency).unwrap_or_default().to_owned(),
                    of: moved.int(Field::Amount).unwrap_or(0),
                    part,
                    share,
                }),
                // Stripe knows no such charge: nobody will ever say what it kept.
                None if charge.flag(Field::Missing) => fees.push(Fee {
                    charge: charge.id.clone(),
                    fee: 0,
                    currency: String::new(),
                    of: 0,
                    part,
                    share,
                }),
                None => asked.push(Need::FeeOf(charge.id.clone())),
            }
        }
        if asked.is_empty() { (Some(fees), asked) } else { (None, asked) }
    }

    /// The ways to charges beside those that are known: what names them is known, or an invoice payment by a PaymentIntent whose
    /// charge is not.
    fn further_charges(&self, known: &[&ObjectState]) -> Vec<Need> {
        let named = self.undescribed(Kind::Charge).cloned().map(Need::FeeOf);
        let paid = self.of(Kind::InvoicePayment).filter(|payment| {
            let by_intent = payment.text(Field::PaymentType).is_none_or(|with| with == "payment_intent");
            by_intent && payment.text(Field::InvoicePaymentStatus) == Some("paid")
        });
        let intents = paid.filter_map(|payment| payment.text(Field::PaymentIntent));
        let open = intents.filter(|intent| {
            let state = self.members.get(*intent).and_then(Option::as_ref);
            let told =
                state.is_some_and(|pi| pi.flag(Field::Missing) || pi.text(Field::LatestCharge).is_some());
            !told && !known.iter().any(|charge| charge.text(Field::PaymentIntent) == Some(*intent))
        });
        named.chain(open.map(|intent| Need::Object(intent.to_owned()))).collect()
    }

    /// The way to a charge that no source has described yet: by its id, its PaymentIntent, or its invoice.
    fn charge_to_find(&self) -> Vec<Need> {
        if let Some(charge) = self.undescribed(Kind::Charge).next() {
            return vec![Need::FeeOf(charge.clone())];
        }
        let known =
            |kind| self.of(kind).find(|object| !object.flag(Field::Missing)).map(|object| object.id.clone());
        let next = self
            .undescribed(Kind::PaymentIntent)
            .next()
            .cloned()
            .or_else(|| known(Kind::PaymentIntent))
            .or_else(|| known(Kind::Session))
            .or_else(|| known(Kind::Invoice));
        next.map(Need::Object).into_iter().collect()
    }
}
