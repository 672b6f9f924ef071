//! Purchases as Stripe tells them, and a small alias table, for the tests of this crate.

use proptest::prelude::*;
use tributary_domain::fact::{Fact, Field, Kind};
use tributary_domain::merge::ObjectState;
use tributary_domain::sale::Members;

/// When the stories begin, ms UTC.
pub const T: i64 = 1_760_000_000_000;

/// A fact with the id of its source.
pub type Sourced = (Fact, String);

/// Provisional sales, none of which shares an object id with another.
#[derive(Debug, Default, Clone)]
pub struct World {
    /// The objects of each.
    pub sales: Vec<Members>,
}

impl World {
    /// Takes a fact in: every id that it names becomes an alias of one sale.
    pub fn learn(&mut self, (fact, source): &Sourced) {
        let state = ObjectState::from_fact(fact, source);
        let mut members: Members = state.links().map(|link| (link.to_owned(), None)).collect();
        members.insert(fact.object_id.clone(), Some(state));
        self.join(members);
    }

    /// Joins a provisional sale with all those that share an id with it.
    pub fn join(&mut self, newcomer: Members) {
        let (shared, apart): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sales)
            .into_iter()
            .partition(|sale| sale.keys().any(|id| newcomer.contains_key(id)));
        self.sales = apart;
        let mut whole = newcomer;
        for (id, theirs) in shared.into_iter().flatten() {
            let ours = whole.entry(id).or_default();
            match (ours.as_mut(), theirs) {
                (Some(ours), Some(theirs)) => {
                    ours.merge(theirs);
                }
                (None, theirs) => *ours = theirs,
                (Some(_), None) => {}
            }
        }
        self.sales.push(whole);
    }
}

/// How Stripe describes a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Invoice with its PaymentIntent and charge (before basil).
    InvoiceOld,
    /// Invoice, joined by an invoice payment (since basil).
    InvoiceNew,
    /// Checkout in payment mode.
    Session,
    /// Checkout in subscription mode with its first invoice.
    Subscription,
    /// A charge alone, its `invoice` null.
    ChargeOld,
    /// A charge alone, its look-ups answered.
    ChargeNew,
    /// A charge that the API names too.
    Api,
}

/// The figures of a story, minor units.
#[derive(Debug, Clone)]
pub struct Story {
    /// Ends every id.
    pub suffix: String,
    /// How it is told.
    pub shape: Shape,
    /// Total.
    pub total: i64,
    /// Tax in it.
    pub tax: i64,
    /// Paid of it (all of it, but by invoices).
    pub paid: i64,
    /// Refunds: amount, did it fail, does it name its charge?
    pub refunds: Vec<(i64, bool, bool)>,
    /// Does the charge tell its refunded total?
    pub total_told: bool,
    /// Disputes: amount, how they end, are their movements told?
    pub disputes: Vec<(i64, Ending, bool)>,
    /// Given back outside of Stripe by a credit note, where there is an invoice.
    pub credited: i64,
    /// Is Stripe's fee told?
    pub fee_told: bool,
}

/// How a dispute ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Not yet.
    Open,
    /// The money came back.
    Won,
    /// It did not.
    Lost,
    /// It did, though the dispute was lost.
    LostAndReinstated,
    /// An inquiry that came to nothing.
    Inquiry,
}

