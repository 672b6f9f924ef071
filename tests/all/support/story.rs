//! Stories with the money that they must bring, reckoned by exact fractions and nothing of the product.

use super::FakeStripe;
use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::{One as _, Signed as _, Zero as _};
use serde_json::Value;
use std::collections::BTreeMap;
use tributary_stripe::story::{self, Era, Objects, Plot};

type BigRational = Ratio<BigInt>;

/// The usual program's rate, in parts per million.
pub const RATE_PPM: i64 = 300_000;

/// A plot, the way it is told, and who earns.
#[derive(Debug, Clone)]
pub struct Story {
    /// What happens.
    pub plot: Plot,
    /// In which era.
    pub era: Era,
    /// A subscription with a renewal, or one purchase by Payment Link?
    pub subscription: bool,
    /// The partner who earns; `None` = nobody.
    pub partner: Option<&'static str>,
}

impl Story {
    /// The events in Stripe's order.
    pub fn events(&self) -> Vec<Value> {
        if self.subscription {
            story::subscription(self.era, &self.plot)
        } else {
            story::payment_link(self.era, &self.plot)
        }
    }

    /// Lets the double know what look-ups ask for. Stripe answers a request in the version that the request names,
    /// whatever the version of the events.
    pub fn put(&self, stripe: &FakeStripe) {
        let era = Era::Dahlia;
        let objects = Objects { era, plot: &self.plot };
        let purchases = if self.subscription { 2 } else { 1 };
        for n in 1..=purchases {
            let purchase = self.plot.purchase(n);
            stripe.put(objects.payment_intent(&purchase, self.subscription));
            let refunded = if n == 1 { self.plot.refund } else { 0 };
            stripe.put(objects.charge(&purchase, self.subscription, refunded));
            if self.subscription {
                stripe.put(objects.invoice(&purchase));
                if era.has_invoice_payments() {
                    stripe.put(objects.invoice_payment(&purchase));
                }
            }
            if n == 1 {
                stripe.put(objects.session(&purchase, self.subscription));
                if self.plot.refund > 0 {
                    stripe.put(objects.refund(&purchase, "succeeded"));
                }
            }
        }
        if self.subscription {
            stripe.put(objects.customer());
        }
    }

    /// What the partner earns: of each purchase the rate of what it brought without tax, by what was not given back.
    pub fn earned(&self) -> i64 {
        let (total, tax) = (self.plot.total, self.plot.tax);
        let first = commission(total - tax, total - self.plot.refund, total);
        first + if self.subscription { commission(total - tax, total, total) } else { 0 }
    }
}

/// base × rate × kept / captured, rounded half to even.
pub fn commission(base: i64, kept: i64, captured: i64) -> i64 {
    let number = |n: i64| BigRational::from_integer(BigInt::from(n));
    half_even(&(number(base) * number(RATE_PPM) / number(1_000_000) * number(kept) / number(captured)))
}

/// The same, where only a part of the total was paid: base × part × rate × kept / captured.
pub fn commission_of_a_part(base: i64, (paid, total): (i64, i64), kept: i64, captured: i64) -> i64 {
    let number = |n: i64| BigRational::from_integer(BigInt::from(n));
    let whole = number(base) * number(RATE_PPM) / number(1_000_000);
    half_even(&(whole * number(paid) / number(total) * number(kept) / number(captured)))
}

/// The nearest whole number; in the middle, the even one.
pub fn half_even(value: &BigRational) -> i64 {
    let two = BigInt::from(2);
    let whole = value.floor();
    let rest = value - &whole;
    let half = BigRational::new(BigInt::one(), two.clone());
    let up = rest > half || (rest == half && !(whole.to_integer() % &two).abs().is_zero());
    let whole = whole.to_integer() + if up { BigInt::one() } else { BigInt::zero() };
    i64::try_from(whole).expect("fits")
}

/// The sums of stories, as [`super::World::expect_totals`] takes them.
pub fn expected(stories: &[Story]) -> Vec<(&'static str, String, i64)> {
    let mut sums = BTreeMap::new();
    for story in stories {
        if let Some(partner) = story.partner {
            *sums.entry((partner, story.plot.currency.clone())).or_insert(0) += story.earned();
        }
    }
    sums.into_iter().map(|((partner, currency), amount)| (partner, currency, amount)).collect()
}

#[test]
fn the_oracle_rounds_half_to_even() {
    for (base, wanted) in [(0, 0), (1, 0), (5, 2), (15, 4), (25, 8), (35, 10), (10_000, 3000)] {
        assert_eq!(commission(base, 1, 1), wanted, "{base}");
    }
    assert_eq!(commission(10_000, 6000, 12_000), 1500);
    assert_eq!(commission(9999, 6666, 9999), 2000);
    assert_eq!(commission(777, 0, 777), 0);
}
