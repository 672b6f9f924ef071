//! From the objects of one purchase to one sale: a pure function of everything known about them.

use crate::fact::{Field, Kind};
use crate::merge::ObjectState;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod detail;
mod disputes;
mod evidence;
mod fees;
mod invoice;
mod lines;
mod need;
mod refunds;
mod whole;

pub use detail::{Detail, Fee, Line, Wants};
pub use evidence::{EvidenceKind, RawEvidence};
pub use lines::encode_lines;
pub use need::Need;

/// What a sale is rooted in; the first kind present wins, then the smallest id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootKind {
    /// An invoice.
    Invoice,
    /// A PaymentIntent.
    PaymentIntent,
    /// A charge.
    Charge,
    /// A Checkout Session.
    Session,
    /// A transaction written by API.
    ApiTransaction,
    /// Something that only points at a purchase (a refund, an invoice payment).
    Other,
}

impl RootKind {
    /// The rank of an object kind.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Invoice => Self::Invoice,
            Kind::PaymentIntent => Self::PaymentIntent,
            Kind::Charge => Self::Charge,
            Kind::Session => Self::Session,
            Kind::ApiTransaction => Self::ApiTransaction,
            Kind::InvoicePayment
            | Kind::Refund
            | Kind::Dispute
            | Kind::CreditNote
            | Kind::BalanceTransaction
            | Kind::Line
            | Kind::Customer
            | Kind::Subscription
            | Kind::PromotionCode => Self::Other,
        }
    }
}

/// Where a sale stands before terms are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    /// Money was captured: a sale.
    Paid,
    /// A bare charge that may belong to an invoice or a session: asked, not answered yet.
    AwaitingLink,
    /// Its invoice or its amounts are not known yet: asked, not answered yet.
    AwaitingParent,
    /// Not paid (yet).
    Unpaid,
    /// Nothing was to pay: a trial, a full discount, a credit.
    NothingToPay,
    /// Authorised, not captured.
    Uncaptured,
    /// Stripe was asked and has no such purchase, and what is known of it is not enough to count it. Nothing is left to
    /// ask; an event that says more changes that.
    Unknown,
}

impl SaleState {
    /// The text kept in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::AwaitingLink => "awaiting_link",
            Self::AwaitingParent => "awaiting_parent",
            Self::Unpaid => "unpaid",
            Self::NothingToPay => "nothing_to_pay",
            Self::Uncaptured => "uncaptured",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the text kept in the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Paid,
            Self::AwaitingLink,
            Self::AwaitingParent,
            Self::Unpaid,
            Self::NothingToPay,
            Self::Uncaptured,
            Self::Unknown,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// Who bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Buyer {
    /// A Stripe customer.
    Customer(String),
    /// A guest with an e-mail address (its HMAC).
    Guest(String),
    /// Nobody is named; the root stands in.
    Unknown(String),
    /// A customer of ours, named by an API transaction.
    Api(String),
}

/// One purchase, read from all its objects. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleView {
    /// The kind of the root.
    pub root_kind: RootKind,
    /// The root: the same for every order of arrival.
    pub root_id: String,
    /// Where it stands.
    pub state: SaleState,
    /// When the money came, ms UTC.
    pub occurred_at: i64,
    /// Lower case; empty while unknown.
    pub currency: String,
    /// Total before anything is taken off, tax and shipping included.
    pub total: i64,
    /// Tax in the total.
    pub tax: i64,
    /// Shipping in the total, without tax.
    pub shipping: i64,
    /// Discount already taken off, for the explanation only.
    pub discount: i64,
    /// Paid of the total, never more than it.
    pub paid: i64,
    /// Captured over all charges (or paid, where no charge is known).
    pub captured: i64,
    /// Given back of what was captured, outside of Stripe too.
    pub refunded: i64,
    /// Taken back of what was captured, by disputes that are over.
    pub lost: i64,
    /// What open disputes ask back; while it is above 0 nothing leaves its hold.
    pub disputed: i64,
    /// A charge alone does not say what tax it holds.
    pub tax_unknown: bool,
    /// Who bought.
    pub buyer: Buyer,
    /// HMAC of the buyer's e-mail, if any object has one.
    pub email_hash: Option<String>,
    /// Reasons to attribute, in order of (time, object id).
    pub evidence: Vec<RawEvidence>,
    /// What must be asked of Stripe.
    pub needs: Vec<Need>,
    /// What some terms look at and others do not.
    pub detail: Detail,
    /// What must be asked of Stripe before terms that look at the fee can be applied.
    pub fee_needs: Vec<Need>,
    /// What must be asked of Stripe before terms with product rules can be applied.
    pub line_needs: Vec<Need>,
    /// What must be asked of Stripe before terms that leave out what came past it can be applied.
    pub off_needs: Vec<Need>,
    /// An API transaction may say that it earns nothing.
    pub rewardable: bool,
    /// An API transaction may set its own reward, minor units.
    pub fixed_reward: Option<i64>,
}

