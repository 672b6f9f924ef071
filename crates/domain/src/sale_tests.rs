use super::*;
use crate::fact::Fact;

/// When the story begins, ms UTC.
const T: i64 = 1_760_000_000_000;

/// Everything known of one purchase after these facts, each from a source of its own.
fn known(facts: &[Fact]) -> Members {
    let mut members = Members::new();
    for (number, fact) in facts.iter().enumerate() {
        let state = ObjectState::from_fact(fact, &format!("evt_{number:03}"));
        let links: Vec<String> = state.links().map(str::to_owned).collect();
        for link in links {
            members.entry(link).or_default();
        }
        match members.entry(fact.object_id.clone()).or_default() {
            Some(before) => {
                before.merge(state);
            }
            unknown => *unknown = Some(state),
        }
    }
    members
}

fn read(facts: &[Fact]) -> SaleView {
    let forth = read_sale(&known(facts)).unwrap();
    let backwards: Vec<Fact> = facts.iter().rev().cloned().collect();
    let back = read_sale(&known(&backwards)).unwrap();
    assert_eq!(forth, back, "the order of arrival shows");
    forth
}

fn none() -> Option<&'static str> {
    None
}

fn invoice_old() -> Fact {
    Fact::new(Kind::Invoice, "in_1", T + 9_000)
        .with(Field::Created, T)
        .with(Field::Currency, "usd")
        .with(Field::Customer, "cus_1")
        .with(Field::InvoiceStatus, "paid")
        .with(Field::PaidAt, T + 5_000)
        .with(Field::Total, 12_000)
        .with(Field::TotalExcludingTax, 10_000)
        .with(Field::TaxTotal, 2_000)
        .with(Field::ShippingExcludingTax, 500)
        .with(Field::AmountPaid, 12_000)
        .with(Field::PaymentIntent, "pi_1")
        .with(Field::Charge, "ch_1")
}

/// Since basil the invoice names neither PaymentIntent nor charge.
fn invoice_new() -> Fact {
    let mut fact = invoice_old();
    fact.fields.remove(&Field::PaymentIntent);
    fact.fields.remove(&Field::Charge);
    fact
}

fn invoice_payment() -> Fact {
    Fact::new(Kind::InvoicePayment, "inpay_1", T + 9_100)
        .with(Field::Invoice, "in_1")
        .with(Field::PaymentIntent, "pi_1")
        .with(Field::InvoicePaymentStatus, "paid")
        .with(Field::AmountPaid, 12_000)
}

/// A captured charge that says nothing of an invoice.
fn charge(amount: i64) -> Fact {
    Fact::new(Kind::Charge, "ch_1", T + 4_500)
        .with(Field::Created, T + 4_000)
        .with(Field::Currency, "usd")
        .with(Field::ChargeStatus, "succeeded")
        .with(Field::Amount, amount)
        .with(Field::AmountCaptured, amount)
        .with(Field::AmountRefunded, 0)
        .with(Field::PaymentIntent, "pi_1")
}

fn intent() -> Fact {
    Fact::new(Kind::PaymentIntent, "pi_1", T + 4_600)
        .with(Field::Created, T + 3_000)
        .with(Field::Currency, "usd")
        .with(Field::IntentStatus, "succeeded")
        .with(Field::AmountReceived, 12_000)
        .with(Field::LatestCharge, "ch_1")
}

fn session(status: &str) -> Fact {
    Fact::new(Kind::Session, "cs_1", T + 6_000)
        .with(Field::Created, T + 1_000)
        .with(Field::Mode, "payment")
        .with(Field::PaymentStatus, status)
        .with(Field::Currency, "usd")
        .with(Field::AmountTotal, 12_000)
        .with(Field::AmountTax, 2_000)
        .with(Field::AmountShipping, 500)
        .with(Field::AmountDiscount, 300)
        .with(Field::PaymentIntent, "pi_1")
        .with(Field::Invoice, none())
}

fn refund(id: &str, amount: i64, status: &str) -> Fact {
    Fact::new(Kind::Refund, id, T + 20_000)
        .with(Field::Created, T + 20_000)
        .with(Field::Amount, amount)
        .with(Field::RefundStatus, status)
}

