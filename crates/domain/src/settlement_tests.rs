use super::*;
use crate::money::Rate;
use crate::sale::{Fee, Line};
use crate::terms::{Amount, ProductRule};
use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::{One, Signed, ToPrimitive, Zero};
use proptest::prelude::*;

type Exact = Ratio<BigInt>;

/// 1 January 2025, ms UTC.
const T: i64 = 1_735_689_600_000;

fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}
fn eur() -> Currency {
    Currency::parse("eur").unwrap()
}

fn sale(total: i64, tax: i64) -> SettleSale {
    SettleSale {
        root_id: "in_1".into(),
        occurred_at: T,
        currency: usd(),
        total,
        tax,
        shipping: 0,
        paid: total,
        captured: total,
        refunded: 0,
        lost: 0,
        detail: Detail::default(),
        partner_id: Some("ptr_1".into()),
        suspended: false,
        archived: false,
        rewardable: true,
        fixed_reward: None,
        voided: false,
    }
}

fn percent(ppm: i64) -> Terms {
    Terms::percent_for_life(Rate::from_ppm(ppm).unwrap())
}

fn always(terms: Terms) -> Vec<TermsVersion> {
    vec![TermsVersion { version: 1, from_ms: None, terms }]
}

fn one(sale: SettleSale, terms: Terms) -> Target {
    settle(&[sale], &always(terms), Prefix::default()).remove(0)
}

// ---- The slow oracle: the rules written a second time, in unbounded fractions ----

fn whole(value: i64) -> Exact {
    Exact::from_integer(BigInt::from(value))
}

fn half_even(value: &Exact) -> BigInt {
    let half = Exact::new(BigInt::one(), BigInt::from(2));
    let up = (value + &half).floor();
    // On a tie value + 1/2 is whole; the even one of the two neighbours is wanted.
    let tie = (value + &half).is_integer();
    let up = up.to_integer();
    if tie && (&up % BigInt::from(2)).abs() == BigInt::one() { up - BigInt::one() } else { up }
}

/// Days since 1970 to (year, month, day).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn slow_months_after(at: i64, months: i64) -> i64 {
    let (year, month, day) = civil(at.div_euclid(DAY_MS));
    let count = year * 12 + month - 1 + months;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    days(year, month, day.min(length)) * DAY_MS + at.rem_euclid(DAY_MS)
}

/// (amount, gross) of every sale.
fn slow(sales: &[SettleSale], versions: &[TermsVersion]) -> Vec<(BigInt, BigInt)> {
    let counted: Vec<&SettleSale> = sales.iter().filter(|sale| !sale.voided).collect();
    sales
        .iter()
        .map(|sale| {
            let nothing = (BigInt::zero(), BigInt::zero());
            let version = versions.iter().rfind(|v| v.from_ms.is_none_or(|from| from <= sale.occurred_at));
            let Some(TermsVersion { terms, .. }) = version else { return nothing };
            if sale.voided || sale.partner_id.is_none() || sale.suspended || !sale.rewardable {
                return nothing;
            }
            let place = counted.iter().position(|other| other.root_id == sale.root_id).unwrap() + 1;
            let first = counted[0].occurred_at;
            let beyond = match terms.duration {
                Duration::FirstSales { count } => place > count as usize,
                Duration::Months { count } => sale.occurred_at >= slow_months_after(first, count.into()),
                Duration::Lifetime => false,
            };
            if beyond {
                return nothing;
            }
            let shipping = if terms.exclude_shipping { sale.shipping } else { 0 };
            let tax = if terms.include_tax { 0 } else { sale.tax };
            let net = (whole(sale.total) - whole(tax) - whole(shipping)).max(whole(0));
            let base = net * whole(sale.paid) / whole(sale.total);
            let same = |limit: &Amount, currency| limit.currency == currency;
            if terms
                .minimum
                .as_ref()
                .filter(|m| same(m, sale.currency))
                .is_some_and(|m| base < whole(m.amount))
            {
                return nothing;
            }
            let (mut earned, currency) = match (sale.fixed_reward, &terms.reward) {
                (Some(amount), _) => (whole(amount), sale.currency),
                (None, _) if base.is_zero() => return nothing,
                (None, Reward::Percent { rate }) => {
                    (base * whole(rate.ppm()) / whole(1_000_000), sale.currency)
                }
                (None, Reward::Fixed { amount, currency }) => (whole(*amount), *currency),
            };
            if let Some(cap) = terms.cap.as_ref().filter(|cap| same(cap, currency)) {
                earned = earned.min(whole(cap.amount));
            }
            let kept = whole(sale.captured - sale.refunded.min(sale.captured));
            (half_even(&(&earned * kept / whole(sale.captured))), half_even(&earned))
        })
        .collect()
}