impl Story {
    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.suffix)
    }

    /// Everything that Stripe says, early and late snapshots, in order of time.
    pub fn facts(&self) -> Vec<Sourced> {
        let mut facts = Vec::new();
        let (mut at, mut number) = (T, 0);
        let mut say = |fact: Fact| {
            number += 1;
            // Two facts share each instant: ties must break on the source.
            at += i64::from(number % 2 == 0) * 1_000;
            facts.push((Fact { at, ..fact }, format!("evt_{}_{number:02}", self.suffix)));
        };
        for paid in [false, true] {
            self.objects(paid).into_iter().for_each(&mut say);
        }
        let refunds = self.refunds.iter().enumerate();
        for (number, (amount, failed, names_charge)) in refunds {
            let told = |status| {
                let fact = Fact::new(Kind::Refund, format!("re_{}_{number}", self.suffix), 0)
                    .with(Field::Created, T + 50_000)
                    .with(Field::Amount, *amount)
                    .with(Field::RefundStatus, status)
                    .with(Field::PaymentIntent, self.id("pi"));
                if *names_charge { fact.with(Field::Charge, self.id("ch")) } else { fact }
            };
            say(told("pending"));
            say(told("succeeded"));
            if *failed {
                say(told("failed"));
            }
        }
        for (number, (amount, ending, told)) in self.disputes.iter().enumerate() {
            self.dispute(number, *amount, *ending, *told).into_iter().for_each(&mut say);
        }
        if self.invoiced() && self.credited > 0 {
            let note = |status: &str| {
                Fact::new(Kind::CreditNote, self.id("cn"), 0)
                    .with(Field::CreditStatus, status)
                    .with(Field::OutOfBand, self.credited)
                    .with(Field::Invoice, self.id("in"))
            };
            say(note("issued"));
            // Another one was taken back.
            say(Fact { object_id: format!("cn_{}_void", self.suffix), ..note("issued") });
            say(Fact { object_id: format!("cn_{}_void", self.suffix), ..note("void") });
        }
        if self.fee_told {
            say(Fact::new(Kind::BalanceTransaction, self.id("txn"), 0)
                .with(Field::Amount, self.paid)
                .with(Field::Currency, "usd")
                .with(Field::Fee, self.paid / 50)
                .with(Field::Charge, self.id("ch")));
        }
        if self.total_told {
            let sum: i64 = self.refunds.iter().map(|(amount, ..)| amount).sum();
            say(Fact::new(Kind::Charge, self.id("ch"), 0).with(Field::AmountRefunded, sum));
        }
        facts
    }

    fn dispute(&self, number: usize, amount: i64, ending: Ending, told: bool) -> Vec<Fact> {
        let id = format!("dp_{}_{number}", self.suffix);
        let state = |status: &str| {
            Fact::new(Kind::Dispute, id.clone(), 0)
                .with(Field::Created, T + 60_000)
                .with(Field::Amount, amount)
                .with(Field::Currency, "usd")
                .with(Field::DisputeStatus, status)
                .with(Field::Charge, self.id("ch"))
                .with(Field::PaymentIntent, self.id("pi"))
        };
        let moved = |way: &str, amount: i64| {
            Fact::new(Kind::BalanceTransaction, format!("txn_{}_{number}_{way}", self.suffix), 0)
                .with(Field::Amount, amount)
                .with(Field::Currency, "usd")
                .with(Field::Fee, 1_500)
                .with(Field::Dispute, id.clone())
        };
        let (away, back) = (moved("away", -amount), moved("back", amount));
        let open = state("needs_response");
        match ending {
            Ending::Inquiry => vec![state("warning_needs_response"), state("warning_closed")],
            Ending::Open if told => vec![open, away],
            Ending::Open => vec![open],
            Ending::Won if told => vec![open, away, back, state("won")],
            Ending::Won => vec![open, state("won")],
            Ending::Lost if told => vec![open, away, state("lost")],
            Ending::Lost => vec![open, state("lost")],
            Ending::LostAndReinstated => vec![open, away, state("lost"), back],
        }
    }

    fn objects(&self, paid: bool) -> Vec<Fact> {
        let invoice = self.invoice(paid);
        let session = self.session(paid);
        let (charge, intent) = (self.charge(paid), self.intent(paid));
        let null = None::<&str>;
        match self.shape {
            Shape::InvoiceOld => vec![
                invoice.with(Field::PaymentIntent, self.id("pi")).with(Field::Charge, self.id("ch")),
                intent.with(Field::Invoice, self.id("in")),
                charge.with(Field::Invoice, self.id("in")),
            ],
            Shape::InvoiceNew => vec![invoice, intent, charge, self.invoice_payment(paid)],
            Shape::Session => vec![session.with(Field::PaymentIntent, self.id("pi")), charge, intent],
            Shape::Subscription => vec![
                session.with(Field::Mode, "subscription").with(Field::Invoice, self.id("in")),
                self.invoice_payment(paid),
                invoice,
                charge,
            ],
            Shape::ChargeOld => vec![charge.with(Field::Invoice, null), intent],
            Shape::ChargeNew => vec![
                charge,
                Fact::new(Kind::PaymentIntent, self.id("pi"), 0).with(Field::NoSession, true),
                intent.with(Field::NoInvoicePayment, paid),
            ],
            Shape::Api => vec![
                charge.with(Field::Invoice, null),
                Fact::new(Kind::ApiTransaction, format!("api:{}", self.suffix), 0)
                    .with(Field::Created, T + 7)
                    .with(Field::Amount, self.total)
                    .with(Field::Currency, "usd")
                    .with(Field::ApiCustomer, "ctm_1")
                    .with(Field::ApiStripeId, self.id("ch")),
            ],
        }
    }

    fn invoice(&self, paid: bool) -> Fact {
        let fact = Fact::new(Kind::Invoice, self.id("in"), 0)
            .with(Field::Created, T)
            .with(Field::Currency, "usd")
            .with(Field::Customer, "cus_1")
            .with(Field::InvoiceStatus, if paid { "paid" } else { "open" })
            .with(Field::Total, self.total)
            .with(Field::TotalExcludingTax, self.total - self.tax)
            .with(Field::ShippingExcludingTax, 0)
            .with(Field::AmountPaid, if paid { self.paid } else { 0 })
            .with(Field::SubscriptionPartnerKey, "maya");
        if paid { fact.with(Field::PaidAt, T + 9_000) } else { fact }
    }

    fn invoice_payment(&self, paid: bool) -> Fact {
        Fact::new(Kind::InvoicePayment, self.id("inpay"), 0)
            .with(Field::Invoice, self.id("in"))
            .with(Field::PaymentIntent, self.id("pi"))
            .with(Field::InvoicePaymentStatus, if paid { "paid" } else { "open" })
    }

    fn session(&self, paid: bool) -> Fact {
        Fact::new(Kind::Session, self.id("cs"), 0)
            .with(Field::Created, T + 1)
            .with(Field::Mode, "payment")
            .with(Field::PaymentStatus, if paid { "paid" } else { "unpaid" })
            .with(Field::Currency, "usd")
            .with(Field::AmountTotal, self.total)
            .with(Field::AmountTax, self.tax)
            .with(Field::EmailHash, "h1")
            .with(Field::ClientReferenceId, "theo")
    }

    fn charge(&self, paid: bool) -> Fact {
        Fact::new(Kind::Charge, self.id("ch"), 0)
            .with(Field::Created, T + 3)
            .with(Field::Currency, "usd")
            .with(Field::ChargeStatus, if paid { "succeeded" } else { "pending" })
            .with(Field::Amount, self.paid)
            .with(Field::AmountCaptured, if paid { self.paid } else { 0 })
            .with(Field::AmountRefunded, 0)
            .with(Field::PaymentIntent, self.id("pi"))
            .with(Field::CustomerKey, "c-7")
    }

    fn intent(&self, paid: bool) -> Fact {
        Fact::new(Kind::PaymentIntent, self.id("pi"), 0)
            .with(Field::Created, T + 2)
            .with(Field::Currency, "usd")
            .with(Field::IntentStatus, if paid { "succeeded" } else { "processing" })
            .with(Field::AmountReceived, if paid { self.paid } else { 0 })
            .with(Field::LatestCharge, self.id("ch"))
    }

    /// Is there an invoice?
    pub fn invoiced(&self) -> bool {
        matches!(self.shape, Shape::InvoiceOld | Shape::InvoiceNew | Shape::Subscription)
    }

    fn refunded_by_stripe(&self) -> i64 {
        let stayed = self.refunds.iter().filter(|(_, failed, _)| !failed).map(|(amount, ..)| amount);
        stayed.sum::<i64>().min(self.paid)
    }

    /// What disputes must have taken in the end.
    pub fn lost(&self) -> i64 {
        let lost = self.disputes.iter().filter(|(_, ending, _)| *ending == Ending::Lost);
        lost.map(|(amount, ..)| amount).sum::<i64>().min(self.paid - self.refunded_by_stripe())
    }

    /// What must have been given back in the end, outside of Stripe too.
    pub fn refunded(&self) -> i64 {
        let credited = if self.invoiced() { self.credited } else { 0 };
        self.refunded_by_stripe() + credited.min(self.paid - self.refunded_by_stripe() - self.lost())
    }

    /// Is a dispute open in the end?
    pub fn disputed(&self) -> bool {
        self.disputes.iter().any(|(_, ending, _)| *ending == Ending::Open)
    }

    /// Does the telling know the tax?
    pub fn tells_tax(&self) -> bool {
        !matches!(self.shape, Shape::ChargeOld | Shape::ChargeNew | Shape::Api)
    }
}

