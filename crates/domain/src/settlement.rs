//! From the sales of a customer to the target of every commission, with the reasons beside the numbers.
//!
//! Target = round half even( cap(base × rate) × kept share ), one exact fraction, rounded once. What is
//! explained is what was computed.

use crate::money::{Currency, Fraction, MoneyError};
use crate::sale::Detail;
use crate::terms::{DAY_MS, Duration, Reward, Terms, TermsVersion, in_force, months_after};
use serde::{Deserialize, Serialize};

mod base;
mod given;
mod products;

pub use products::LineTrace;

/// A sale as settlement sees it. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleSale {
    /// The root id: breaks ties in time.
    pub root_id: String,
    /// When the money came, ms UTC.
    pub occurred_at: i64,
    /// Its currency.
    pub currency: Currency,
    /// Total, tax and shipping included.
    pub total: i64,
    /// Tax in the total.
    pub tax: i64,
    /// Shipping in the total, without tax.
    pub shipping: i64,
    /// Paid of the total.
    pub paid: i64,
    /// Captured.
    pub captured: i64,
    /// Given back of the captured.
    pub refunded: i64,
    /// Lost of the captured, in disputes.
    pub lost: i64,
    /// What some terms look at and others do not.
    pub detail: Detail,
    /// The partner (our id), if any.
    pub partner_id: Option<String>,
    /// Was the partner suspended when the sale happened?
    pub suspended: bool,
    /// Was the customer archived when the sale happened?
    pub archived: bool,
    /// May it earn (an API transaction may say no)?
    pub rewardable: bool,
    /// A reward set by the caller of the API, minor units of `currency`.
    pub fixed_reward: Option<i64>,
    /// Rejected or voided by a decision.
    pub voided: bool,
}

/// What came before the sales at hand, for rules that look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prefix {
    /// How many sales of the customer came before.
    pub count: u32,
    /// When the customer's first sale was, ms UTC, if any came before.
    pub first_at: Option<i64>,
}

/// Why a sale earns nothing, or that it earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It earns the target.
    Earns,
    /// Nobody brought it.
    NoPartner,
    /// The partner was suspended at the time.
    PartnerSuspended,
    /// The customer was archived at the time.
    CustomerArchived,
    /// The program had no terms.
    NoTerms,
    /// Beyond the first N sales.
    BeyondFirstSales,
    /// Beyond the N months.
    BeyondMonths,
    /// The base is below the minimum.
    BelowMinimum,
    /// Everything was given back.
    FullyRefunded,
    /// Nothing is left after a dispute.
    LostInDispute,
    /// Stripe has not said its fee yet.
    AwaitingFee,
    /// Stripe has not said what was bought yet.
    AwaitingLines,
    /// Stripe has not said yet how much was paid outside of it.
    AwaitingOffStripe,
    /// It was paid outside of Stripe, and the terms do not count that.
    PaidOffStripe,
    /// Nothing is left of the base.
    NoBase,
    /// Rejected or voided.
    Voided,
    /// The API said that it earns nothing.
    NotRewardable,
    /// The figures are too large to be computed exactly.
    TooLarge,
}

impl Outcome {
    /// The reason in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Earns => "earns",
            Self::NoPartner => "no partner brought this customer",
            Self::PartnerSuspended => "the partner was suspended when the sale happened",
            Self::CustomerArchived => "the customer was archived when the sale happened",
            Self::NoTerms => "the program had no terms when the sale happened",
            Self::BeyondFirstSales => "beyond the number of sales that earn",
            Self::BeyondMonths => "beyond the months in which sales earn",
            Self::BelowMinimum => "the base is below the program's minimum",
            Self::FullyRefunded => "everything was refunded",
            Self::LostInDispute => "the payment was lost in a dispute",
            Self::AwaitingFee => "Stripe has not said its fee yet, and the terms leave it out",
            Self::AwaitingLines => "Stripe has not listed what was bought yet, and products have rules",
            Self::AwaitingOffStripe => {
                "Stripe has not said yet how much was paid outside of it, and the terms leave that out"
            }
            Self::PaidOffStripe => "it was paid outside of Stripe, which the terms do not count",
            Self::NoBase => "nothing is left of the base",
            Self::Voided => "voided by a decision",
            Self::NotRewardable => "marked as not rewardable by the API",
            Self::TooLarge => "the amounts are too large to be computed exactly",
        }
    }
}