fn by_charge(id: &str, amount: i64, status: &str) -> Fact {
    refund(id, amount, status).with(Field::Charge, "ch_1").with(Field::PaymentIntent, "pi_1")
}

fn no_links(at: i64) -> [Fact; 2] {
    [
        Fact::new(Kind::PaymentIntent, "pi_1", at).with(Field::NoInvoicePayment, true),
        Fact::new(Kind::PaymentIntent, "pi_1", at).with(Field::NoSession, true),
    ]
}

fn missing(kind: Kind, id: &str) -> Fact {
    Fact::new(kind, id, T + 90_000).with(Field::Missing, true)
}

fn api(amount: i64) -> Fact {
    Fact::new(Kind::ApiTransaction, "api:order-7", T + 7_000)
        .with(Field::Created, T + 7_000)
        .with(Field::Currency, "eur")
        .with(Field::Amount, amount)
        .with(Field::ApiCustomer, "ctm_1")
        .with(Field::ApiRewardable, true)
}

/// (state, total, tax, shipping, paid, captured, refunded)
type Figures = (SaleState, i64, i64, i64, i64, i64, i64);

/// (name, facts, root, figures, needs)
type Case = (&'static str, Vec<Fact>, &'static str, Figures, Vec<Need>);

fn figures(sale: &SaleView) -> Figures {
    (sale.state, sale.total, sale.tax, sale.shipping, sale.paid, sale.captured, sale.refunded)
}