// ---- Generators ----

/// 1 to 10^`digits`, every size as likely as another.
fn amount(digits: u32) -> impl Strategy<Value = i64> {
    (0..=digits).prop_flat_map(|power| 1..=10_i64.pow(power))
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop_oneof![3 => Just(usd()), 1 => Just(eur())]
}

fn limit(digits: u32) -> impl Strategy<Value = Option<Amount>> {
    let amount = (prop_oneof![4 => amount(digits), 1 => Just(0)], any_currency());
    proptest::option::of(amount.prop_map(|(amount, currency)| Amount { amount, currency }))
}

fn any_terms(digits: u32) -> impl Strategy<Value = Terms> {
    let reward = prop_oneof![
        3 => (0..=1_000_000_i64).prop_map(|ppm| Reward::Percent { rate: Rate::from_ppm(ppm).unwrap() }),
        1 => (amount(digits), any_currency()).prop_map(|(amount, currency)| Reward::Fixed { amount, currency }),
    ];
    let duration = prop_oneof![
        2 => Just(Duration::Lifetime),
        1 => (1..6_u32).prop_map(|count| Duration::FirstSales { count }),
        1 => (1..15_u32).prop_map(|count| Duration::Months { count }),
    ];
    let minimum = limit(digits.min(4));
    let base = (any::<bool>(), any::<bool>());
    (reward, duration, 0..=730_u32, base, minimum, limit(digits)).prop_map(
        |(reward, duration, hold_days, (exclude_shipping, include_tax), minimum, cap)| Terms {
            reward,
            duration,
            hold_days,
            exclude_shipping,
            include_tax,
            exclude_fee: false,
            exclude_off_stripe: false,
            products: Vec::new(),
            minimum,
            cap,
        },
    )
}

/// How what was captured relates to what was paid.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Captured is paid, as Stripe tells of nearly every sale.
    Usual,
    /// Each amount for itself.
    Free,
}

fn part(whole: i64) -> impl Strategy<Value = i64> {
    prop_oneof![2 => Just(0), 1 => Just(whole), 3 => 0..=whole]
}

fn any_sale(digits: u32, shape: Shape) -> impl Strategy<Value = SettleSale> {
    let amounts = (amount(digits), amount(digits)).prop_flat_map(move |(total, captured)| {
        let paid = prop_oneof![2 => Just(total), 1 => 1..=total];
        (Just(total), part(total), part(total / 8), paid, Just(captured)).prop_flat_map(
            move |(total, tax, shipping, paid, captured)| {
                let captured = match shape {
                    Shape::Usual => paid,
                    Shape::Free => captured,
                };
                (
                    Just((total, tax, shipping, paid, captured)),
                    prop_oneof![3 => part(captured), 1 => Just(captured)],
                )
            },
        )
    });
    let flags = (0..12_u8, proptest::option::weighted(0.1, amount(digits.min(9))), any_currency());
    // Twenty days apart at most: some in one instant, some beyond the months.
    (amounts, flags, 0..40_i64).prop_map(|((amounts, refunded), (flag, fixed_reward, currency), step)| {
        let (total, tax, shipping, paid, captured) = amounts;
        SettleSale {
            root_id: String::new(),
            occurred_at: T + step * 20 * DAY_MS,
            currency,
            total,
            tax,
            shipping,
            paid,
            captured,
            refunded,
            lost: 0,
            detail: Detail::default(),
            partner_id: (flag != 0).then(|| format!("ptr_{}", flag % 3)),
            suspended: flag == 1,
            archived: false,
            rewardable: flag != 2,
            fixed_reward,
            voided: flag == 3,
        }
    })
}

