//! Every shape of a purchase as it is read, and what becomes of one whose parent Stripe denies.

use super::*;

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
fn what_stripe_denied_is_not_asked_again() {
    let mut silent = invoice_new();
    silent.fields.remove(&Field::TotalExcludingTax);
    silent.fields.remove(&Field::TaxTotal);
    let sale = read(&[silent, missing(Kind::Invoice, "in_1")]);
    // Gross is never guessed, and there is nobody left to ask.
    assert_eq!((sale.state, sale.needs), (SaleState::Unknown, vec![]));
}