#[test]
fn every_shape_of_a_purchase_is_read() {
    use SaleState::{AwaitingLink, AwaitingParent, NothingToPay, Paid, Uncaptured, Unpaid};
    let old_bare = || charge(12_000).with(Field::Invoice, none());
    let [no_invoice, no_session] = no_links(T + 30_000);
    let whole: Figures = (Paid, 12_000, 2_000, 500, 12_000, 12_000, 0);
    let gross: Figures = (Paid, 12_000, 0, 0, 12_000, 12_000, 0);
    let nothing = |state| (state, 0, 0, 0, 0, 0, 0);
    let need = |id: &str| Need::Object(id.to_owned());
    let subscription =
        || session("paid").with(Field::Mode, "subscription").with(Field::PaymentIntent, none());
    let cases: Vec<Case> = vec![
        ("invoice, old shape", vec![invoice_old(), intent(), charge(12_000)], "in_1", whole, vec![]),
        ("invoice, its own event alone", vec![invoice_old()], "in_1", whole, vec![]),
        (
            "invoice, new shape",
            vec![invoice_new(), invoice_payment(), intent(), charge(12_000)],
            "in_1",
            whole,
            vec![],
        ),
        (
            "charge of an invoice, old shape, invoice not here yet",
            vec![charge(12_000).with(Field::Invoice, "in_1")],
            "in_1",
            nothing(AwaitingParent),
            vec![need("in_1")],
        ),
        (
            "charge and invoice payment, invoice not here yet",
            vec![charge(12_000), invoice_payment()],
            "in_1",
            nothing(AwaitingParent),
            vec![need("in_1")],
        ),
        (
            "open invoice",
            vec![invoice_new().with(Field::InvoiceStatus, "open")],
            "in_1",
            nothing(Unpaid),
            vec![],
        ),
        (
            "invoice that does not tell its tax",
            vec![{
                let mut fact = invoice_new();
                fact.fields.remove(&Field::TotalExcludingTax);
                fact.fields.remove(&Field::TaxTotal);
                fact
            }],
            "in_1",
            nothing(AwaitingParent),
            vec![need("in_1")],
        ),
        (
            "invoice that tells only its taxes",
            vec![{
                let mut fact = invoice_new();
                fact.fields.remove(&Field::TotalExcludingTax);
                fact
            }],
            "in_1",
            whole,
            vec![],
        ),
        (
            "invoice that does not tell its total",
            vec![{
                let mut fact = invoice_new();
                fact.fields.remove(&Field::Total);
                fact
            }],
            "in_1",
            nothing(AwaitingParent),
            vec![need("in_1")],
        ),
        (
            "trial: invoice of 0",
            vec![invoice_new().with(Field::Total, 0).with(Field::AmountPaid, 0)],
            "in_1",
            nothing(NothingToPay),
            vec![],
        ),
        (
            "invoice paid from the balance",
            vec![invoice_new().with(Field::AmountPaid, 0)],
            "in_1",
            nothing(NothingToPay),
            vec![],
        ),
        (
            "negative invoice",
            vec![invoice_new().with(Field::Total, -12_000).with(Field::TotalExcludingTax, -10_000)],
            "in_1",
            nothing(NothingToPay),
            vec![],
        ),
        (
            "invoice partly paid from the balance",
            vec![invoice_old().with(Field::AmountPaid, 9_000), charge(9_000)],
            "in_1",
            (Paid, 12_000, 2_000, 500, 9_000, 9_000, 0),
            vec![],
        ),
        ("paid session alone", vec![session("paid")], "pi_1", whole, vec![]),
        (
            "paid session with all its objects",
            vec![session("paid"), intent(), charge(12_000)],
            "pi_1",
            whole,
            vec![],
        ),
        ("unpaid session: a voucher", vec![session("unpaid")], "pi_1", nothing(Unpaid), vec![]),
        ("async: paid later", vec![session("unpaid"), session("paid")], "pi_1", whole, vec![]),
        ("async: the PaymentIntent says it", vec![session("unpaid"), intent()], "pi_1", whole, vec![]),
        (
            "async: the captured charge says it",
            vec![session("unpaid"), charge(12_000)],
            "pi_1",
            whole,
            vec![],
        ),
        (
            "async: the charge of somebody else says nothing",
            vec![
                session("unpaid").with(Field::PaymentIntent, "pi_0").with(Field::Charge, "ch_1"),
                charge(12_000),
            ],
            "pi_0",
            nothing(Unpaid),
            vec![],
        ),
        ("free session", vec![session("no_payment_required")], "pi_1", nothing(NothingToPay), vec![]),
        (
            "session of 0",
            vec![session("paid").with(Field::AmountTotal, 0)],
            "pi_1",
            nothing(NothingToPay),
            vec![],
        ),
        (
            "subscription session before its invoice",
            vec![subscription()],
            "cs_1",
            nothing(AwaitingParent),
            vec![need("cs_1")],
        ),
        (
            "subscription session and its invoice",
            vec![subscription().with(Field::Invoice, "in_1"), invoice_new()],
            "in_1",
            whole,
            vec![],
        ),
        (
            "session with an invoice of its own",
            vec![session("paid").with(Field::Invoice, "in_1"), invoice_new()],
            "in_1",
            whole,
            vec![],
        ),
        (
            "session of manual capture, captured in part",
            vec![session("paid"), charge(12_000).with(Field::AmountCaptured, 7_000)],
            "pi_1",
            (Paid, 12_000, 2_000, 500, 7_000, 7_000, 0),
            vec![],
        ),
        (
            "setup session beside a bare charge",
            vec![session("paid").with(Field::Mode, "setup"), old_bare()],
            "pi_1",
            gross,
            vec![],
        ),
        (
            "bare charge, new shape, not asked yet",
            vec![charge(12_000)],
            "pi_1",
            nothing(AwaitingLink),
            vec![Need::LinksOf("pi_1".into())],
        ),
        (
            "bare charge, one look-up answered",
            vec![charge(12_000), no_invoice.clone()],
            "pi_1",
            nothing(AwaitingLink),
            vec![Need::LinksOf("pi_1".into())],
        ),
        (
            "bare charge, the other look-up answered",
            vec![charge(12_000), no_session.clone()],
            "pi_1",
            nothing(AwaitingLink),
            vec![Need::LinksOf("pi_1".into())],
        ),
        (
            "bare charge, both answered",
            vec![charge(12_000), no_invoice.clone(), no_session.clone()],
            "pi_1",
            gross,
            vec![],
        ),
        ("bare charge, old shape: invoice is null", vec![old_bare()], "pi_1", gross, vec![]),
        (
            "bare charge, old shape: the PaymentIntent's invoice is null",
            vec![charge(12_000), intent().with(Field::Invoice, none())],
            "pi_1",
            gross,
            vec![],
        ),
        (
            "charge without PaymentIntent",
            vec![charge(12_000).with(Field::PaymentIntent, none())],
            "ch_1",
            gross,
            vec![],
        ),
        (
            "charge that says nothing of its links",
            vec![{
                let mut fact = charge(12_000);
                fact.fields.remove(&Field::PaymentIntent);
                fact
            }],
            "ch_1",
            nothing(AwaitingLink),
            vec![need("ch_1")],
        ),
        ("PaymentIntent alone, both answered", vec![intent(), no_invoice, no_session], "pi_1", gross, vec![]),
        (
            "uncaptured charge",
            vec![old_bare().with(Field::AmountCaptured, 0)],
            "pi_1",
            nothing(Uncaptured),
            vec![],
        ),
        (
            "uncaptured PaymentIntent",
            vec![intent().with(Field::IntentStatus, "requires_capture").with(Field::AmountReceived, 0)],
            "pi_1",
            nothing(Uncaptured),
            vec![],
        ),
        (
            "released authorisation",
            vec![
                old_bare().with(Field::AmountCaptured, 0).with(Field::AmountRefunded, 12_000),
                by_charge("re_1", 12_000, "succeeded"),
            ],
            "pi_1",
            nothing(Uncaptured),
            vec![],
        ),
        (
            "failed charge",
            vec![old_bare().with(Field::ChargeStatus, "failed")],
            "pi_1",
            nothing(Unpaid),
            vec![],
        ),
        (
            "pending charge",
            vec![old_bare().with(Field::ChargeStatus, "pending")],
            "pi_1",
            nothing(Unpaid),
            vec![],
        ),
        (
            "partial capture: what was released is no refund",
            vec![
                old_bare().with(Field::AmountCaptured, 7_000).with(Field::AmountRefunded, 5_000),
                by_charge("re_1", 5_000, "succeeded"),
            ],
            "pi_1",
            (Paid, 7_000, 0, 0, 7_000, 7_000, 0),
            vec![],
        ),
        (
            "partial capture and a true refund",
            vec![
                old_bare().with(Field::AmountCaptured, 7_000).with(Field::AmountRefunded, 6_000),
                by_charge("re_1", 5_000, "succeeded"),
                by_charge("re_2", 1_000, "succeeded"),
            ],
            "pi_1",
            (Paid, 7_000, 0, 0, 7_000, 7_000, 1_000),
            vec![],
        ),
        (
            "partial capture and a refund, where the release is told by nothing else",
            vec![
                old_bare().with(Field::AmountCaptured, 7_000).with(Field::AmountRefunded, 3_000),
                by_charge("re_1", 3_000, "succeeded"),
            ],
            "pi_1",
            (Paid, 7_000, 0, 0, 7_000, 7_000, 3_000),
            vec![],
        ),
        (
            "partial capture and a refund of as much as was released",
            vec![
                old_bare().with(Field::AmountCaptured, 7_000).with(Field::AmountRefunded, 5_000),
                by_charge("re_1", 5_000, "succeeded").with(Field::BalanceTransaction, "txn_1"),
            ],
            "pi_1",
            (Paid, 7_000, 0, 0, 7_000, 7_000, 5_000),
            vec![],
        ),
        (
            "partial capture, the release known, and a refund that only the total tells",
            vec![
                old_bare().with(Field::AmountCaptured, 7_000).with(Field::AmountRefunded, 6_500),
                by_charge("re_1", 5_000, "succeeded")
                    .with(Field::BalanceTransaction, crate::fact::Value::Null),
            ],
            "pi_1",
            (Paid, 7_000, 0, 0, 7_000, 7_000, 1_500),
            vec![Need::RefundsOf("ch_1".into())],
        ),
        ("API transaction", vec![api(4_000)], "api:order-7", (Paid, 4_000, 0, 0, 4_000, 4_000, 0), vec![]),
        ("API transaction of nothing", vec![api(0)], "api:order-7", nothing(NothingToPay), vec![]),
        ("negative API transaction", vec![api(-5)], "api:order-7", nothing(NothingToPay), vec![]),
        (
            "API transaction that is a charge not seen yet",
            vec![api(4_000).with(Field::ApiStripeId, "ch_1")],
            "ch_1",
            (Paid, 4_000, 0, 0, 4_000, 4_000, 0),
            vec![],
        ),
        (
            "API transaction that is a known charge",
            vec![api(4_000).with(Field::ApiStripeId, "ch_1"), old_bare()],
            "pi_1",
            gross,
            vec![],
        ),
        (
            "API transaction that is a known session",
            vec![api(4_000).with(Field::ApiStripeId, "cs_1"), session("paid")],
            "pi_1",
            whole,
            vec![],
        ),
        (
            "API transaction that is an invoice not seen yet",
            vec![api(4_000).with(Field::ApiStripeId, "in_1")],
            "in_1",
            nothing(AwaitingParent),
            vec![need("in_1")],
        ),
        (
            "refund of a charge not seen yet",
            vec![refund("re_1", 5_000, "succeeded").with(Field::Charge, "ch_1")],
            "ch_1",
            nothing(AwaitingParent),
            vec![need("ch_1")],
        ),
        (
            "refund of an invoice's charge not seen",
            vec![invoice_old(), by_charge("re_1", 5_000, "succeeded")],
            "in_1",
            (Paid, 12_000, 2_000, 500, 12_000, 12_000, 5_000),
            vec![],
        ),
    ];
    for (name, facts, root, wanted, needs) in cases {
        let sale = read(&facts);
        assert_eq!(sale.root_id, root, "{name}");
        assert_eq!(figures(&sale), wanted, "{name}");
        assert_eq!(sale.needs, needs, "{name}");
    }
}