/// The sum, step by step. Amounts are minor units; fractions are `n/d` as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Total of the purchase.
    pub total: i64,
    /// Tax taken off (0 if the terms keep it in).
    pub tax: i64,
    /// Tax that the terms keep in.
    pub tax_kept: i64,
    /// Shipping taken off (0 if the terms keep it in).
    pub shipping: i64,
    /// Paid of the total, as far as the terms count it.
    pub paid: i64,
    /// Paid outside of Stripe, and not counted.
    pub off_stripe: i64,
    /// Stripe's fee taken off, exactly, in the sale's currency; `None` if the terms keep it in.
    pub fee: Option<String>,
    /// Why (a part of) the fee was not taken off, or how it was converted; empty otherwise.
    pub fee_note: String,
    /// The base, exactly.
    pub base: String,
    /// The version of the terms, if any was in force.
    pub terms_version: Option<u32>,
    /// The terms in words.
    pub terms_sentence: String,
    /// The rate in parts per million, for percentages.
    pub rate_ppm: Option<i64>,
    /// The reward that a call of the API gave in the place of the terms', minor units.
    #[serde(default)]
    pub given: Option<i64>,
    /// Before refunds, exactly.
    pub earned: String,
    /// Was the cap reached?
    pub capped: bool,
    /// Kept of the captured: numerator.
    pub kept: i64,
    /// Kept of the captured: denominator.
    pub captured: i64,
    /// Of what was not kept, what disputes took.
    pub lost: i64,
    /// Line by line, where products have rules of their own.
    pub lines: Vec<LineTrace>,
    /// What the lines add up to, where that is not what the sale says; the sale's figure counts.
    pub lines_differ: Option<i64>,
    /// The exact target before rounding.
    pub exact: String,
    /// The sale's place among the customer's sales, from 1.
    pub place: u32,
}

/// What one sale must have earned in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The sale's root.
    pub root_id: String,
    /// Who earns (our id); `None` with an amount of 0.
    pub partner_id: Option<String>,
    /// Minor units of `currency`, ≥ 0.
    pub amount: i64,
    /// What it would be had nothing been given back, minor units: the digest's “earned”.
    pub gross: i64,
    /// The sale's currency, or the fixed reward's.
    pub currency: Currency,
    /// When it becomes payable, ms UTC: a function of sale and terms.
    pub payable_at: i64,
    /// Why.
    pub outcome: Outcome,
    /// The sum.
    pub trace: Trace,
}

/// Settles the sales of one customer, given in order of (occurred_at, root id).
#[must_use]
pub fn settle(sales: &[SettleSale], versions: &[TermsVersion], prefix: Prefix) -> Vec<Target> {
    debug_assert!(
        sales.is_sorted_by(|a, b| (a.occurred_at, &a.root_id) < (b.occurred_at, &b.root_id)),
        "settle sales in order of (occurred_at, root id)"
    );
    let mut place = prefix.count;
    let mut first_at = prefix.first_at;
    let mut targets = Vec::with_capacity(sales.len());
    for sale in sales {
        // A voided sale takes no place; a refunded one still uses up its own.
        if !sale.voided {
            place = place.saturating_add(1);
            first_at = first_at.or(Some(sale.occurred_at));
        }
        targets.push(target(sale, versions, place, first_at.unwrap_or(sale.occurred_at)));
    }
    targets
}

fn target(sale: &SettleSale, versions: &[TermsVersion], place: u32, first_at: i64) -> Target {
    let version = in_force(versions, sale.occurred_at);
    let hold_days = version.map_or(0, |version| version.terms.hold_days);
    // Known before any refusal: a commission that falls to 0 falls in the currency in which it stood.
    let currency = match version.map(|version| &version.terms.reward) {
        Some(Reward::Fixed { currency, .. }) if sale.fixed_reward.is_none() => *currency,
        _ => sale.currency,
    };
    let mut target = Target {
        root_id: sale.root_id.clone(),
        partner_id: sale.partner_id.clone(),
        amount: 0,
        gross: 0,
        currency,
        payable_at: sale.occurred_at.saturating_add(i64::from(hold_days).saturating_mul(DAY_MS)),
        outcome: Outcome::Earns,
        trace: base::trace(sale, version, place),
    };
    target.outcome = match refusal(sale, version, place, first_at) {
        Some(reason) => reason,
        None => match version {
            Some(version) if given::alone(sale) => {
                given::compute(sale, &version.terms, &mut target).unwrap_or(Outcome::TooLarge)
            }
            Some(version) => compute(sale, &version.terms, &mut target).unwrap_or(Outcome::TooLarge),
            None => Outcome::NoTerms,
        },
    };
    target
}