fn in_order(mut sales: Vec<SettleSale>) -> Vec<SettleSale> {
    for (number, sale) in sales.iter_mut().enumerate() {
        sale.root_id = format!("in_{:02}", (number * 7) % 31);
    }
    sales.sort_by(|a, b| (a.occurred_at, &a.root_id).cmp(&(b.occurred_at, &b.root_id)));
    sales
}

fn history(digits: u32, shape: Shape) -> impl Strategy<Value = Vec<SettleSale>> {
    proptest::collection::vec(any_sale(digits, shape), 1..9).prop_map(in_order)
}

fn versions(digits: u32) -> impl Strategy<Value = Vec<TermsVersion>> {
    (any_terms(digits), proptest::option::of((any_terms(digits), 0..40_i64)), any::<bool>()).prop_map(
        |(first, second, begins)| {
            let mut versions =
                vec![TermsVersion { version: 1, from_ms: begins.then_some(T + 20 * DAY_MS), terms: first }];
            versions.extend(second.map(|(terms, step)| TermsVersion {
                version: 2,
                from_ms: Some(T + (21 + step * 20) * DAY_MS),
                terms,
            }));
            versions
        },
    )
}

fn compare_with_oracle(sales: &[SettleSale], versions: &[TermsVersion], may_be_too_large: bool) {
    let targets = settle(sales, versions, Prefix::default());
    for ((target, (amount, gross)), sale) in targets.iter().zip(slow(sales, versions)).zip(sales) {
        if target.outcome == Outcome::TooLarge {
            assert!(may_be_too_large, "{sale:?}");
            assert_eq!(target.amount, 0);
            continue;
        }
        assert_eq!(BigInt::from(target.amount), amount, "amount of {sale:?}: {target:?}");
        assert_eq!(BigInt::from(target.gross), gross, "gross of {sale:?}: {target:?}");
        assert_eq!(target.root_id, sale.root_id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn targets_equal_the_oracle_up_to_10_to_the_12(
        sales in history(12, Shape::Usual), versions in versions(12)
    ) {
        compare_with_oracle(&sales, &versions, false);
    }

    #[test]
    fn targets_equal_the_oracle_where_every_amount_differs(
        sales in history(10, Shape::Free), versions in versions(10)
    ) {
        compare_with_oracle(&sales, &versions, false);
    }

    #[test]
    fn targets_up_to_the_limit_are_exact_or_refused(
        sales in history(15, Shape::Free), versions in versions(15)
    ) {
        compare_with_oracle(&sales, &versions, true);
    }

    #[test]
    fn a_target_lies_between_nothing_and_its_gross(
        sales in history(15, Shape::Free), versions in versions(12)
    ) {
        for target in settle(&sales, &versions, Prefix::default()) {
            prop_assert!(0 <= target.amount && target.amount <= target.gross, "{:?}", target);
            prop_assert!(target.outcome == Outcome::Earns || target.amount == 0);
        }
    }

    #[test]
    fn more_refunded_never_raises_the_target(
        sale in any_sale(12, Shape::Usual), terms in any_terms(12), more in 0..=1_000_000_000_000_i64
    ) {
        let worse = SettleSale { refunded: sale.refunded.saturating_add(more), ..sale.clone() };
        prop_assert!(one(worse, terms.clone()).amount <= one(sale, terms).amount);
    }

    #[test]
    fn a_full_refund_nets_to_zero(sale in any_sale(15, Shape::Free), terms in any_terms(12)) {
        let back = SettleSale { refunded: sale.captured, ..sale };
        prop_assert_eq!(one(back, terms).amount, 0);
    }

    #[test]
    fn a_history_settles_the_same_in_two_parts(
        sales in history(10, Shape::Usual), versions in versions(10), cut in 0..9_usize
    ) {
        let (before, after) = sales.split_at(cut.min(sales.len()));
        let counted: Vec<_> = before.iter().filter(|sale| !sale.voided).collect();
        let prefix = Prefix {
            count: u32::try_from(counted.len()).unwrap(),
            first_at: counted.first().map(|sale| sale.occurred_at),
        };
        let mut parts = settle(before, &versions, Prefix::default());
        parts.extend(settle(after, &versions, prefix));
        prop_assert_eq!(parts, settle(&sales, &versions, Prefix::default()));
    }

    #[test]
    fn arrival_does_not_show(
        (sales, shuffled) in history(10, Shape::Usual).prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())),
        versions in versions(10)
    ) {
        let mut sorted = shuffled;
        sorted.sort_by(|a, b| (a.occurred_at, &a.root_id).cmp(&(b.occurred_at, &b.root_id)));
        prop_assert_eq!(settle(&sorted, &versions, Prefix::default()), settle(&sales, &versions, Prefix::default()));
    }

    #[test]
    fn what_is_explained_is_what_was_computed(sale in any_sale(10, Shape::Usual), terms in any_terms(10)) {
        let target = one(sale.clone(), terms);
        if target.outcome == Outcome::Earns {
            let exact: Exact = target.trace.exact.parse().unwrap();
            prop_assert_eq!(half_even(&exact).to_i64(), Some(target.amount));
            let earned: Exact = target.trace.earned.parse().unwrap();
            prop_assert_eq!(earned * whole(target.trace.kept) / whole(target.trace.captured), exact);
            prop_assert_eq!(target.trace.kept, sale.captured - sale.refunded);
        }
    }

    #[test]
    fn months_equal_the_oracle(at in -3_000_000_000_000..6_000_000_000_000_i64, months in 0..1_201_u32) {
        prop_assert_eq!(months_after(at, months), slow_months_after(at, months.into()));
    }
}