/// The objects of one purchase: every id known to belong to it, with its state where any source described it.
pub type Members = BTreeMap<String, Option<ObjectState>>;

/// Reads one purchase. The same members give the same sale, whatever the order they came in.
#[must_use]
pub fn read_sale(members: &Members) -> Option<SaleView> {
    let reader = Reader::new(members);
    let (root_kind, root_id) = reader.root()?;
    let money = reader.money().or_unknown();
    let buyer = reader.buyer(&root_id);
    let given = reader.given_back(&money);
    let (fees, fee_needs) = reader.fees(&money);
    let (lines, line_needs) = reader.lines(&money);
    let off_needs =
        if money.off_unknown { reader.of(Kind::Invoice).filter_map(ask).collect() } else { vec![] };
    let mut needs = money.needs;
    needs.extend(reader.unexplained_refunds());
    needs.extend(reader.unread_codes());
    needs.extend(reader.unexplained_disputes());
    needs.extend(reader.silent_credit_notes());
    let detail = Detail {
        shipping_tax: money.shipping_tax,
        off_stripe: money.off_stripe.min(money.total.max(0)),
        off_unknown: money.off_unknown,
        off_captured: given.off_captured,
        credited: given.credited,
        fees,
        lines,
    };
    Some(SaleView {
        root_kind,
        state: money.state,
        occurred_at: money.occurred_at,
        currency: money.currency,
        total: money.total,
        tax: money.tax,
        shipping: money.shipping,
        discount: money.discount,
        paid: money.paid.min(money.total.max(0)),
        captured: given.captured,
        refunded: given.refunded,
        lost: given.lost,
        disputed: reader.disputed(given.captured),
        detail,
        fee_needs,
        line_needs,
        off_needs,
        tax_unknown: money.tax_unknown,
        email_hash: reader.email(),
        evidence: reader.evidence(),
        needs: needs.into_iter().collect(),
        rewardable: reader.rewardable(),
        fixed_reward: reader.of(Kind::ApiTransaction).find_map(|api| api.int(Field::ApiReward)),
        buyer,
        root_id,
    })
}

struct Money {
    state: SaleState,
    occurred_at: i64,
    currency: String,
    total: i64,
    tax: i64,
    shipping: i64,
    shipping_tax: i64,
    discount: i64,
    paid: i64,
    /// Of `paid`, what came outside of Stripe.
    off_stripe: i64,
    /// Nobody has said how much of it came outside of Stripe.
    off_unknown: bool,
    captured: i64,
    tax_unknown: bool,
    needs: BTreeSet<Need>,
}

impl Money {
    fn nothing(state: SaleState) -> Self {
        Self {
            state,
            occurred_at: 0,
            currency: String::new(),
            total: 0,
            tax: 0,
            shipping: 0,
            shipping_tax: 0,
            discount: 0,
            paid: 0,
            off_stripe: 0,
            off_unknown: false,
            captured: 0,
            tax_unknown: false,
            needs: BTreeSet::new(),
        }
    }
    /// What waits and has nothing to ask for would wait for ever.
    fn or_unknown(mut self) -> Self {
        if matches!(self.state, SaleState::AwaitingLink | SaleState::AwaitingParent) && self.needs.is_empty()
        {
            self.state = SaleState::Unknown;
        }
        self
    }

    fn needing(mut self, needs: impl IntoIterator<Item = Need>) -> Self {
        self.needs.extend(needs);
        self
    }
}

struct Reader<'m> {
    members: &'m Members,
}

