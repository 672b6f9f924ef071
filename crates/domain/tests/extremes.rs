//! Whatever stands in the facts, nothing panics, and what comes out keeps its bounds.

#![expect(clippy::unwrap_used, reason = "helpers of tests lie outside of test functions")]

use proptest::prelude::*;
use tributary_domain::fact::{Fact, Field, Kind, Value};
use tributary_domain::ledger::correction;
use tributary_domain::merge::ObjectState;
use tributary_domain::money::{AMOUNT_MAX, Currency, Fraction, Rate};
use tributary_domain::sale::{Detail, Fee, Line, Members, SaleView, read_sale};
use tributary_domain::settlement::{Outcome, Prefix, SettleSale, settle};
use tributary_domain::terms::{Amount, Duration, ProductRule, Reward, Terms, TermsVersion, months_after};

const NUMBERS: [Field; 34] = [
    Field::AmountDue,
    Field::PaidOffStripe,
    Field::PaidOutOfBand,
    Field::OffStripeTold,
    Field::OutOfBand,
    Field::PrePayment,
    Field::ShippingTax,
    Field::Fee,
    Field::Disputed,
    Field::DisputesListedAt,
    Field::LinesListedAt,
    Field::PresentmentAmount,
    Field::Created,
    Field::AmountTotal,
    Field::AmountTax,
    Field::AmountShipping,
    Field::AmountDiscount,
    Field::AmountPaid,
    Field::Total,
    Field::TotalExcludingTax,
    Field::TaxTotal,
    Field::ShippingExcludingTax,
    Field::PaidAt,
    Field::Amount,
    Field::AmountCaptured,
    Field::AmountRefunded,
    Field::AmountReceived,
    Field::Deleted,
    Field::Missing,
    Field::NoInvoicePayment,
    Field::NoSession,
    Field::RefundsListedAt,
    Field::ApiReward,
    Field::ApiRewardable,
];

/// Fields with the texts that steer the reading.
const TEXTS: [(Field, &[&str]); 22] = [
    (Field::Dispute, &["dp_1", ""]),
    (Field::Session, &["cs_1", ""]),
    (Field::DisputeStatus, &["won", "lost", "needs_response", "warning_closed", "later"]),
    (Field::CreditStatus, &["issued", "void", "later"]),
    (Field::ExchangeRate, &["1.1", "0.000000000000000001", "999999999999999999", "x", "0"]),
    (Field::Lines, &["[]", "[[\"il_1\",\"prod_1\",9223372036854775807,-1]]", "{", "[[1]]"]),
    (Field::Product, &["prod_1", ""]),
    (Field::PaymentType, &["payment_record", "charge"]),
    (Field::Currency, &["usd", "", "EURO", "€€", "jpy"]),
    (Field::Customer, &["cus_1", ""]),
    (Field::EmailHash, &["h"]),
    (Field::Invoice, &["in_1", "in_2", ""]),
    (Field::PaymentIntent, &["pi_1", "pi_2"]),
    (Field::Charge, &["ch_1", "ch_2"]),
    (Field::LatestCharge, &["ch_1"]),
    (Field::Mode, &["payment", "subscription", "setup", "later"]),
    (Field::PaymentStatus, &["paid", "unpaid", "no_payment_required", "later"]),
    (Field::InvoiceStatus, &["paid", "paid", "open", "later"]),
    (Field::ChargeStatus, &["succeeded", "succeeded", "pending", "failed"]),
    (Field::IntentStatus, &["succeeded", "requires_capture", "later"]),
    (Field::RefundStatus, &["succeeded", "pending", "failed", "later"]),
    (Field::ApiStripeId, &["in_1", "ch_1", "plan_1"]),
];

const OBJECTS: [(Kind, &str); 15] = [
    (Kind::Invoice, "in_1"),
    (Kind::Invoice, "in_2"),
    (Kind::PaymentIntent, "pi_1"),
    (Kind::Charge, "ch_1"),
    (Kind::Charge, "ch_2"),
    (Kind::Session, "cs_1"),
    (Kind::InvoicePayment, "inpay_1"),
    (Kind::Refund, "re_1"),
    (Kind::Refund, "re_2"),
    (Kind::Dispute, "dp_1"),
    (Kind::BalanceTransaction, "txn_1"),
    (Kind::CreditNote, "cn_1"),
    (Kind::Line, "il_1"),
    (Kind::Customer, "cus_1"),
    (Kind::ApiTransaction, "odd key"),
];

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MIN),
        Just(i64::MAX),
        Just(i64::MIN + 1),
        -2..=2_i64,
        -AMOUNT_MAX - 1..=AMOUNT_MAX + 1,
        any::<i64>(),
    ]
}