#[test]
fn a_percentage_of_the_net_in_one_rounding() {
    // 30 % of (119.99 − 19.16) = 30.249
    let target = one(sale(11_999, 1_916), percent(300_000));
    assert_eq!((target.amount, target.gross, target.outcome), (3_025, 3_025, Outcome::Earns));
    assert_eq!((target.trace.base.as_str(), target.trace.exact.as_str()), ("10083", "30249/10"));
    // Twice a third given back: 30249/10 × 1/3 rounds once, not twice.
    let part = SettleSale { captured: 3, refunded: 2, ..sale(11_999, 1_916) };
    assert_eq!(one(part, percent(300_000)).amount, 1_008);
}

#[test]
fn halves_go_to_the_even_neighbour() {
    let of = |base| one(sale(base, 0), percent(500_000)).amount;
    assert_eq!([of(1), of(3), of(5), of(7)], [0, 2, 2, 4]);
}

#[test]
fn the_cap_comes_before_the_kept_share() {
    let mut terms = percent(500_000);
    terms.cap = Some(Amount { amount: 1_000, currency: usd() });
    let half_back = SettleSale { refunded: 5_000, ..sale(10_000, 0) };
    let target = one(half_back.clone(), terms.clone());
    assert_eq!((target.amount, target.gross, target.trace.capped), (500, 1_000, true));
    // A cap in another currency touches nothing.
    terms.cap = Some(Amount { amount: 1_000, currency: eur() });
    let target = one(half_back, terms.clone());
    assert_eq!((target.amount, target.trace.capped), (2_500, false));
    // A commission of exactly the cap was not capped.
    terms.cap = Some(Amount { amount: 5_000, currency: usd() });
    assert!(!one(sale(10_000, 0), terms).trace.capped);
}

#[test]
fn the_minimum_looks_at_the_base_before_refunds() {
    let mut terms = percent(100_000);
    terms.minimum = Some(Amount { amount: 10_000, currency: usd() });
    assert_eq!(one(sale(9_999, 0), terms.clone()).outcome, Outcome::BelowMinimum);
    assert_eq!(one(sale(10_000, 0), terms.clone()).amount, 1_000);
    let refunded = SettleSale { refunded: 5_000, ..sale(10_000, 0) };
    assert_eq!(one(refunded, terms.clone()).amount, 500);
    // 10,001 at 99.99 % paid is a hair below.
    let hair = SettleSale { paid: 9_999, captured: 9_999, ..sale(10_001, 0) };
    assert_eq!(one(hair, terms.clone()).outcome, Outcome::BelowMinimum);
    let euros = SettleSale { currency: eur(), ..sale(5, 0) };
    assert_eq!(one(euros, terms).outcome, Outcome::Earns);
}