impl<'m> Reader<'m> {
    const fn new(members: &'m Members) -> Self {
        Self { members }
    }

    /// The described objects of one kind, in order of their ids.
    fn of(&self, kind: Kind) -> impl Iterator<Item = &'m ObjectState> + use<'m> {
        self.members.values().flatten().filter(move |state| state.kind == kind && !denied(state))
    }

    fn root(&self) -> Option<(RootKind, String)> {
        self.members
            .iter()
            .filter_map(|(id, state)| {
                let kind = state.as_ref().map(|state| state.kind).or_else(|| Kind::of_stripe_id(id))?;
                Some((RootKind::of(kind), id.clone()))
            })
            .min()
    }

    /// Ids of one kind that are named but were never described, and that Stripe has not denied.
    fn undescribed(&self, kind: Kind) -> impl Iterator<Item = &'m String> + use<'m> {
        self.members
            .iter()
            .filter(move |(id, state)| state.is_none() && Kind::of_stripe_id(id) == Some(kind))
            .map(|(id, _)| id)
    }

    fn money(&self) -> Money {
        if let Some(invoice) = self.of(Kind::Invoice).next() {
            return self.whole(invoice, self.of_invoice(invoice));
        }
        // An invoice is named but not described: only it knows the base.
        let waiting: Vec<_> = self.undescribed(Kind::Invoice).cloned().map(Need::Object).collect();
        if !waiting.is_empty() {
            return Money::nothing(SaleState::AwaitingParent).needing(waiting);
        }
        let session = self
            .of(Kind::Session)
            .filter(|session| session.text(Field::Mode) != Some("setup"))
            .min_by_key(|session| (!self.session_paid(session), &session.id));
        if let Some(session) = session {
            return self.whole(session, self.of_session(session));
        }
        if self.of(Kind::Charge).next().is_some() || self.of(Kind::PaymentIntent).next().is_some() {
            return self.of_charges();
        }
        if let Some(api) = self.of(Kind::ApiTransaction).next() {
            return Self::of_api(api);
        }
        let parents = self.undescribed(Kind::Charge).chain(self.undescribed(Kind::PaymentIntent)).next();
        // What belongs to a payment and names none is asked in a shape that does.
        let orphan = || {
            let kinds = [Kind::Refund, Kind::Dispute, Kind::CreditNote];
            kinds.into_iter().find_map(|kind| self.of(kind).find_map(ask))
        };
        Money::nothing(SaleState::AwaitingParent).needing(parents.cloned().map(Need::Object).or_else(orphan))
    }

    /// Is the session paid, by its own word or because money was captured for its PaymentIntent?
    fn session_paid(&self, session: &ObjectState) -> bool {
        let intent = session.text(Field::PaymentIntent);
        session.text(Field::PaymentStatus) == Some("paid")
            || intent.is_some_and(|intent| {
                self.of(Kind::PaymentIntent)
                    .any(|pi| pi.id == intent && pi.text(Field::IntentStatus) == Some("succeeded"))
                    || self.captured_charges().any(|ch| ch.text(Field::PaymentIntent) == Some(intent))
            })
    }

    fn of_session(&self, session: &ObjectState) -> Money {
        if session.text(Field::PaymentStatus) == Some("no_payment_required") {
            return Money::nothing(SaleState::NothingToPay);
        }
        // A subscription's money comes by its invoices; the session only carries attribution.
        if Self::subscribes(session) {
            return Money::nothing(SaleState::AwaitingParent).needing(ask(session));
        }
        if !self.session_paid(session) {
            return Money::nothing(SaleState::Unpaid);
        }
        let int = |field| session.int(field).unwrap_or(0);
        let captured = self.captured();
        let mut money = Money::nothing(SaleState::Paid);
        money.currency = session.text(Field::Currency).unwrap_or_default().to_owned();
        money.occurred_at = self.charged_at().unwrap_or_else(|| session.created());
        money.total = int(Field::AmountTotal).max(0);
        if money.total == 0 {
            money.state = SaleState::NothingToPay;
            return money;
        }
        money.tax = int(Field::AmountTax).clamp(0, money.total);
        money.shipping = int(Field::AmountShipping).clamp(0, money.total - money.tax);
        money.shipping_tax = int(Field::ShippingTax).clamp(0, money.tax);
        money.discount = int(Field::AmountDiscount);
        money.captured = if captured > 0 { captured } else { money.total };
        // A charge in another currency says what came in, not which part of this total.
        money.paid = if self.charged_in(&money.currency) { money.captured } else { money.total };
        money
    }