fn field() -> impl Strategy<Value = (Field, Value)> {
    let numbers = (proptest::sample::select(NUMBERS.to_vec()), number())
        .prop_map(|(field, number)| (field, Value::Int(number)));
    let texts = proptest::sample::select(TEXTS.to_vec()).prop_flat_map(|(field, texts)| {
        proptest::sample::select(texts.to_vec()).prop_map(move |text| (field, Value::from(text)))
    });
    // What steers stands in the wrong type, too.
    let wrong = proptest::sample::select(NUMBERS.to_vec()).prop_map(|field| (field, Value::from("12")));
    let null = proptest::sample::select(TEXTS.to_vec()).prop_map(|(field, _)| (field, Value::Null));
    prop_oneof![8 => numbers, 8 => texts, 1 => wrong, 2 => null]
}

fn members() -> impl Strategy<Value = Members> {
    let object =
        (proptest::sample::select(OBJECTS.to_vec()), number(), proptest::collection::vec(field(), 0..24));
    proptest::collection::vec(object, 0..9).prop_map(|objects| {
        let mut members = Members::new();
        for (number, ((kind, id), at, fields)) in objects.into_iter().enumerate() {
            let mut fact = Fact::new(kind, id, at);
            fact.fields.extend(fields);
            let state = ObjectState::from_fact(&fact, &number.to_string());
            for link in state.links().map(str::to_owned).collect::<Vec<_>>() {
                members.entry(link).or_default();
            }
            match members.entry(id.to_owned()).or_default() {
                Some(known) => {
                    known.merge(state);
                }
                unknown => *unknown = Some(state),
            }
        }
        members
    })
}

fn keeps_its_bounds(sale: &SaleView) {
    assert!((0..=sale.captured).contains(&sale.refunded), "{sale:?}");
    assert!(sale.lost >= 0 && sale.lost <= sale.captured - sale.refunded && sale.disputed >= 0, "{sale:?}");
    assert!((0..=sale.refunded).contains(&sale.detail.credited), "{sale:?}");
    assert!(sale.total >= 0 && (0..=sale.total).contains(&sale.paid), "{sale:?}");
    assert!(sale.tax >= 0 && sale.shipping >= 0, "{sale:?}");
    assert!(i128::from(sale.tax) + i128::from(sale.shipping) <= i128::from(sale.total), "{sale:?}");
}

fn of(sale: &SaleView) -> SettleSale {
    SettleSale {
        root_id: sale.root_id.clone(),
        occurred_at: sale.occurred_at,
        currency: Currency::parse(&sale.currency).unwrap_or_else(|_| Currency::parse("xxx").unwrap()),
        total: sale.total,
        tax: sale.tax,
        shipping: sale.shipping,
        paid: sale.paid,
        captured: sale.captured,
        refunded: sale.refunded,
        lost: sale.lost,
        detail: sale.detail.clone(),
        partner_id: Some("ptr_1".into()),
        suspended: false,
        archived: false,
        rewardable: true,
        fixed_reward: sale.fixed_reward,
        voided: false,
    }
}

/// Terms that no check has seen.
fn wild_terms() -> impl Strategy<Value = Terms> {
    let currency = Currency::parse("usd").unwrap();
    let reward = prop_oneof![
        (0..=1_000_000_i64).prop_map(|ppm| Reward::Percent { rate: Rate::from_ppm(ppm).unwrap() }),
        number().prop_map(move |amount| Reward::Fixed { amount, currency }),
    ];
    let duration = prop_oneof![
        Just(Duration::Lifetime),
        any::<u32>().prop_map(|count| Duration::FirstSales { count }),
        any::<u32>().prop_map(|count| Duration::Months { count }),
    ];
    let limit = || proptest::option::of(number().prop_map(move |amount| Amount { amount, currency }));
    let rule = (number(), any::<bool>()).prop_map(move |(amount, some)| ProductRule {
        product: "prod_1".to_owned(),
        reward: some.then_some(Reward::Fixed { amount, currency }),
    });
    let base = (any::<[bool; 4]>(), proptest::collection::vec(rule, 0..2));
    (reward, duration, any::<u32>(), base, limit(), limit()).prop_map(
        |(reward, duration, hold_days, (flags, products), minimum, cap)| Terms {
            reward,
            duration,
            hold_days,
            exclude_shipping: flags[0],
            include_tax: flags[1],
            exclude_fee: flags[2],
            exclude_off_stripe: flags[3],
            products,
            minimum,
            cap,
        },
    )
}