#[test]
fn a_parent_that_stripe_denies_holds_nothing_back() {
    let gross: Figures = (SaleState::Paid, 12_000, 0, 0, 12_000, 12_000, 0);
    let whole: Figures = (SaleState::Paid, 12_000, 2_000, 500, 12_000, 12_000, 0);
    let cases: Vec<(&str, Vec<Fact>, Figures)> = vec![
        ("PaymentIntent of a charge", vec![charge(12_000), missing(Kind::PaymentIntent, "pi_1")], gross),
        (
            "invoice of a charge",
            vec![charge(12_000).with(Field::Invoice, "in_1"), missing(Kind::Invoice, "in_1")],
            gross,
        ),
        (
            "invoice of an invoice payment",
            vec![charge(12_000), invoice_payment(), missing(Kind::Invoice, "in_1")],
            gross,
        ),
        (
            "invoice of a session",
            vec![session("paid").with(Field::Invoice, "in_1"), missing(Kind::Invoice, "in_1")],
            whole,
        ),
        ("invoice whose own event is known", vec![invoice_old(), missing(Kind::Invoice, "in_1")], whole),
        ("session whose own event is known", vec![session("paid"), missing(Kind::Session, "cs_1")], whole),
        (
            "charge that an API transaction names",
            vec![api(12_000).with(Field::ApiStripeId, "ch_1"), missing(Kind::Charge, "ch_1")],
            gross,
        ),
        (
            "invoice that an API transaction names",
            vec![api(12_000).with(Field::ApiStripeId, "in_1"), missing(Kind::Invoice, "in_1")],
            gross,
        ),
        (
            "session of a PaymentIntent beside",
            vec![session("paid"), missing(Kind::PaymentIntent, "pi_1")],
            whole,
        ),
    ];
    for (name, facts, wanted) in cases {
        let sale = read(&facts);
        assert_eq!(figures(&sale), wanted, "{name}");
        assert_eq!(sale.needs, [], "{name}");
    }
}