    fn of_charges(&self) -> Money {
        let captured = self.captured();
        let received = self.of(Kind::PaymentIntent).filter_map(|pi| pi.int(Field::AmountReceived));
        let received = received.fold(0_i64, |sum, amount| sum.saturating_add(amount.max(0)));
        let got = if captured > 0 { captured } else { received };
        let mut money = Money::nothing(SaleState::Paid);
        money.occurred_at = self
            .charged_at()
            .or_else(|| self.of(Kind::PaymentIntent).map(ObjectState::created).min())
            .unwrap_or(0);
        let mut tellers =
            self.captured_charges().chain(self.of(Kind::PaymentIntent)).chain(self.of(Kind::Charge));
        money.currency =
            tellers.find_map(|object| object.text(Field::Currency)).unwrap_or_default().to_owned();
        if got <= 0 {
            let held = self.of(Kind::Charge).any(|ch| ch.text(Field::ChargeStatus) == Some("succeeded"))
                || self
                    .of(Kind::PaymentIntent)
                    .any(|pi| pi.text(Field::IntentStatus) == Some("requires_capture"));
            money.state = if held { SaleState::Uncaptured } else { SaleState::Unpaid };
            return money;
        }
        let open = self.open_links();
        if !open.is_empty() {
            money.state = SaleState::AwaitingLink;
            return money.needing(open);
        }
        (money.total, money.paid, money.captured) = (got, got, got);
        money.tax_unknown = true;
        money
    }

    /// Look-ups that must be answered before a bare charge is a sale of its own.
    fn open_links(&self) -> Vec<Need> {
        // The link was found, but Stripe has no such invoice: the charge's own event is enough.
        if self.members.values().flatten().any(|state| state.kind == Kind::Invoice) {
            return Vec::new();
        }
        let intents = self.members.keys().filter(|id| Kind::of_stripe_id(id) == Some(Kind::PaymentIntent));
        let mut open: Vec<Need> =
            intents.filter(|id| !self.stands_alone(id)).cloned().map(Need::LinksOf).collect();
        // A charge without a PaymentIntent cannot come from a session; before basil its `invoice` decides.
        // Where neither is said, the charge is fetched in a shape that tells.
        open.extend(self.of(Kind::Charge).filter_map(|charge| {
            let silent = charge.text(Field::PaymentIntent).is_none()
                && !charge.said_none(Field::PaymentIntent)
                && !charge.said_none(Field::Invoice)
                && !charge.flag(Field::Missing);
            silent.then(|| Need::Object(charge.id.clone()))
        }));
        open
    }

    /// Has a source said that this PaymentIntent belongs to no invoice (and to no session)?
    fn stands_alone(&self, intent: &str) -> bool {
        let state = self.members.get(intent).and_then(Option::as_ref);
        let answered = state.is_some_and(|pi| {
            pi.said_none(Field::Invoice)
                || pi.flag(Field::Missing)
                || (pi.flag(Field::NoInvoicePayment) && pi.flag(Field::NoSession))
        });
        answered
            || self.of(Kind::Charge).any(|charge| {
                charge.text(Field::PaymentIntent) == Some(intent) && charge.said_none(Field::Invoice)
            })
    }

    fn of_api(api: &ObjectState) -> Money {
        let amount = api.int(Field::Amount).unwrap_or(0);
        // A reward that was given without an amount is owed like one of a sale.
        let counts = amount > 0 || api.int(Field::ApiReward).is_some_and(|reward| reward > 0);
        let mut money = Money::nothing(if counts { SaleState::Paid } else { SaleState::NothingToPay });
        money.currency = api.text(Field::Currency).unwrap_or_default().to_owned();
        money.occurred_at = api.created();
        (money.total, money.paid, money.captured) = (amount.max(0), amount.max(0), amount.max(0));
        money
    }

