//! Products with rules of their own: one exact fraction for each line, summed, and shown by largest remainder.

use super::SettleSale;
use crate::money::{Currency, Fraction, MoneyError, PPM};
use crate::sale::Line;
use crate::terms::{Reward, Terms};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One line of the sum. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTrace {
    /// Stripe's id of the line.
    pub id: String,
    /// The product, or empty.
    pub product: String,
    /// The line itself, as far as the terms count it; below 0 for a credit.
    pub amount: i64,
    /// Its rule in words.
    pub rule: String,
    /// Its part of the commission, minor units of the commission's currency.
    pub earned: i64,
}

/// What each line earns before cap and refunds.
pub(super) struct Shares {
    /// The sum.
    pub(super) total: Fraction,
    /// What the lines add up to, where the sale says something else.
    pub(super) differ: Option<i64>,
    lines: Vec<(LineTrace, Fraction)>,
}

/// The base spread over the lines by their amounts, each with its own rule. `None` where no product has a rule, or
/// where nobody says what was bought: then the reward of the terms holds for the whole base.
pub(super) fn shares(
    sale: &SettleSale,
    terms: &Terms,
    base: Fraction,
    currency: Currency,
) -> Result<Option<Shares>, MoneyError> {
    let lines = sale.detail.lines.as_deref().unwrap_or_default();
    let weight = |line: &Line| line.net.saturating_add(if terms.include_tax { line.tax } else { 0 });
    // A credit earns nothing and takes nothing back: it has lowered what was paid.
    let whole = lines.iter().map(|line| weight(line).max(0)).fold(0_i64, i64::saturating_add);
    if terms.products.is_empty() || whole <= 0 {
        return Ok(None);
    }
    let mut given = BTreeSet::new();
    let mut shares = Shares { total: Fraction::whole(0), differ: None, lines: Vec::new() };
    for line in lines {
        let (reward, own) = terms.reward_of(&line.product);
        let amount = weight(line);
        // A fixed amount is for the product, not for each of its lines; the default once for all that it covers. A line
        // that earns nothing by itself, such as a credit, does not use it up.
        let of = if own { line.product.as_str() } else { "" };
        let (rule, earned) = match reward {
            _ if amount <= 0 => ("a credit earns nothing".to_owned(), Fraction::whole(0)),
            None => ("earns nothing".to_owned(), Fraction::whole(0)),
            // Amounts of two currencies are never added.
            Some(Reward::Percent { .. }) if currency != sale.currency => {
                ("nothing: the reward is in another currency".to_owned(), Fraction::whole(0))
            }
            Some(reward @ Reward::Percent { rate }) => {
                (reward.words(), base.times(amount, whole)?.times(rate.ppm(), PPM)?)
            }
            Some(reward @ Reward::Fixed { currency: own, .. }) if *own != currency => {
                (format!("nothing: {} is another currency", reward.words()), Fraction::whole(0))
            }
            Some(Reward::Fixed { .. }) if !given.insert(of) => ("given once".to_owned(), Fraction::whole(0)),
            Some(reward @ Reward::Fixed { amount, .. }) => {
                (reward.words(), Fraction::whole((*amount).max(0)))
            }
        };
        shares.total = shares.total.plus(earned)?;
        let (id, product) = (line.id.clone(), line.product.clone());
        shares.lines.push((LineTrace { id, product, amount, rule, earned: 0 }, earned));
    }
    shares.differ = difference(sale, terms, lines.iter().map(weight));
    Ok(Some(shares))
}

/// What the lines add up to, where it is not what the sale says of its goods.
fn difference(sale: &SettleSale, terms: &Terms, amounts: impl Iterator<Item = i64>) -> Option<i64> {
    let sum = amounts.fold(0_i64, i64::saturating_add);
    let shipping = sale.shipping.saturating_add(if terms.include_tax { sale.detail.shipping_tax } else { 0 });
    let tax = if terms.include_tax { 0 } else { sale.tax };
    let goods = sale.total.saturating_sub(tax).saturating_sub(shipping);
    (sum != goods).then_some(sum)
}

impl Shares {
    /// The lines with their parts of `amount`, which is `exact` rounded: whole units first, then one more for the
    /// largest remainders; ties go to the smaller id. Nothing where a part cannot be computed exactly.
    pub(super) fn told(self, exact: Fraction, amount: i64) -> Vec<LineTrace> {
        let total = self.total;
        let part = |earned: Fraction| -> Result<(i64, Fraction), MoneyError> {
            match earned.share_of(total)? {
                Some(share) => share.times_fraction(exact)?.floor(),
                None => Ok((0, Fraction::whole(0))),
            }
        };
        let mut lines = Vec::with_capacity(self.lines.len());
        for (line, earned) in self.lines {
            let Ok((whole, rest)) = part(earned) else { return Vec::new() };
            lines.push((LineTrace { earned: whole, ..line }, rest));
        }
        let mut left = lines.iter().fold(amount, |left, (line, _)| left.saturating_sub(line.earned));
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|a, b| {
            let ((one, rest), (other, other_rest)) = (&lines[*a], &lines[*b]);
            other_rest.compare(*rest).then_with(|| one.id.cmp(&other.id))
        });
        for at in order {
            if left > 0 {
                lines[at].0.earned += 1;
                left -= 1;
            }
        }
        lines.into_iter().map(|(line, _)| line).collect()
    }
}