#[test]
fn a_denied_charge_does_not_swallow_its_refund() {
    let facts = [session("paid"), missing(Kind::Charge, "ch_1"), by_charge("re_1", 4_000, "succeeded")];
    assert_eq!(read(&facts).refunded, 4_000);
}

#[test]
fn what_stripe_denied_is_not_asked_again() {
    let mut silent = invoice_new();
    silent.fields.remove(&Field::TotalExcludingTax);
    silent.fields.remove(&Field::TaxTotal);
    let sale = read(&[silent, missing(Kind::Invoice, "in_1")]);
    // Gross is never guessed, and there is nobody left to ask.
    assert_eq!((sale.state, sale.needs), (SaleState::Unknown, vec![]));
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

#[test]
fn the_time_of_a_sale_is_chosen_by_kind() {
    let bare = || charge(12_000).with(Field::Invoice, none());
    let mut timeless = invoice_old();
    timeless.fields.remove(&Field::PaidAt);
    let mut late = bare().with(Field::Created, T + 9_999);
    late.object_id = "ch_2".into();
    let failed = bare().with(Field::ChargeStatus, "failed").with(Field::AmountCaptured, 0);
    let [a, b] = no_links(T + 1);
    for (name, facts, at) in [
        ("invoice: when it was paid", vec![invoice_old(), charge(12_000)], 5_000),
        ("invoice without that: its charge", vec![timeless.clone(), charge(12_000)], 4_000),
        ("invoice without either: its own making", vec![timeless], 0),
        ("session: its charge", vec![session("paid"), charge(12_000)], 4_000),
        ("session alone", vec![session("paid")], 1_000),
        ("charge", vec![bare()], 4_000),
        ("the attempt that captured", vec![failed, late], 9_999),
        ("PaymentIntent alone", vec![intent(), a, b], 3_000),
        ("API transaction", vec![api(1)], 7_000),
    ] {
        assert_eq!(read(&facts).occurred_at - T, at, "{name}");
    }
}

#[test]
fn the_buyer_is_a_customer_else_a_guest_else_nobody() {
    let guest = || session("paid").with(Field::Customer, none()).with(Field::EmailHash, "h1");
    let with_customer = intent().with(Field::Customer, "cus_9");
    assert_eq!(read(&[invoice_old()]).buyer, Buyer::Customer("cus_1".into()));
    let sale = read(&[guest()]);
    assert_eq!((sale.buyer, sale.email_hash), (Buyer::Guest("h1".into()), Some("h1".into())));
    // A customer named by any object outranks the guest's address, which stays known.
    let sale = read(&[guest(), with_customer]);
    assert_eq!((sale.buyer, sale.email_hash), (Buyer::Customer("cus_9".into()), Some("h1".into())));
    assert_eq!(read(&[session("paid")]).buyer, Buyer::Unknown("pi_1".into()));
    assert_eq!(read(&[api(1)]).buyer, Buyer::Api("ctm_1".into()));
    // The session's address goes before the charge's.
    let sale = read(&[guest(), charge(12_000).with(Field::EmailHash, "h2")]);
    assert_eq!(sale.email_hash.as_deref(), Some("h1"));
}

#[test]
fn evidence_is_ordered_by_time_and_object_never_by_arrival() {
    let sale = read(&[
        session("paid").with(Field::ClientReferenceId, "maya").with(Field::PartnerKey, "theo"),
        charge(12_000).with(Field::CustomerKey, "c-7"),
        intent().with(Field::PartnerKey, "ida").with(Field::Created, T + 1_000),
    ]);
    let got: Vec<_> = sale
        .evidence
        .iter()
        .map(|e| (e.effective_at - T, e.object_id.as_str(), e.kind, e.value.as_str()))
        .collect();
    assert_eq!(
        got,
        [
            (1_000, "cs_1", EvidenceKind::PartnerMetadata, "theo"),
            (1_000, "cs_1", EvidenceKind::ClientReference, "maya"),
            (1_000, "pi_1", EvidenceKind::PartnerMetadata, "ida"),
            (4_000, "ch_1", EvidenceKind::CustomerMetadata, "c-7"),
        ]
    );
}

#[test]
fn the_subscriptions_metadata_counts_once_beside_the_invoices_own() {
    let sale = read(&[invoice_new()
        .with(Field::PartnerKey, "maya")
        .with(Field::SubscriptionPartnerKey, "maya")
        .with(Field::SubscriptionCustomerKey, "c-7")]);
    let got: Vec<_> = sale.evidence.iter().map(|e| (e.kind, e.value.as_str())).collect();
    assert_eq!(got, [(EvidenceKind::PartnerMetadata, "maya"), (EvidenceKind::CustomerMetadata, "c-7")]);
}

#[test]
fn an_api_transaction_brings_its_own_reward_and_may_earn_nothing() {
    let sale = read(&[api(4_000).with(Field::ApiReward, 250).with(Field::ApiRewardable, false)]);
    assert_eq!((sale.fixed_reward, sale.rewardable), (Some(250), false));
    // Also where Stripe's own objects say what the money was.
    let sale =
        read(&[api(4_000).with(Field::ApiReward, 250).with(Field::ApiStripeId, "in_1"), invoice_new()]);
    assert_eq!((sale.fixed_reward, sale.total, sale.currency.as_str()), (Some(250), 12_000, "usd"));
    assert_eq!(sale.evidence[0].kind, EvidenceKind::Api);
}

#[test]
fn a_reward_without_an_amount_counts_and_nothing_without_either_does() {
    let sale = read(&[api(0).with(Field::ApiReward, 250)]);
    assert_eq!((sale.state, sale.total, sale.captured), (SaleState::Paid, 0, 0));
    assert_eq!(read(&[api(0).with(Field::ApiReward, 0)]).state, SaleState::NothingToPay);
    assert_eq!(read(&[api(0)]).state, SaleState::NothingToPay);
    // What Stripe says of the same purchase is its money.
    let sale = read(&[api(0).with(Field::ApiReward, 250).with(Field::ApiStripeId, "in_1"), invoice_new()]);
    assert_eq!((sale.fixed_reward, sale.total), (Some(250), 12_000));
}

#[test]
fn a_charge_alone_is_gross_and_says_so() {
    assert!(read(&[charge(12_000).with(Field::Invoice, none())]).tax_unknown);
    assert!(!read(&[session("paid"), charge(12_000)]).tax_unknown);
    assert!(!read(&[invoice_old(), charge(12_000)]).tax_unknown);
}

#[test]
fn a_charge_in_another_currency_gives_the_share_but_not_the_part_paid() {
    let euros = charge(11_000).with(Field::Currency, "eur").with(Field::AmountRefunded, 11_000);
    for told in [session("paid"), invoice_old()] {
        let sale = read(&[told, euros.clone(), by_charge("re_1", 11_000, "succeeded")]);
        assert_eq!((sale.paid, sale.captured, sale.refunded), (12_000, 11_000, 11_000));
        assert_eq!(sale.currency, "usd");
    }
}

#[test]
fn the_share_kept_of_an_invoice_is_over_all_that_was_captured() {
    // Paid twice over, all of it given back.
    let twice = charge(15_000).with(Field::AmountRefunded, 15_000);
    let sale = read(&[invoice_old(), twice, by_charge("re_1", 15_000, "succeeded")]);
    assert_eq!((sale.paid, sale.captured, sale.refunded), (12_000, 15_000, 15_000));
    // Paid by two charges, of which one is known: the other's part is kept.
    let sale = read(&[invoice_old(), charge(5_000), by_charge("re_1", 5_000, "succeeded")]);
    assert_eq!((sale.paid, sale.captured, sale.refunded), (12_000, 12_000, 5_000));
}

#[test]
fn absurd_parts_stay_inside_the_total() {
    let sale = read(&[session("paid").with(Field::AmountTax, 99_000).with(Field::AmountShipping, -7)]);
    assert_eq!((sale.tax, sale.shipping), (12_000, 0));
    let sale = read(&[invoice_new().with(Field::TotalExcludingTax, -1)]);
    assert_eq!((sale.tax, sale.shipping), (12_000, 0));
    let sale = read(&[invoice_new().with(Field::TotalExcludingTax, 99_000)]);
    assert_eq!((sale.tax, sale.shipping), (0, 500));
}

#[test]
fn nothing_known_is_no_sale() {
    assert_eq!(read_sale(&Members::new()), None);
    assert_eq!(read_sale(&Members::from([("plan_1".to_owned(), None)])), None);
}

#[test]
fn the_root_is_the_strongest_kind_then_the_smallest_id() {
    let mut facts = vec![session("paid"), charge(12_000), by_charge("re_1", 1, "succeeded")];
    assert_eq!(read(&facts).root_id, "pi_1");
    facts.push(invoice_payment());
    assert_eq!(read(&facts).root_id, "in_1");
    let mut second = session("paid");
    second.object_id = "cs_0".into();
    let alone = |mut fact: Fact| {
        fact.set(Field::PaymentIntent, none());
        fact
    };
    let sale = read(&[alone(session("paid")), alone(second)]);
    assert_eq!((sale.root_kind, sale.root_id.as_str()), (RootKind::Session, "cs_0"));
}

#[path = "sale_shapes_tests.rs"]
mod shapes;
