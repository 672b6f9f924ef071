//! Disputes, credit notes, money outside of Stripe, fees and lines: every shape of a payment.

use super::*;

fn dispute(id: &str, amount: i64, at: i64, status: &str) -> Fact {
    Fact::new(Kind::Dispute, id, T + at)
        .with(Field::Created, T + 30_000)
        .with(Field::Currency, "usd")
        .with(Field::Amount, amount)
        .with(Field::DisputeStatus, status)
        .with(Field::Charge, "ch_1")
        .with(Field::PaymentIntent, "pi_1")
}

fn moved(id: &str, of: &str, amount: i64, currency: &str) -> Fact {
    Fact::new(Kind::BalanceTransaction, id, T + 31_000)
        .with(Field::Currency, currency)
        .with(Field::Amount, amount)
        .with(Field::Fee, 1_500)
        .with(Field::Dispute, of)
}

fn at_rate(fact: Fact, rate: &str) -> Fact {
    fact.with(Field::ExchangeRate, rate)
}

/// A paid charge of 12,000 that names no invoice, and what else is known of it.
fn with(facts: &[Fact]) -> SaleView {
    let charge = charge(12_000).with(Field::Invoice, none());
    read(&[&[charge], facts].concat())
}

/// (refunded, lost, is a dispute open)
fn gone(sale: &SaleView) -> (i64, i64, bool) {
    (sale.refunded, sale.lost, sale.disputed > 0)
}