/// Any story whose ids end in `suffix`.
pub fn story(suffix: &'static str) -> impl Strategy<Value = Story> {
    let shape = prop::sample::select(vec![
        Shape::InvoiceOld,
        Shape::InvoiceNew,
        Shape::Session,
        Shape::Subscription,
        Shape::ChargeOld,
        Shape::ChargeNew,
        Shape::Api,
    ]);
    (shape, 1..=1_000_000_000_000_i64, 0..=100_i64, 1..=100_i64).prop_flat_map(
        move |(shape, total, tax, paid)| {
            let tax = total / 101 * tax;
            let partly = matches!(shape, Shape::InvoiceOld | Shape::InvoiceNew | Shape::Subscription);
            let paid = if partly { (total / 100 * paid).max(1) } else { total };
            let refund = (1..=total, any::<bool>(), any::<bool>());
            let ending = prop::sample::select(vec![
                Ending::Open,
                Ending::Won,
                Ending::Lost,
                Ending::LostAndReinstated,
                Ending::Inquiry,
            ]);
            let disputes = proptest::collection::vec((1..=total, ending, any::<bool>()), 0..3);
            let credited = prop_oneof![2 => Just(0), 1 => 1..=total];
            let more = (disputes, credited, any::<bool>());
            (proptest::collection::vec(refund, 0..4), any::<bool>(), more).prop_map(
                move |(refunds, total_told, (disputes, credited, fee_told))| Story {
                    suffix: suffix.to_owned(),
                    shape,
                    total,
                    tax,
                    paid,
                    refunds,
                    total_told,
                    disputes,
                    credited,
                    fee_told,
                },
            )
        },
    )
}
