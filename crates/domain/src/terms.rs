//! Terms: one reward rule at one dated version.

use crate::money::{Currency, MoneyError, Rate, in_range};
use serde::{Deserialize, Serialize};

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
/// The most product rules in one version of terms.
pub const PRODUCT_RULES_MAX: usize = 200;
/// The longest hold, days.
pub const HOLD_DAYS_MAX: u32 = 730;

/// What a sale earns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reward {
    /// A share of the base.
    Percent {
        /// Parts per million.
        rate: Rate,
    },
    /// A fixed amount a sale.
    Fixed {
        /// Minor units, above 0.
        amount: i64,
        /// Its currency, whatever the sale's.
        currency: Currency,
    },
}

/// What a product earns in place of the reward of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductRule {
    /// Stripe's product (`prod_…`).
    pub product: String,
    /// What it earns; `None` is nothing.
    pub reward: Option<Reward>,
}

/// For how long a customer's sales earn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Duration {
    /// The first N sales; once is N = 1.
    FirstSales {
        /// 1 to 10,000.
        count: u32,
    },
    /// The sales in the N calendar months that begin with the customer's first sale.
    Months {
        /// 1 to 1,200.
        count: u32,
    },
    /// Every sale.
    Lifetime,
}

/// An amount in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Minor units.
    pub amount: i64,
    /// Its currency; sales in another are not touched by it.
    pub currency: Currency,
}

/// One version of a program's reward rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What a sale earns.
    pub reward: Reward,
    /// For how long.
    pub duration: Duration,
    /// Review period in days, 0 to 730, from the sale.
    pub hold_days: u32,
    /// Is shipping left out of the base?
    #[serde(default = "yes")]
    pub exclude_shipping: bool,
    /// Is tax part of the base?
    #[serde(default, skip_serializing_if = "is_false")]
    pub include_tax: bool,
    /// Is what Stripe keeps of a payment left out of the base?
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclude_fee: bool,
    /// Is what was paid outside of Stripe left out?
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclude_off_stripe: bool,
    /// Products that earn something else, each at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductRule>,
    /// Sales whose base is below it earn nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Amount>,
    /// A commission is never more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Amount>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Terms with the dates between which they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsVersion {
    /// 1, 2, 3, …
    pub version: u32,
    /// From when (ms UTC, inclusive); the first version has no start.
    pub from_ms: Option<i64>,
    /// The rule.
    pub terms: Terms,
}

/// What is wrong with terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// An amount or rate is out of range.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A count is out of range.
    #[error("{field} must be between {min} and {max}; got {got}")]
    Range {
        /// Which.
        field: &'static str,
        /// Least.
        min: i64,
        /// Most.
        max: i64,
        /// What was given.
        got: i64,
    },
    /// A product rule that cannot be.
    #[error("the rule of product {product:?} cannot be: {why}")]
    Product {
        /// The product.
        product: String,
        /// What is wrong, and what is allowed.
        why: &'static str,
    },
}

impl Terms {
    /// A share of every sale, for life, with a hold of 30 days.
    #[must_use]
    pub const fn percent_for_life(rate: Rate) -> Self {
        Self {
            reward: Reward::Percent { rate },
            duration: Duration::Lifetime,
            hold_days: 30,
            exclude_shipping: true,
            include_tax: false,
            exclude_fee: false,
            exclude_off_stripe: false,
            products: Vec::new(),
            minimum: None,
            cap: None,
        }
    }

    /// Checks every figure.
    ///
    /// # Errors
    /// The first figure that is out of range.
    pub fn check(&self) -> Result<(), TermsError> {
        let range = |field, got: i64, min, max| {
            if (min..=max).contains(&got) { Ok(()) } else { Err(TermsError::Range { field, min, max, got }) }
        };
        if let Reward::Fixed { amount, .. } = &self.reward {
            range("reward.amount", *amount, 1, crate::money::AMOUNT_MAX)?;
        }
        match self.duration {
            Duration::FirstSales { count } => range("duration.count", count.into(), 1, 10_000)?,
            Duration::Months { count } => range("duration.count", count.into(), 1, 1_200)?,
            Duration::Lifetime => {}
        }
        range("hold_days", self.hold_days.into(), 0, HOLD_DAYS_MAX.into())?;
        for limit in [self.minimum, self.cap].into_iter().flatten() {
            if limit.amount < 0 || !in_range(limit.amount) {
                return Err(MoneyError::TooLarge.into());
            }
        }
        self.check_products()
    }

    fn check_products(&self) -> Result<(), TermsError> {
        let count = i64::try_from(self.products.len()).unwrap_or(i64::MAX);
        let max = i64::try_from(PRODUCT_RULES_MAX).unwrap_or(i64::MAX);
        if count > max {
            return Err(TermsError::Range { field: "products", min: 0, max, got: count });
        }
        let mut seen = std::collections::BTreeSet::new();
        for rule in &self.products {
            let wrong = |why| TermsError::Product { product: rule.product.chars().take(80).collect(), why };
            let plain = rule.product.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
            if !plain || rule.product.is_empty() || rule.product.len() > 255 {
                return Err(wrong("a product is Stripe's id of it, such as prod_Nx12"));
            }
            if !seen.insert(rule.product.as_str()) {
                return Err(wrong("it stands twice; give one rule for each product"));
            }
            if let Some(Reward::Fixed { amount, .. }) = &rule.reward
                && !(1..=crate::money::AMOUNT_MAX).contains(amount)
            {
                return Err(wrong("an amount is above 0 and at most 10^15 minor units"));
            }
        }
        Ok(())
    }