#[test]
fn a_fixed_reward_is_in_its_own_currency_and_scales_with_refunds() {
    let mut terms = percent(0);
    terms.reward = Reward::Fixed { amount: 2_000, currency: eur() };
    let target = one(SettleSale { refunded: 2_500, ..sale(10_000, 0) }, terms.clone());
    assert_eq!((target.amount, target.gross, target.currency), (1_500, 2_000, eur()));
    // Also where it is refused or falls to nothing, so that what stood before is taken back in its currency.
    for gone in [
        SettleSale { voided: true, ..sale(10_000, 0) },
        SettleSale { partner_id: None, ..sale(10_000, 0) },
        SettleSale { refunded: 10_000, ..sale(10_000, 0) },
        sale(10_000, 10_000),
    ] {
        let target = one(gone, terms.clone());
        assert_eq!((target.amount, target.currency), (0, eur()), "{:?}", target.outcome);
    }
    let api = SettleSale { fixed_reward: Some(70), ..sale(10_000, 0) };
    let target = one(api, terms);
    assert_eq!((target.amount, target.currency), (70, usd()));
}

#[test]
fn a_reward_given_without_an_amount_stands_whole() {
    let given = || SettleSale { fixed_reward: Some(1_234), ..sale(0, 0) };
    let mut terms = percent(300_000);
    terms.minimum = Some(Amount { amount: 5_000, currency: usd() });
    let target = one(given(), terms.clone());
    assert_eq!((target.amount, target.gross, target.currency), (1_234, 1_234, usd()));
    assert_eq!(
        (target.outcome, target.trace.given, target.trace.rate_ppm),
        (Outcome::Earns, Some(1_234), None)
    );
    assert_eq!((target.trace.base.as_str(), target.trace.exact.as_str()), ("0", "1234"));
    // The cap holds, and so does every reason that needs no sum.
    terms.cap = Some(Amount { amount: 1_000, currency: usd() });
    let target = one(given(), terms.clone());
    assert_eq!((target.amount, target.trace.capped), (1_000, true));
    for (sale, outcome) in [
        (SettleSale { voided: true, ..given() }, Outcome::Voided),
        (SettleSale { partner_id: None, ..given() }, Outcome::NoPartner),
        (SettleSale { rewardable: false, ..given() }, Outcome::NotRewardable),
        (SettleSale { fixed_reward: Some(i64::MAX), ..given() }, Outcome::TooLarge),
    ] {
        let target = one(sale, terms.clone());
        assert_eq!((target.amount, target.outcome), (0, outcome));
    }
    // With an amount that was given back, the reward goes with it as before.
    let back = SettleSale { captured: 100, refunded: 100, total: 100, paid: 100, ..given() };
    assert_eq!(one(back, percent(300_000)).outcome, Outcome::FullyRefunded);
}

#[test]
fn a_sale_that_earns_nothing_says_why() {
    let terms = || percent(200_000);
    let whole = || sale(10_000, 0);
    let cases = [
        (SettleSale { voided: true, ..whole() }, Outcome::Voided),
        (SettleSale { partner_id: None, ..whole() }, Outcome::NoPartner),
        (SettleSale { suspended: true, ..whole() }, Outcome::PartnerSuspended),
        (SettleSale { archived: true, ..whole() }, Outcome::CustomerArchived),
        (SettleSale { rewardable: false, ..whole() }, Outcome::NotRewardable),
        (SettleSale { refunded: 10_000, ..whole() }, Outcome::FullyRefunded),
        (SettleSale { refunded: 99_000, ..whole() }, Outcome::FullyRefunded),
        (sale(10_000, 10_000), Outcome::NoBase),
        (SettleSale { shipping: 10_000, ..whole() }, Outcome::NoBase),
        (SettleSale { paid: 0, ..whole() }, Outcome::NoBase),
        (SettleSale { total: 0, paid: 0, ..whole() }, Outcome::NoBase),
        (SettleSale { total: i64::MAX, ..whole() }, Outcome::TooLarge),
        (SettleSale { fixed_reward: Some(i64::MAX), ..whole() }, Outcome::TooLarge),
    ];
    for (sale, outcome) in cases {
        let target = one(sale, terms());
        assert_eq!((target.outcome, target.amount), (outcome, 0));
    }
    assert_eq!(settle(&[whole()], &[], Prefix::default())[0].outcome, Outcome::NoTerms);
    let later = [TermsVersion { version: 1, from_ms: Some(T + 1), terms: terms() }];
    assert_eq!(settle(&[whole()], &later, Prefix::default())[0].outcome, Outcome::NoTerms);
}