/// Reasons that need no sum.
fn refusal(sale: &SettleSale, version: Option<&TermsVersion>, place: u32, first_at: i64) -> Option<Outcome> {
    if sale.voided {
        return Some(Outcome::Voided);
    }
    if sale.partner_id.is_none() {
        return Some(Outcome::NoPartner);
    }
    if sale.suspended {
        return Some(Outcome::PartnerSuspended);
    }
    if sale.archived {
        return Some(Outcome::CustomerArchived);
    }
    if !sale.rewardable {
        return Some(Outcome::NotRewardable);
    }
    let Some(version) = version else { return Some(Outcome::NoTerms) };
    match version.terms.duration {
        Duration::FirstSales { count } if place > count => Some(Outcome::BeyondFirstSales),
        Duration::Months { count } if sale.occurred_at >= months_after(first_at, count) => {
            Some(Outcome::BeyondMonths)
        }
        _ => None,
    }
}

fn compute(sale: &SettleSale, terms: &Terms, target: &mut Target) -> Result<Outcome, MoneyError> {
    if !base::accepted(sale) {
        return Err(MoneyError::TooLarge);
    }
    if terms.exclude_fee && sale.detail.fees.is_none() {
        return Ok(Outcome::AwaitingFee);
    }
    if terms.wants().lines && sale.detail.lines.is_none() && sale.fixed_reward.is_none() {
        return Ok(Outcome::AwaitingLines);
    }
    if terms.exclude_off_stripe && sale.detail.off_unknown {
        return Ok(Outcome::AwaitingOffStripe);
    }
    let base = base::base(sale, terms, &mut target.trace)?;
    target.trace.base = base.to_text();
    let in_sale_currency =
        |limit: Option<crate::terms::Amount>| limit.filter(|limit| limit.currency == sale.currency);
    if in_sale_currency(terms.minimum).is_some_and(|minimum| base.is_below(minimum.amount)) {
        return Ok(Outcome::BelowMinimum);
    }
    if base.is_zero() && sale.fixed_reward.is_none() {
        let off = target.trace.off_stripe > 0 && target.trace.paid == 0;
        return Ok(if off { Outcome::PaidOffStripe } else { Outcome::NoBase });
    }
    let shares = products::shares(sale, terms, base, target.currency)?;
    let mut earned = match (&sale.fixed_reward, &terms.reward, &shares) {
        (Some(amount), ..) => Fraction::whole((*amount).max(0)),
        (None, _, Some(shares)) => shares.total,
        (None, Reward::Percent { rate }, None) => {
            target.trace.rate_ppm = Some(rate.ppm());
            base.times(rate.ppm(), crate::money::PPM)?
        }
        (None, Reward::Fixed { amount, .. }, None) => Fraction::whole((*amount).max(0)),
    };
    if let Some(cap) = terms.cap.filter(|cap| cap.currency == target.currency) {
        let capped = earned.at_most(cap.amount.max(0));
        target.trace.capped = capped != earned;
        earned = capped;
    }
    target.trace.earned = earned.to_text();
    target.gross = earned.round_half_even()?;
    let exact = if target.trace.captured <= 0 || target.trace.kept <= 0 {
        Fraction::whole(0)
    } else {
        earned.times(target.trace.kept, target.trace.captured)?
    };
    target.trace.exact = exact.to_text();
    target.amount = exact.round_half_even()?;
    if let Some(shares) = shares.filter(|_| sale.fixed_reward.is_none()) {
        target.trace.lines_differ = shares.differ;
        target.trace.lines = shares.told(exact, target.amount);
    }
    Ok(if target.trace.kept > 0 && target.trace.captured > 0 {
        Outcome::Earns
    } else if sale.lost > 0 {
        Outcome::LostInDispute
    } else {
        Outcome::FullyRefunded
    })
}

#[cfg(test)]
#[path = "settlement_tests.rs"]
mod tests;