    /// What of a sale must be known before these terms can be applied, beyond its figures.
    #[must_use]
    pub const fn wants(&self) -> crate::sale::Wants {
        crate::sale::Wants {
            fees: self.exclude_fee,
            lines: !self.products.is_empty(),
            off_stripe: self.exclude_off_stripe,
        }
    }

    /// The reward of a product, and whether a rule of its own says it.
    #[must_use]
    pub fn reward_of(&self, product: &str) -> (Option<&Reward>, bool) {
        match self.products.iter().find(|rule| rule.product == product) {
            Some(rule) => (rule.reward.as_ref(), true),
            None => (Some(&self.reward), false),
        }
    }

    /// Does what a sale earns depend on the sales before it?
    #[must_use]
    pub const fn looks_back(&self) -> bool {
        !matches!(self.duration, Duration::Lifetime)
    }

    /// The rule in words, for pages and the portal: "30 % of every sale, for life".
    #[must_use]
    pub fn sentence(&self) -> String {
        let what = match &self.reward {
            percent @ Reward::Percent { .. } => format!("{} of", percent.words()),
            fixed @ Reward::Fixed { .. } => format!("{} for", fixed.words()),
        };
        let span = match self.duration {
            Duration::FirstSales { count: 1 } => "a customer's first sale".to_owned(),
            Duration::FirstSales { count } => format!("a customer's first {count} sales"),
            Duration::Months { count: 1 } => "every sale in a customer's first month".to_owned(),
            Duration::Months { count } => format!("every sale in a customer's first {count} months"),
            Duration::Lifetime => "every sale, for life".to_owned(),
        };
        format!("{what} {span}{}", self.base_words())
    }

    /// What differs from the usual base and reward, in words: "; tax counts, Stripe's fee does not".
    fn base_words(&self) -> String {
        let mut parts = Vec::new();
        if self.include_tax {
            parts.push("tax counts".to_owned());
        }
        if !self.exclude_shipping {
            parts.push("shipping counts".to_owned());
        }
        if self.exclude_fee {
            parts.push("Stripe's fee does not count".to_owned());
        }
        if self.exclude_off_stripe {
            parts.push("what was paid outside of Stripe does not count".to_owned());
        }
        match self.products.len() {
            0 => {}
            1 => parts.push("1 product has a rule of its own".to_owned()),
            count => parts.push(format!("{count} products have rules of their own")),
        }
        if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) }
    }
}

impl Reward {
    /// In words: "20 %", "5.00 USD".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Percent { rate } => rate.to_string(),
            Self::Fixed { amount, currency } => format!(
                "{} {}",
                crate::money::format_major(*amount, *currency),
                currency.as_str().to_ascii_uppercase()
            ),
        }
    }
}

/// The version in force at an instant (ms UTC): the last whose start is not after it. Versions without a start
/// hold from the beginning.
#[must_use]
pub fn in_force(versions: &[TermsVersion], at_ms: i64) -> Option<&TermsVersion> {
    versions
        .iter()
        .filter(|version| version.from_ms.is_none_or(|from| from <= at_ms))
        .max_by_key(|version| (version.from_ms.unwrap_or(i64::MIN), version.version))
}

/// `months` calendar months after `at_ms` (UTC); the last day of a shorter month where the day is missing.
#[must_use]
pub fn months_after(at_ms: i64, months: u32) -> i64 {
    let shifted = jiff::Timestamp::from_millisecond(at_ms).ok().and_then(|at| {
        let span = jiff::Span::new().try_months(i64::from(months)).ok()?;
        at.to_zoned(jiff::tz::TimeZone::UTC).checked_add(span).ok()
    });
    shifted.map_or(i64::MAX, |at| at.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_on_the_last_day_where_the_day_is_missing() {
        let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!(months_after(ms("2026-01-31T10:00:00Z"), 1), ms("2026-02-28T10:00:00Z"));
        assert_eq!(months_after(ms("2026-01-15T10:00:00Z"), 12), ms("2027-01-15T10:00:00Z"));
    }

    #[test]
    fn the_last_started_version_is_in_force() {
        let version = |version, from_ms| TermsVersion {
            version,
            from_ms,
            terms: Terms::percent_for_life(Rate::from_ppm(100_000).unwrap()),
        };
        let versions = [version(1, None), version(3, Some(200)), version(2, Some(100))];
        assert_eq!(in_force(&versions, 50).unwrap().version, 1);
        assert_eq!(in_force(&versions, 100).unwrap().version, 2);
        assert_eq!(in_force(&versions, 999).unwrap().version, 3);
    }

    #[test]
    fn terms_say_what_they_are() {
        let mut terms = Terms::percent_for_life(Rate::parse_percent("20%").unwrap());
        assert_eq!(terms.sentence(), "20 % of every sale, for life");
        terms.duration = Duration::Months { count: 12 };
        assert_eq!(terms.sentence(), "20 % of every sale in a customer's first 12 months");
        terms.hold_days = 731;
        assert!(terms.check().is_err());
    }
}
