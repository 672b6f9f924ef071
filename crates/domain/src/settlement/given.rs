//! A reward that a call of the API gave without an amount: nothing was paid, so nothing of it can be given back.

use super::base::accepted;
use super::{Outcome, SettleSale, Target};
use crate::money::{Fraction, MoneyError};
use crate::terms::Terms;

/// Is the reward all that is known of the sale? Only a transaction of the API is: what Stripe calls paid has an amount.
pub(super) const fn alone(sale: &SettleSale) -> bool {
    sale.fixed_reward.is_some() && sale.total == 0 && sale.captured == 0
}

/// The reward as it was given, at most the cap. A minimum looks at an amount; here is none.
pub(super) fn compute(sale: &SettleSale, terms: &Terms, target: &mut Target) -> Result<Outcome, MoneyError> {
    let given = sale.fixed_reward.filter(|_| accepted(sale)).ok_or(MoneyError::TooLarge)?;
    let mut earned = Fraction::whole(given.max(0));
    if let Some(cap) = terms.cap.filter(|cap| cap.currency == target.currency) {
        let capped = earned.at_most(cap.amount.max(0));
        target.trace.capped = capped != earned;
        earned = capped;
    }
    target.trace.earned = earned.to_text();
    target.trace.exact = earned.to_text();
    target.gross = earned.round_half_even()?;
    target.amount = target.gross;
    Ok(Outcome::Earns)
}