fn at_days(days: &[i64]) -> Vec<SettleSale> {
    in_order(days.iter().map(|day| SettleSale { occurred_at: T + day * DAY_MS, ..sale(1_000, 0) }).collect())
}

#[test]
fn the_first_sales_are_the_first_by_time_and_refunded_ones_keep_their_place() {
    let mut terms = percent(100_000);
    terms.duration = Duration::FirstSales { count: 2 };
    let mut sales = at_days(&[3, 1, 2, 4]);
    sales[0].refunded = 1_000;
    let got = |sales: &[SettleSale]| -> Vec<(i64, u32)> {
        let targets = settle(sales, &always(terms.clone()), Prefix::default());
        targets.iter().map(|target| (target.amount, target.trace.place)).collect()
    };
    assert_eq!(got(&sales), [(0, 1), (100, 2), (0, 3), (0, 4)]);
    // A voided one never was a sale.
    sales[0].voided = true;
    assert_eq!(got(&sales), [(0, 0), (100, 1), (100, 2), (0, 3)]);
}

#[test]
fn months_run_from_the_first_sale_and_end_before_their_last_instant() {
    let mut terms = percent(100_000);
    terms.duration = Duration::Months { count: 1 };
    let sales = at_days(&[0, 30, 31, 40]);
    let targets = settle(&sales, &always(terms.clone()), Prefix::default());
    assert_eq!(targets.iter().map(|t| t.amount).collect::<Vec<_>>(), [100, 100, 0, 0]);
    assert_eq!(targets[2].outcome, Outcome::BeyondMonths);
    // Also where the first sale lies before the part at hand.
    let prefix = Prefix { count: 1, first_at: Some(T - DAY_MS) };
    let targets = settle(&sales[1..2], &always(terms), prefix);
    assert_eq!((targets[0].outcome, targets[0].trace.place), (Outcome::BeyondMonths, 2));
}

#[test]
fn each_sale_earns_under_the_terms_of_its_day() {
    let versions = [
        TermsVersion { version: 1, from_ms: None, terms: percent(100_000) },
        TermsVersion { version: 2, from_ms: Some(T + 2 * DAY_MS), terms: percent(200_000) },
    ];
    let targets = settle(&at_days(&[1, 2, 3]), &versions, Prefix::default());
    let got: Vec<_> = targets.iter().map(|t| (t.amount, t.trace.terms_version)).collect();
    assert_eq!(got, [(100, Some(1)), (200, Some(2)), (200, Some(2))]);
}

#[test]
fn payable_is_the_sale_and_its_hold() {
    let mut terms = percent(1);
    terms.hold_days = 45;
    assert_eq!(one(sale(1, 0), terms).payable_at, T + 45 * DAY_MS);
}

#[test]
fn shipping_stays_in_the_base_where_the_terms_say_so() {
    let shipped = SettleSale { shipping: 1_000, ..sale(10_000, 2_000) };
    let mut terms = percent(100_000);
    assert_eq!(one(shipped.clone(), terms.clone()).amount, 700);
    terms.exclude_shipping = false;
    let target = one(shipped, terms);
    assert_eq!((target.amount, target.trace.shipping), (800, 0));
}

#[path = "settlement_shapes_tests.rs"]
mod shapes;
