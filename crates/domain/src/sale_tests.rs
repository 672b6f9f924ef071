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

#[path = "sale_purchases_tests.rs"]
mod purchases;
#[path = "sale_refunds_tests.rs"]
mod refunded;
#[path = "sale_shapes_tests.rs"]
mod shapes;