    /// Objects in the order in which they are asked about people.
    fn by_trust(&self) -> impl Iterator<Item = &'m ObjectState> {
        const ORDER: [Kind; 5] =
            [Kind::Invoice, Kind::Session, Kind::PaymentIntent, Kind::Charge, Kind::Refund];
        let members = Self::new(self.members);
        ORDER.into_iter().flat_map(move |kind| members.of(kind))
    }

    fn email(&self) -> Option<String> {
        self.by_trust().find_map(|object| object.text(Field::EmailHash)).map(str::to_owned)
    }

    fn buyer(&self, root: &str) -> Buyer {
        if let Some(id) = self.by_trust().find_map(|object| object.text(Field::Customer)) {
            return Buyer::Customer(id.to_owned());
        }
        if let Some(hash) = self.email() {
            return Buyer::Guest(hash);
        }
        match self.of(Kind::ApiTransaction).find_map(|api| api.text(Field::ApiCustomer)) {
            Some(customer) => Buyer::Api(customer.to_owned()),
            None => Buyer::Unknown(root.to_owned()),
        }
    }

    fn evidence(&self) -> Vec<RawEvidence> {
        const KEYS: [(Field, EvidenceKind); 9] = [
            (Field::PartnerKey, EvidenceKind::PartnerMetadata),
            (Field::SubscriptionPartnerKey, EvidenceKind::PartnerMetadata),
            (Field::LinePartnerKey, EvidenceKind::PartnerMetadata),
            (Field::CustomerKey, EvidenceKind::CustomerMetadata),
            (Field::LineCustomerKey, EvidenceKind::CustomerMetadata),
            (Field::SubscriptionCustomerKey, EvidenceKind::CustomerMetadata),
            (Field::ClientReferenceId, EvidenceKind::ClientReference),
            (Field::ApiCustomer, EvidenceKind::Api),
            (Field::EmailHash, EvidenceKind::Email),
        ];
        let objects = self.members.values().flatten().filter(|object| !object.kind.stands_apart());
        let codes = objects.clone().flat_map(|object| {
            let ids = object.text(Field::PromotionCode).unwrap_or_default().split_whitespace();
            ids.map(|id| RawEvidence {
                effective_at: object.created(),
                object_id: object.id.clone(),
                kind: EvidenceKind::PromotionCode,
                value: id.to_owned(),
            })
        });
        let codes: Vec<_> = codes.collect();
        let mut found: Vec<RawEvidence> = objects
            .flat_map(|object| {
                KEYS.iter().filter_map(move |(field, kind)| {
                    let value = object.text(*field)?.to_owned();
                    let (effective_at, object_id) = (object.created(), object.id.clone());
                    Some(RawEvidence { effective_at, object_id, kind: *kind, value })
                })
            })
            .collect();
        found.extend(codes);
        found.sort();
        found.dedup();
        found
    }

    /// Invoices and sessions that named discounts, in a shape that does not show the codes behind them.
    fn unread_codes(&self) -> Vec<Need> {
        let hides = |object: &&ObjectState| {
            object.flag(Field::CodesHidden) && !object.flag(Field::CodesRead) && !object.flag(Field::Missing)
        };
        let tellers = self.of(Kind::Invoice).chain(self.of(Kind::Session));
        tellers.filter(hides).map(|object| Need::CodesOf(object.id.clone())).collect()
    }

    fn rewardable(&self) -> bool {
        self.of(Kind::ApiTransaction).all(|api| api.int(Field::ApiRewardable) != Some(0))
    }
}

/// Did Stripe deny the object, and did no other source ever describe it? What its own event said stays known.
fn denied(state: &ObjectState) -> bool {
    const BOOKKEEPING: [Field; 7] = [
        Field::Missing,
        Field::NoInvoicePayment,
        Field::NoSession,
        Field::RefundsListedAt,
        Field::DisputesListedAt,
        Field::LinesListedAt,
        Field::CodesRead,
    ];
    state.flag(Field::Missing) && state.fields.keys().all(|field| BOOKKEEPING.contains(field))
}

/// Asks for an object again, unless Stripe has answered that there is none.
fn ask(state: &ObjectState) -> Option<Need> {
    (!state.flag(Field::Missing)).then(|| Need::Object(state.id.clone()))
}

#[cfg(test)]
#[path = "sale_tests.rs"]
mod tests;
