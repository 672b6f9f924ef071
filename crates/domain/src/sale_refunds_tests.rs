//! Refunds: counted once, never beyond what was captured, and asked for where a total tells more.

use super::*;

#[test]
fn a_denied_charge_does_not_swallow_its_refund() {
    let facts = [session("paid"), missing(Kind::Charge, "ch_1"), by_charge("re_1", 4_000, "succeeded")];
    assert_eq!(read(&facts).refunded, 4_000);
}

#[test]
fn refunds_are_counted_once_and_never_beyond_what_was_captured() {
    let bare = |told: i64| charge(12_000).with(Field::Invoice, none()).with(Field::AmountRefunded, told);
    let by_intent = |id, amount, status| refund(id, amount, status).with(Field::PaymentIntent, "pi_1");
    let later = |fact: Fact| Fact { at: fact.at + 60_000, ..fact };
    let other_try = || {
        let mut failed = bare(0).with(Field::ChargeStatus, "failed").with(Field::AmountCaptured, 0);
        failed.object_id = "ch_0".into();
        failed
    };
    let unexplained = vec![Need::RefundsOf("ch_1".into())];
    let cases: Vec<(&str, Vec<Fact>, i64, Vec<Need>)> = vec![
        ("none", vec![bare(0)], 0, vec![]),
        ("by charge", vec![bare(0), by_charge("re_1", 4_000, "succeeded")], 4_000, vec![]),
        (
            "by charge, and the charge's total says the same",
            vec![bare(4_000), by_charge("re_1", 4_000, "succeeded")],
            4_000,
            vec![],
        ),
        ("by PaymentIntent only", vec![bare(0), by_intent("re_1", 4_000, "succeeded")], 4_000, vec![]),
        (
            "by PaymentIntent only, and in the total",
            vec![bare(4_000), by_intent("re_1", 4_000, "succeeded")],
            4_000,
            vec![],
        ),
        (
            "by PaymentIntent only, after a failed attempt",
            vec![bare(4_000), other_try(), by_intent("re_1", 4_000, "succeeded")],
            4_000,
            vec![],
        ),
        (
            "two",
            vec![bare(0), by_charge("re_1", 4_000, "succeeded"), by_intent("re_2", 1_000, "succeeded")],
            5_000,
            vec![],
        ),
        ("pending counts", vec![bare(0), by_charge("re_1", 4_000, "pending")], 4_000, vec![]),
        ("failed does not", vec![bare(4_000), by_charge("re_1", 4_000, "failed")], 0, vec![]),
        ("canceled does not", vec![bare(4_000), by_charge("re_1", 4_000, "canceled")], 0, vec![]),
        (
            "succeeded, later failed",
            vec![bare(4_000), by_charge("re_1", 4_000, "succeeded"), by_charge("re_1", 4_000, "failed")],
            0,
            vec![],
        ),
        (
            "failed, then another came through",
            vec![bare(4_000), by_charge("re_1", 4_000, "failed"), by_charge("re_2", 4_000, "succeeded")],
            4_000,
            vec![],
        ),
        (
            "one failed, another stays",
            vec![bare(6_000), by_charge("re_1", 4_000, "failed"), by_charge("re_2", 2_000, "succeeded")],
            2_000,
            vec![],
        ),
        ("the total alone", vec![bare(4_000)], 4_000, unexplained.clone()),
        ("the total once seen, fallen since", vec![bare(4_000), later(bare(0))], 4_000, unexplained.clone()),
        ("the total says more", vec![bare(5_000), by_charge("re_1", 4_000, "succeeded")], 5_000, unexplained),
        (
            "the total says more, but the list was read to its end",
            vec![
                bare(5_000),
                by_charge("re_1", 4_000, "succeeded"),
                Fact::new(Kind::Charge, "ch_1", T + 40_000).with(Field::RefundsListedAt, T + 40_000),
            ],
            5_000,
            vec![],
        ),
        ("more than captured", vec![bare(0), by_charge("re_1", 13_000, "succeeded")], 12_000, vec![]),
        (
            "a total of more than captured",
            vec![bare(13_000), by_charge("re_1", 13_000, "succeeded")],
            12_000,
            vec![],
        ),
        (
            "a negative refund takes nothing back",
            vec![bare(0), by_charge("re_1", -4_000, "succeeded")],
            0,
            vec![],
        ),
    ];
    for (name, facts, refunded, needs) in cases {
        let sale = read(&facts);
        assert_eq!((sale.captured, sale.refunded), (12_000, refunded), "{name}");
        assert_eq!(sale.needs, needs, "{name}");
    }
}

#[test]
fn a_list_of_refunds_that_is_older_than_the_total_is_asked_again() {
    let listed = Fact::new(Kind::Charge, "ch_1", T + 100).with(Field::RefundsListedAt, T + 100);
    let bare = charge(12_000).with(Field::Invoice, none()).with(Field::AmountRefunded, 4_000);
    assert_eq!(read(&[listed, bare]).needs, [Need::RefundsOf("ch_1".into())]);
}

#[test]
fn a_refund_that_failed_hides_no_later_one() {
    let bare = |at: i64, total: i64| {
        let mut fact = charge(12_000)
            .with(Field::Invoice, none())
            .with(Field::AmountRefunded, total)
            .with(Field::AmountRefundedNow, total);
        fact.at = T + at;
        fact
    };
    let refund = |id: &str, amount: i64, status: &str| {
        Fact::new(Kind::Refund, id, T + 60_000)
            .with(Field::Charge, "ch_1")
            .with(Field::Amount, amount)
            .with(Field::RefundStatus, status)
    };
    // 9,900 were to go back and did not; then 7,000 went, of which only the charge's own total tells.
    let story = vec![bare(50_000, 9_900), refund("re_1", 9_900, "failed"), bare(70_000, 7_000)];
    assert_eq!(read(&story).needs, [Need::RefundsOf("ch_1".into())]);
    let listed = Fact::new(Kind::Charge, "ch_1", T + 80_000).with(Field::RefundsListedAt, T + 80_000);
    let explained = [story.clone(), vec![refund("re_2", 7_000, "succeeded"), listed]].concat();
    assert_eq!((read(&explained).refunded, read(&explained).needs), (7_000, vec![]));
    // Nothing else came: the newest total fell with the refund that failed.
    let fallen = [bare(50_000, 9_900), refund("re_1", 9_900, "failed"), bare(70_000, 0)];
    assert_eq!((read(&fallen).refunded, read(&fallen).needs), (0, vec![]));
}