fn wild_sale() -> impl Strategy<Value = SettleSale> {
    let numbers = (number(), number(), number(), number(), number(), number(), number());
    (numbers, proptest::option::of(number()), any::<bool>()).prop_map(|(numbers, fixed_reward, voided)| {
        let (occurred_at, total, tax, shipping, paid, captured, refunded) = numbers;
        SettleSale {
            root_id: "in_1".into(),
            occurred_at,
            currency: Currency::parse("usd").unwrap(),
            total,
            tax,
            shipping,
            paid,
            captured,
            refunded,
            lost: refunded,
            detail: Detail {
                shipping_tax: shipping,
                off_stripe: paid,
                off_unknown: voided,
                off_captured: captured,
                credited: refunded,
                fees: Some(vec![Fee {
                    charge: "ch_1".into(),
                    fee: tax,
                    currency: "eur".into(),
                    of: total,
                    part: paid,
                    share: (captured, total),
                }]),
                lines: Some(vec![
                    Line { id: "il_1".into(), product: "prod_1".into(), net: total, tax },
                    Line { id: "il_2".into(), product: String::new(), net: paid, tax: shipping },
                ]),
            },
            partner_id: Some("ptr_1".into()),
            suspended: false,
            archived: false,
            rewardable: true,
            fixed_reward,
            voided,
        }
    })
}

fn settles_within_bounds(sale: SettleSale, terms: Terms, prefix: Prefix) {
    let out_of_range = [sale.total, sale.paid, sale.captured, sale.refunded]
        .iter()
        .any(|figure| !tributary_domain::money::in_range(*figure));
    let target =
        settle(&[sale], &[TermsVersion { version: 1, from_ms: Some(i64::MIN), terms }], prefix).remove(0);
    assert!(0 <= target.amount && target.amount <= target.gross, "{target:?}");
    assert!(!(out_of_range && target.outcome == Outcome::Earns), "{target:?}");
    assert!(!target.outcome.words().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_never_panics_and_keeps_its_bounds(members in members(), terms in wild_terms()) {
        if let Some(sale) = read_sale(&members) {
            keeps_its_bounds(&sale);
            settles_within_bounds(of(&sale), terms, Prefix::default());
        }
    }

    #[test]
    fn settling_never_panics_and_keeps_its_bounds(
        sale in wild_sale(), terms in wild_terms(), count in any::<u32>(), first_at in proptest::option::of(number())
    ) {
        settles_within_bounds(sale, terms, Prefix { count, first_at });
    }

    #[test]
    fn months_never_panic_and_never_run_backwards(at in number(), months in any::<u32>(), more in 0..40_u32) {
        let later = months_after(at, months.saturating_add(more));
        prop_assert!(later >= months_after(at, months));
        prop_assert!(months_after(at, 0) >= at);
    }

    #[test]
    fn fractions_never_panic(
        start in number(), factors in proptest::collection::vec((number(), number()), 0..6), limit in number()
    ) {
        let mut fraction = Fraction::whole(start);
        for (by, of) in factors {
            let Ok(product) = fraction.times(by, of) else { break };
            fraction = product;
        }
        let capped = fraction.at_most(limit);
        prop_assert!(!Fraction::whole(limit).is_below(limit));
        prop_assert!(capped == fraction || !fraction.is_below(limit));
        let _ = (capped.round_half_even(), capped.to_text());
    }

    #[test]
    fn corrections_never_panic(target in number(), posted in number(), matured in any::<bool>()) {
        if let Some(posting) = correction(target, posted, matured) {
            prop_assert!(posting.amount > 0);
        }
    }
}

#[test]
fn every_amount_at_both_ends_of_64_bits() {
    for extreme in [i64::MIN, i64::MAX, -1] {
        let all = |kind, id: &str| {
            let mut fact = Fact::new(kind, id, extreme);
            NUMBERS
                .iter()
                .filter(|field| **field != Field::Missing)
                .for_each(|field| fact.set(*field, extreme));
            fact.with(Field::PaymentIntent, "pi_1")
                .with(Field::InvoiceStatus, "paid")
                .with(Field::PaymentStatus, "paid")
                .with(Field::ChargeStatus, "succeeded")
                .with(Field::IntentStatus, "succeeded")
        };
        for leading in OBJECTS {
            // Two charges and two refunds beside the leading object: the sums, too, leave 64 bits.
            let mut members = Members::from([("pi_1".to_owned(), None)]);
            for (kind, id) in [
                leading,
                (Kind::Charge, "ch_1"),
                (Kind::Charge, "ch_2"),
                (Kind::Refund, "re_1"),
                (Kind::Refund, "re_2"),
            ] {
                members.insert(id.to_owned(), Some(ObjectState::from_fact(&all(kind, id), "evt_1")));
            }
            keeps_its_bounds(&read_sale(&members).unwrap());
        }
    }
}