#[test]
fn a_dispute_holds_while_it_is_open_and_takes_what_moved_when_it_is_over() {
    let created = || dispute("dp_1", 12_000, 30_000, "needs_response");
    let away = || moved("txn_1", "dp_1", -12_000, "usd");
    let back = || moved("txn_2", "dp_1", 12_000, "usd");
    let ended = |status: &str| dispute("dp_1", 12_000, 60_000, status);
    type Case = (&'static str, Vec<Fact>, (i64, i64, bool));
    let cases: Vec<Case> = vec![
        ("created", vec![created()], (0, 0, true)),
        ("withdrawn", vec![created(), away()], (0, 0, true)),
        ("reinstated before the end", vec![created(), away(), back()], (0, 0, true)),
        ("won", vec![created(), away(), back(), ended("won")], (0, 0, false)),
        ("won, the money is on its way", vec![created(), away(), ended("won")], (0, 0, false)),
        ("lost", vec![created(), away(), ended("lost")], (0, 12_000, false)),
        ("lost, no movement is told", vec![ended("lost")], (0, 12_000, false)),
        ("lost, and reinstated after it", vec![created(), away(), ended("lost"), back()], (0, 0, false)),
        (
            "won on appeal",
            vec![away(), ended("lost"), dispute("dp_1", 12_000, 90_000, "won"), back()],
            (0, 0, false),
        ),
        (
            "appealed",
            vec![away(), ended("lost"), dispute("dp_1", 12_000, 90_000, "appeal_under_review")],
            (0, 0, true),
        ),
        ("a state nobody knows yet", vec![away(), ended("something_new")], (0, 0, true)),
        ("an inquiry", vec![ended("warning_needs_response")], (0, 0, true)),
        ("an inquiry that came to nothing", vec![ended("warning_closed")], (0, 0, false)),
        ("prevented", vec![created(), ended("prevented")], (0, 0, false)),
        ("given back in time, in an old API", vec![created(), ended("charge_refunded")], (0, 0, false)),
        (
            "an inquiry that became a dispute",
            vec![dispute("dp_1", 12_000, 20_000, "warning_under_review"), created()],
            (0, 0, true),
        ),
        (
            "part of it came back",
            vec![away(), moved("txn_2", "dp_1", 5_000, "usd"), ended("won")],
            (0, 7_000, false),
        ),
        (
            "an older state comes last",
            vec![ended("lost"), away(), dispute("dp_1", 12_000, 10_000, "under_review")],
            (0, 12_000, false),
        ),
        (
            "all states within one second",
            vec![
                created(),
                dispute("dp_1", 12_000, 30_000, "lost"),
                dispute("dp_1", 12_000, 30_000, "under_review"),
            ],
            (0, 12_000, false),
        ),
    ];
    for (name, facts, expected) in cases {
        assert_eq!(gone(&with(&facts)), expected, "{name}");
        let twice: Vec<Fact> = facts.iter().chain(&facts).cloned().collect();
        assert_eq!(gone(&with(&twice)), expected, "{name}, twice");
    }
}

#[test]
fn a_refund_and_a_dispute_of_one_charge_never_take_more_than_it_brought() {
    let lost = |amount| dispute("dp_1", amount, 60_000, "lost");
    let cases = [
        (vec![by_charge("re_1", 5_000, "succeeded"), lost(12_000)], (5_000, 7_000, false)),
        (vec![by_charge("re_1", 12_000, "succeeded"), lost(12_000)], (12_000, 0, false)),
        (vec![by_charge("re_1", 5_000, "failed"), lost(12_000)], (0, 12_000, false)),
        (vec![lost(8_000), dispute("dp_2", 8_000, 60_000, "lost")], (0, 12_000, false)),
        (vec![lost(2_000), by_charge("re_1", 3_000, "succeeded")], (3_000, 2_000, false)),
    ];
    for (facts, expected) in cases {
        assert_eq!(gone(&with(&facts)), expected, "{facts:?}");
    }
}

#[test]
fn movements_in_the_settlement_currency_are_a_share_of_the_disputes_amount() {
    let ended = |status: &str| dispute("dp_1", 10_000, 60_000, status);
    let away = |rate: &str, amount| at_rate(moved("txn_1", "dp_1", amount, "eur"), rate);
    let back = |rate: &str, amount| at_rate(moved("txn_2", "dp_1", amount, "eur"), rate);
    let cases: Vec<(&str, Vec<Fact>, i64)> = vec![
        ("lost", vec![ended("lost"), away("0.9", -9_000)], 10_000),
        ("won at the same rate", vec![ended("won"), away("0.9", -9_000), back("0.9", 9_000)], 0),
        ("won at a worse rate", vec![ended("won"), away("0.912345", -9_123), back("0.898765", 8_988)], 0),
        ("won at a better rate", vec![ended("won"), away("0.898765", -8_988), back("0.912345", 9_123)], 0),
        ("half of it came back", vec![ended("won"), away("0.9", -9_000), back("0.9", 4_500)], 5_000),
        (
            "no rate is told",
            vec![ended("won"), moved("txn_1", "dp_1", -9_000, "eur"), moved("txn_2", "dp_1", 9_000, "eur")],
            0,
        ),
        (
            "yen",
            vec![
                ended("won"),
                at_rate(moved("txn_1", "dp_1", -15_012, "jpy"), "150.12"),
                at_rate(moved("txn_2", "dp_1", 14_533, "jpy"), "145.33"),
            ],
            0,
        ),
    ];
    for (name, facts, lost) in cases {
        assert_eq!(with(&facts).lost, lost, "{name}");
    }
}

#[test]
fn a_dispute_before_its_charge_waits_for_it() {
    let sale = read(&[dispute("dp_1", 12_000, 60_000, "lost")]);
    assert_eq!((sale.state, sale.lost), (SaleState::AwaitingParent, 0));
    assert_eq!(sale.needs, vec![Need::Object("ch_1".into())]);
    // Of an invoice whose charge nobody has described it counts all the same.
    let sale = read(&[invoice_old(), dispute("dp_1", 12_000, 60_000, "lost")]);
    assert_eq!((sale.state, sale.captured, sale.lost), (SaleState::Paid, 12_000, 12_000));
}

#[test]
fn a_charge_that_was_disputed_asks_for_disputes_that_nobody_told_of() {
    let disputed = charge(12_000).with(Field::Invoice, none()).with(Field::Disputed, true);
    assert_eq!(read(std::slice::from_ref(&disputed)).needs, vec![Need::DisputesOf("ch_1".into())]);
    assert_eq!(read(&[disputed.clone(), dispute("dp_1", 9, 60_000, "won")]).needs, vec![]);
    let listed = Fact::new(Kind::Charge, "ch_1", T + 70_000).with(Field::DisputesListedAt, T + 70_000);
    assert_eq!(read(&[disputed, listed]).needs, vec![]);
}

fn credit_note(id: &str, out_of_band: i64, status: &str) -> Fact {
    Fact::new(Kind::CreditNote, id, T + 40_000)
        .with(Field::CreditStatus, status)
        .with(Field::Currency, "usd")
        .with(Field::Amount, 6_000)
        .with(Field::OutOfBand, out_of_band)
        .with(Field::Invoice, "in_1")
}

#[test]
fn of_a_credit_note_only_what_went_back_outside_of_stripe_reverses() {
    let cases: Vec<(&str, Vec<Fact>, i64)> = vec![
        ("to the balance", vec![credit_note("cn_1", 0, "issued")], 0),
        ("outside of Stripe", vec![credit_note("cn_1", 6_000, "issued")], 6_000),
        ("taken back", vec![credit_note("cn_1", 6_000, "issued"), credit_note("cn_1", 6_000, "void")], 0),
        ("refunded", vec![credit_note("cn_1", 0, "issued"), by_charge("re_1", 6_000, "succeeded")], 6_000),
        ("both", vec![credit_note("cn_1", 2_000, "issued"), by_charge("re_1", 4_000, "succeeded")], 6_000),
        ("two", vec![credit_note("cn_1", 8_000, "issued"), credit_note("cn_2", 8_000, "issued")], 12_000),
        (
            "after a full refund",
            vec![credit_note("cn_1", 6_000, "issued"), by_charge("re_1", 12_000, "succeeded")],
            12_000,
        ),
    ];
    for (name, facts, refunded) in cases {
        let sale = read(&[&[invoice_old(), charge(12_000)], &facts[..]].concat());
        assert_eq!((sale.captured, sale.refunded), (12_000, refunded), "{name}");
    }
    // What was credited before it was paid has lowered what was paid.
    let lowered = invoice_old().with(Field::AmountPaid, 8_000).with(Field::AmountDue, 8_000);
    let sale = read(&[lowered, charge(8_000), credit_note("cn_1", 0, "issued")]);
    assert_eq!((sale.total, sale.paid, sale.captured, sale.refunded), (12_000, 8_000, 8_000, 0));
}

#[test]
fn what_was_paid_outside_of_stripe_is_told_apart() {
    let off = |due: i64, paid: i64, off: i64| {
        invoice_new()
            .with(Field::AmountDue, due)
            .with(Field::AmountPaid, paid)
            .with(Field::PaidOffStripe, off)
    };
    let record = |amount: i64| {
        Fact::new(Kind::InvoicePayment, "inpay_2", T + 9_100)
            .with(Field::Invoice, "in_1")
            .with(Field::InvoicePaymentStatus, "paid")
            .with(Field::PaymentType, "payment_record")
            .with(Field::AmountPaid, amount)
    };
    // (name, facts, paid, of it outside of Stripe)
    let cases: Vec<(&str, Vec<Fact>, i64, i64)> = vec![
        ("by Stripe", vec![invoice_old(), charge(12_000)], 12_000, 0),
        ("marked, before basil", vec![invoice_new().with(Field::PaidOutOfBand, true)], 12_000, 12_000),
        ("marked, nothing paid", vec![off(12_000, 0, 0).with(Field::PaidOutOfBand, true)], 12_000, 12_000),
        ("told within", vec![off(12_000, 12_000, 12_000)], 12_000, 12_000),
        ("told apart", vec![off(12_000, 0, 12_000)], 12_000, 12_000),
        ("a part, apart", vec![off(12_000, 7_000, 5_000), charge(7_000), invoice_payment()], 12_000, 5_000),
        ("a part, within", vec![off(12_000, 12_000, 5_000), charge(7_000), invoice_payment()], 12_000, 5_000),
        ("a payment without a charge", vec![invoice_new(), record(12_000)], 12_000, 12_000),
    ];
    for (name, facts, paid, off) in cases {
        let sale = read(&facts);
        assert_eq!((sale.state, sale.paid, sale.captured), (SaleState::Paid, paid, 12_000), "{name}");
        assert_eq!((sale.detail.off_stripe, sale.detail.off_captured), (off, off), "{name}");
    }
}

#[test]
fn how_much_came_past_stripe_is_told_or_adds_up_or_is_asked_for() {
    let told = || invoice_new().with(Field::OffStripeTold, true);
    let record = |amount: i64| {
        Fact::new(Kind::InvoicePayment, "inpay_2", T + 9_100)
            .with(Field::Invoice, "in_1")
            .with(Field::InvoicePaymentStatus, "paid")
            .with(Field::PaymentType, "payment_record")
            .with(Field::AmountPaid, amount)
    };
    let by_stripe = |amount: i64| {
        let mut payment = record(amount).with(Field::PaymentType, "payment_intent");
        "inpay_3".clone_into(&mut payment.object_id);
        payment
    };
    let foreign = charge(12_000).with(Field::Currency, "eur").with(Field::Invoice, "in_1");
    let open = || invoice_new().with(Field::PaidOffStripe, 0);
    // (name, facts, known)
    let cases: Vec<(&str, Vec<Fact>, bool)> = vec![
        ("nobody says it", vec![invoice_new()], false),
        ("said while it was open", vec![open()], false),
        ("told", vec![told()], true),
        ("marked", vec![invoice_new().with(Field::PaidOutOfBand, true)], true),
        ("covered by charges", vec![invoice_old(), charge(12_000)], true),
        ("a part by charges", vec![invoice_old(), charge(11_999)], false),
        ("charged in another currency", vec![invoice_old(), foreign], false),
        ("a payment by Stripe", vec![invoice_new(), by_stripe(12_000)], true),
        ("payments of both kinds", vec![invoice_new(), by_stripe(7_000), record(5_000)], true),
        ("payments of a part", vec![invoice_new(), by_stripe(7_000), record(4_999)], false),
        ("Stripe has no such invoice", vec![invoice_new().with(Field::Missing, true)], true),
    ];
    for (name, facts, known) in cases {
        let sale = read(&facts);
        assert_eq!(sale.detail.off_unknown, !known, "{name}");
        let needs = if known { vec![] } else { vec![Need::Object("in_1".into())] };
        assert_eq!(sale.off_needs, needs, "{name}");
    }
    assert!(read(&[session("paid")]).off_needs.is_empty());
    assert!(read(&[invoice_new().with(Field::InvoiceStatus, "open")]).off_needs.is_empty());
}

#[test]
fn invoices_that_bring_no_money_are_no_sales() {
    let with = |field, value: i64| invoice_old().with(field, value);
    for (name, invoice, state) in [
        ("negative", with(Field::Total, -500).with(Field::AmountPaid, 0), SaleState::NothingToPay),
        ("free", with(Field::Total, 0).with(Field::AmountPaid, 0), SaleState::NothingToPay),
        ("from the balance", with(Field::AmountPaid, 0), SaleState::NothingToPay),
        ("voided", invoice_old().with(Field::InvoiceStatus, "void"), SaleState::Unpaid),
        ("given up", invoice_old().with(Field::InvoiceStatus, "uncollectible"), SaleState::Unpaid),
    ] {
        assert_eq!(read(&[invoice]).state, state, "{name}");
    }
    // Paid in part, and the rest is open, given up or voided: what came in counts.
    for status in ["open", "uncollectible", "void"] {
        let part = with(Field::AmountPaid, 4_000).with(Field::InvoiceStatus, status);
        let charged = charge(4_000).with(Field::Invoice, "in_1");
        for facts in [vec![part.clone()], vec![part.clone(), charged.clone()], vec![charged, part]] {
            let sale = read(&facts);
            let money = (sale.state, sale.paid, sale.total, sale.captured, sale.detail.off_stripe);
            assert_eq!(money, (SaleState::Paid, 4_000, 12_000, 4_000, 0), "{status}");
        }
        let draft = with(Field::AmountPaid, 4_000).with(Field::InvoiceStatus, "draft");
        assert_eq!(read(&[draft]).state, SaleState::Unpaid);
    }
    // What each payment of a part brings, in whatever order the invoice is looked at between them.
    let open = |at: i64, paid: i64| {
        let invoice = with(Field::AmountPaid, paid).with(Field::InvoiceStatus, "open");
        Fact { at: T + at, ..invoice }
    };
    let pay = |id: &str, amount: i64| {
        let mut payment = invoice_payment().with(Field::AmountPaid, amount);
        id.clone_into(&mut payment.object_id);
        payment
    };
    let told = [open(9_000, 0), open(9_500, 4_000), pay("inpay_1", 4_000), pay("inpay_2", 3_000)];
    for left_out in [None, Some(0), Some(1)] {
        for turn in 0..told.len() {
            let mut facts: Vec<Fact> = told
                .iter()
                .enumerate()
                .filter(|(n, _)| Some(*n) != left_out)
                .map(|(_, fact)| fact.clone())
                .collect();
            let turn = turn % facts.len();
            facts.rotate_left(turn);
            let sale = read(&facts);
            assert_eq!(
                (sale.state, sale.paid, sale.captured),
                (SaleState::Paid, 7_000, 7_000),
                "{left_out:?} {turn}"
            );
        }
    }
    // The same money, said to have come past Stripe: it counts once.
    let within = open(9_000, 4_000).with(Field::PaidOffStripe, 4_000);
    let sale = read(&[within]);
    assert_eq!((sale.paid, sale.detail.off_stripe), (4_000, 4_000));
    // Given up, and paid all the same.
    let paid = read(&[invoice_old(), invoice_old().with(Field::InvoiceStatus, "uncollectible")]);
    assert_eq!(paid.state, SaleState::Paid);
}

#[test]
fn what_was_paid_too_much_counts_in_the_share_that_is_kept() {
    let over = charge(15_000);
    let sale = read(&[invoice_old(), over.clone()]);
    assert_eq!((sale.paid, sale.captured, sale.refunded), (12_000, 15_000, 0));
    let sale = read(&[invoice_old(), over.clone(), by_charge("re_1", 3_000, "succeeded")]);
    assert_eq!((sale.captured, sale.refunded), (15_000, 3_000));
    let sale = read(&[invoice_old(), over, by_charge("re_1", 15_000, "succeeded")]);
    assert_eq!((sale.captured, sale.refunded), (15_000, 15_000));
}

#[test]
fn captures_in_parts_and_in_several_charges_add_up() {
    let authorised =
        |captured: i64| charge(12_000).with(Field::AmountCaptured, captured).with(Field::Invoice, none());
    assert_eq!(read(&[authorised(0)]).state, SaleState::Uncaptured);
    // Captured twice: the charge's own total grows. What was never captured is released, and is no refund.
    let last = Fact { at: T + 50_000, ..authorised(9_000) }.with(Field::AmountRefunded, 3_000);
    let sale = read(&[authorised(5_000), last]);
    assert_eq!((sale.captured, sale.refunded), (9_000, 0));
    // A PaymentIntent with a failed attempt and two charges that brought money.
    let failed =
        Fact::new(Kind::Charge, "ch_0", T).with(Field::ChargeStatus, "failed").with(Field::Amount, 12_000);
    let failed = failed.with(Field::PaymentIntent, "pi_1").with(Field::Invoice, none());
    let mut second = charge(4_000).with(Field::Invoice, none());
    "ch_2".clone_into(&mut second.object_id);
    let sale = read(&[
        failed,
        charge(8_000).with(Field::Invoice, none()),
        second,
        by_charge("re_1", 8_000, "succeeded"),
    ]);
    assert_eq!((sale.total, sale.captured, sale.refunded), (12_000, 12_000, 8_000));
}

#[test]
fn a_fee_is_known_by_its_balance_transaction_and_asked_for_where_it_is_not() {
    let fee = |amount: i64, fee: i64, currency: &str| {
        Fact::new(Kind::BalanceTransaction, "txn_9", T + 5_000)
            .with(Field::Currency, currency)
            .with(Field::Amount, amount)
            .with(Field::Fee, fee)
            .with(Field::Charge, "ch_1")
    };
    let sale = read(&[invoice_old(), charge(12_000)]);
    assert_eq!((sale.detail.fees.clone(), sale.fee_needs), (None, vec![Need::FeeOf("ch_1".into())]));
    let sale = read(&[invoice_old(), charge(12_000), fee(12_000, 378, "usd")]);
    let known = sale.detail.fees.unwrap();
    assert_eq!((known[0].fee, known[0].of, known[0].part, known[0].share), (378, 12_000, 12_000, (1, 1)));
    assert!(sale.fee_needs.is_empty());
    // Only the id of the charge is known, or only that there must be one.
    assert_eq!(read(&[invoice_old()]).fee_needs, vec![Need::FeeOf("ch_1".into())]);
    assert_eq!(read(&[invoice_new()]).fee_needs, vec![Need::Object("in_1".into())]);
    assert_eq!(read(&[invoice_new(), invoice_payment()]).fee_needs, vec![Need::Object("pi_1".into())]);
    // Paid by two PaymentIntents, and the charge of one is known: the other's is asked for, by whatever names it.
    let payment = |id: &str, intent: &str| {
        let mut payment =
            invoice_payment().with(Field::PaymentIntent, intent).with(Field::PaymentType, "payment_intent");
        id.clone_into(&mut payment.object_id);
        payment.with(Field::InvoicePaymentStatus, "paid")
    };
    let known = || vec![invoice_new(), charge(7_000), fee(7_000, 233, "usd"), payment("inpay_1", "pi_1")];
    let one = read(&known());
    assert_eq!((one.fee_needs, one.detail.fees.map(|fees| fees.len())), (vec![], Some(1)));
    let mut two = known();
    two.push(payment("inpay_2", "pi_2"));
    let sale = read(&two);
    assert_eq!((sale.fee_needs, sale.detail.fees), (vec![Need::Object("pi_2".into())], None));
    two.push(Fact::new(Kind::PaymentIntent, "pi_2", T).with(Field::LatestCharge, "ch_2"));
    assert_eq!(read(&two).fee_needs, vec![Need::FeeOf("ch_2".into())]);
    // Money outside of Stripe has none, and neither has what only our API knows.
    let off = read(&[invoice_new().with(Field::PaidOutOfBand, true)]);
    assert_eq!((off.detail.fees, off.fee_needs), (Some(vec![]), vec![]));
    assert_eq!(read(&[api(500)]).detail.fees, Some(vec![]));
    // The charge is in another currency than the session: the fee is a share of the whole.
    let foreign = charge(9_000).with(Field::Currency, "eur");
    let sale = read(&[session("paid"), foreign, fee(9_000, 300, "eur")]);
    assert_eq!(sale.detail.fees.unwrap()[0].share, (9_000, 9_000));
}

#[test]
fn lines_are_shown_by_the_invoice_or_listed() {
    let line =
        |id: &str, product: &str, net: i64| Line { id: id.into(), product: product.into(), net, tax: 0 };
    let lines = vec![line("il_1", "prod_a", 7_000), line("il_2", "prod_b", 3_000)];
    let shown = invoice_old().with(Field::Lines, encode_lines(&lines));
    assert_eq!(read(&[shown]).detail.lines, Some(lines.clone()));
    let sale = read(&[invoice_old()]);
    assert_eq!((sale.detail.lines, sale.line_needs), (None, vec![Need::LinesOf("in_1".into())]));
    let item = |id: &str, product: &str, net: i64, link: Field, of: &str| {
        Fact::new(Kind::Line, id, T + 80_000)
            .with(Field::Product, product)
            .with(Field::Amount, net)
            .with(Field::AmountTax, 0)
            .with(link, of)
    };
    let listed = |kind, id: &str| Fact::new(kind, id, T + 80_000).with(Field::LinesListedAt, T + 80_000);
    let one = item("il_1", "prod_a", 7_000, Field::Invoice, "in_1");
    let two = item("il_2", "prod_b", 3_000, Field::Invoice, "in_1");
    // One page of several proves nothing.
    assert_eq!(read(&[invoice_old(), one.clone()]).detail.lines, None);
    let sale = read(&[invoice_old(), one, two, listed(Kind::Invoice, "in_1")]);
    assert_eq!((sale.detail.lines, sale.line_needs), (Some(lines), vec![]));
    assert_eq!(read(&[session("paid")]).line_needs, vec![Need::LinesOf("cs_1".into())]);
    let sold = item("li_1", "prod_a", 9_500, Field::Session, "cs_1");
    let sale = read(&[session("paid"), sold, listed(Kind::Session, "cs_1")]);
    assert_eq!(sale.detail.lines, Some(vec![line("li_1", "prod_a", 9_500)]));
    // Nobody lists what a bare charge paid for.
    assert_eq!(with(&[]).detail.lines, Some(vec![]));
}

#[test]
fn a_direct_charge_beside_its_invoice_is_not_counted_twice() {
    let sale = read(&[
        invoice_new(),
        invoice_payment(),
        charge(12_000),
        intent(),
        dispute("dp_1", 6_000, 60_000, "lost"),
    ]);
    assert_eq!(
        (sale.root_id.as_str(), sale.total, sale.captured, sale.lost),
        ("in_1", 12_000, 12_000, 6_000)
    );
}

#[test]
fn a_purchase_that_does_not_say_what_was_paid_is_asked_for() {
    let silent = |dropped: &[Field]| {
        let mut session = session("unpaid");
        dropped.iter().for_each(|field| drop(session.fields.remove(field)));
        session
    };
    let asked = || [Need::Object("cs_1".to_owned())].into();
    for dropped in [&[Field::AmountTotal][..], &[Field::AmountTotal, Field::PaymentStatus]] {
        let sale = with(&[silent(dropped)]);
        assert_eq!((sale.state, sale.needs), (SaleState::AwaitingParent, asked()), "{dropped:?}");
        assert_eq!((sale.total, sale.paid), (0, 0));
    }
    let alone = read(&[silent(&[Field::PaymentStatus])]);
    assert_eq!((alone.state, alone.needs), (SaleState::AwaitingParent, asked()), "paid or not?");
    assert_eq!(read(&[session("unpaid")]).state, SaleState::Unpaid);
}
