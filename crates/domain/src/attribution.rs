//! From evidence to a partner for one sale, or to nobody, with every piece of evidence and its verdict.
//!
//! **Which evidence counts.** What a payment or a server says counts whenever it arrives, also for earlier sales. What
//! only a browser says has a time before which it means nothing: a click counts for sales after it, a sign-up
//! in the browser for sales after it.
//!
//! **How long a click counts.** A click comes with a purchase, as its client reference. It *stands* if at least one
//! purchase that it came with happened inside of its window: not before the click, and not later than so many days
//! after it as the policy in force at that purchase gives. A click that stands is evidence for the customer from the
//! click on, without end: it is the purchase inside of the window that fixed the customer's partner, and
//! renewals need no click of their own. A click that does not stand is evidence for nothing.
//!
//! **Codes.** A promotion code speaks for the sale that it came with, and for the customer from that purchase on. A
//! discount that goes on over later invoices says nothing new: it is looked at again only where every sale needs
//! evidence of its own.
//!
//! All of this depends on what is known and on nothing else: not on the order of arrival, not on the clock.

mod holding;
mod policy;

pub use holding::{Had, Holding, holder_at};
pub use policy::{PolicyVersion, WINDOW_DAYS, policy_at, window_days};

use crate::sale::EvidenceKind;
use crate::terms::DAY_MS;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Is the text one of our visits? `vis_` and 32 hex digits in lower case.
#[must_use]
pub fn is_visit_id(value: &str) -> bool {
    value.strip_prefix("vis_").is_some_and(|hex| {
        hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// The second that an instant (ms) lies in: Stripe tells whole seconds, so what happened in the same second as a sale
/// did not happen after it.
#[must_use]
pub const fn second_of(at_ms: i64) -> i64 {
    at_ms.saturating_sub(at_ms.rem_euclid(1_000))
}

/// Does a click at `click_at` count at an instant, where clicks count for so many days? Both ms UTC.
#[must_use]
pub const fn in_window(click_at: i64, at_ms: i64, days: i64) -> bool {
    second_of(click_at) <= at_ms && at_ms <= click_at.saturating_add(days.saturating_mul(DAY_MS))
}

/// For which sales a piece of evidence can count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// For all, whenever they happened.
    #[default]
    Always,
    /// For those not before an instant.
    From {
        /// ms UTC, a whole second.
        at: i64,
    },
    /// For none: a click that is older than the window at every purchase that it came with.
    TooOld {
        /// The window then.
        days: i64,
    },
    /// For none: a click after every purchase that it came with.
    AfterSale,
    /// For none: a discount that an earlier purchase had brought along.
    Repeated,
}

/// The reach of a click for the one purchase (ms UTC) that it came with, where clicks count for so many days.
#[must_use]
pub const fn click_on_sale(click_at: i64, occurred_at: i64, days: i64) -> Reach {
    if in_window(click_at, occurred_at, days) {
        Reach::Always
    } else if second_of(click_at) > occurred_at {
        Reach::AfterSale
    } else {
        Reach::TooOld { days }
    }
}

/// The reach of a click, from the instants (ms UTC) of the purchases that it came with.
#[must_use]
pub fn click_reach(click_at: i64, purchases: &[i64], policy: &[PolicyVersion]) -> Reach {
    let stands = |at: &&i64| in_window(click_at, **at, window_days(policy, **at));
    if purchases.iter().any(|at| stands(&at)) {
        return Reach::From { at: second_of(click_at) };
    }
    let first_after = purchases.iter().filter(|at| **at >= second_of(click_at)).min();
    first_after.map_or(Reach::AfterSale, |at| Reach::TooOld { days: window_days(policy, *at) })
}

/// How expressly a piece of evidence speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Somebody decided it of a known customer.
    Assigned,
    /// It came along with a purchase or a sign-up.
    #[default]
    CameAlong,
}

impl Rank {
    /// Is it the usual one, of which answers say nothing?
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::CameAlong
    }
}

/// Where a piece stands among the others, if not at its own time: of a code and a link that came with one purchase the
/// policy says which goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// ms UTC.
    pub at: i64,
    /// Below 0: before what took effect at that time; above: after it.
    pub side: i8,
}

/// A piece of evidence whose value was looked up among the partners and customers of one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Did a person, or a call about a customer that a purchase had made, say so expressly? That comes before all other
    /// evidence for the customer.
    #[serde(default, skip_serializing_if = "Rank::is_usual")]
    pub rank: Rank,
    /// When it took effect, ms UTC.
    pub effective_at: i64,
    /// The object or row that carries it: breaks ties.
    pub source_id: String,
    /// What it is.
    pub kind: EvidenceKind,
    /// What it says, as it was read.
    pub value: String,
    /// The partner (our id) it speaks for; `None` where the value fits nobody.
    pub partner_id: Option<String>,
    /// For which sales it can count.
    #[serde(default)]
    pub reach: Reach,
    /// What a person reads in place of the value: “of “maya” on 12 Mar 2026, 10:14”. May be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Its place among the others, where that is not its own time.
    #[serde(skip)]
    pub turn: Option<Turn>,
}

impl Ord for Evidence {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |e: &Self| (e.rank, e.turn.unwrap_or(Turn { at: e.effective_at, side: 0 }), e.effective_at);
        let rest = |a: &Self, b: &Self| {
            (&a.source_id, a.kind, &a.value, &a.partner_id, a.reach, &a.detail).cmp(&(
                &b.source_id,
                b.kind,
                &b.value,
                &b.partner_id,
                b.reach,
                &b.detail,
            ))
        };
        key(self).cmp(&key(other)).then_with(|| rest(self, other)).then_with(|| self.turn.cmp(&other.turn))
    }
}

impl PartialOrd for Evidence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Evidence {
    /// Is it the same piece, whatever it can count for?
    #[must_use]
    pub fn is_same_piece(&self, other: &Self) -> bool {
        (&self.source_id, self.kind, &self.value) == (&other.source_id, other.kind, &other.value)
    }

    /// Can it count for any sale?
    #[must_use]
    pub const fn stands(&self) -> bool {
        self.partner_id.is_some() && matches!(self.reach, Reach::Always | Reach::From { .. })
    }

    /// Can it count for a sale at an instant (ms UTC)?
    #[must_use]
    pub const fn counts_at(&self, at_ms: i64) -> bool {
        match self.reach {
            Reach::Always => self.partner_id.is_some(),
            Reach::From { at } => self.partner_id.is_some() && at <= at_ms,
            Reach::TooOld { .. } | Reach::AfterSale | Reach::Repeated => false,
        }
    }

    /// Why it cannot count for a sale at an instant for which it does not count.
    const fn fault(&self) -> Verdict {
        match (&self.partner_id, self.reach) {
            (None, _) => Verdict::FitsNobody,
            (Some(_), Reach::TooOld { .. }) => Verdict::TooOld,
            (Some(_), Reach::Repeated) => Verdict::Repeated,
            (Some(_), _) => Verdict::AfterSale,
        }
    }

    /// What it is and says, in words.
    #[must_use]
    pub fn words(&self) -> String {
        if self.detail.is_empty() {
            format!("{} “{}”", self.kind.words(), self.value)
        } else {
            format!("{} {}", self.kind.words(), self.detail)
        }
    }
}

/// What became of one piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It decided.
    Decided,
    /// It says the same as the one that decided.
    Agrees,
    /// It speaks for the customer, but something on this very sale weighs more.
    WeakerThanSale,
    /// Other evidence for the customer took effect earlier.
    Later,
    /// Another object of the same sale names another partner and comes first.
    SecondOnSale,
    /// It came with the sale, but the customer was given to another partner expressly.
    Reassigned,
    /// Of a code and a link on one sale the policy puts the other first.
    BySetting,
    /// It speaks for the customer, but every sale needs evidence of its own.
    NotCarriedOver,
    /// A discount that an earlier purchase had brought along.
    Repeated,
    /// A person or the API decided otherwise.
    Overruled,
    /// A click that was older than the window when the purchase was made.
    TooOld,
    /// A click, or a sign-up in the browser, that came after the sale.
    AfterSale,
    /// Its value fits no partner and no customer.
    FitsNobody,
}

impl Verdict {
    /// The verdict in words. [`Considered::words`] says how many days.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Agrees => "agrees",
            Self::WeakerThanSale => "weaker: this sale has evidence of its own",
            Self::Later => "later: the earliest fixes the customer's partner",
            Self::SecondOnSale => "weaker: another object of this sale comes first",
            Self::Reassigned => "weaker: the customer was given to another partner expressly",
            Self::BySetting => "weaker: by the program's setting for codes and links the other goes first",
            Self::NotCarriedOver => "not carried over: every sale needs evidence of its own",
            Self::Repeated => "repeated: an earlier purchase had brought this discount along",
            Self::Overruled => "overruled by a decision",
            Self::TooOld => "older than the program's window",
            Self::AfterSale => "after the sale",
            Self::FitsNobody => "fits no partner and no customer",
        }
    }
}

/// One piece of evidence with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// The evidence.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// What became of it.
    pub verdict: Verdict,
}

impl Considered {
    /// The verdict in words.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.verdict, self.evidence.reach) {
            (Verdict::TooOld, Reach::TooOld { days: 1 }) => "older than the program's 1 day".to_owned(),
            (Verdict::TooOld, Reach::TooOld { days }) => format!("older than the program's {days} days"),
            (verdict, _) => verdict.words().to_owned(),
        }
    }
}

/// What a person or the API decided about a sale, or about its customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The partner (our id), or nobody.
    pub partner_id: Option<String>,
    /// Who decided, when and why, as one sentence.
    pub words: String,
}

/// Who brought a sale, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The partner (our id), or nobody.
    pub partner_id: Option<String>,
    /// One sentence.
    pub because: String,
    /// The version of the policy that was applied, as one sentence.
    pub policy: String,
    /// Everything that was looked at.
    pub considered: Vec<Considered>,
}

/// The order among evidence on one sale: what was written on the payment itself; then code against link, as the policy
/// says; then what only names the customer.
const fn weight_on_sale(kind: EvidenceKind, code_first: bool) -> u8 {
    match kind {
        EvidenceKind::PartnerMetadata | EvidenceKind::CustomerMetadata => 0,
        EvidenceKind::PromotionCode => {
            if code_first {
                1
            } else {
                2
            }
        }
        EvidenceKind::ClientReference | EvidenceKind::Visit => {
            if code_first {
                2
            } else {
                1
            }
        }
        EvidenceKind::CustomerPartnerMetadata
        | EvidenceKind::SubscriptionMetadata
        | EvidenceKind::StandingCode
        | EvidenceKind::SignUp
        | EvidenceKind::StripeId
        | EvidenceKind::Email
        | EvidenceKind::Api
        | EvidenceKind::BrowserSignUp => 3,
    }
}

/// The evidence that fixes a customer's partner, for its sales to come: the earliest (effective time, then source id)
/// of all that stands.
#[must_use]
pub fn fixing(on_customer: &[Evidence]) -> Option<&Evidence> {
    on_customer.iter().filter(|piece| piece.stands()).min()
}

/// Which partner a customer's evidence gives to sales of every time, as one text: equal texts, equal partners.
#[must_use]
pub fn fingerprint(on_customer: &[Evidence]) -> String {
    let always = on_customer.iter().filter(|piece| piece.stands() && piece.reach == Reach::Always).min();
    let partner = |piece: &Evidence| {
        // One that was given expressly goes before links and codes on sales as well.
        let mark = if piece.rank == Rank::Assigned { "!" } else { "" };
        format!("{mark}{}", piece.partner_id.clone().unwrap_or_default())
    };
    let given = match (fixing(on_customer), always) {
        (None, _) => String::new(),
        // The one that fixes has no start, so it gives all sales.
        (Some(Evidence { reach: Reach::Always, .. }), always) => always.map(partner).unwrap_or_default(),
        // Those before its start are given by what has none.
        (Some(piece), always) => {
            let from = if let Reach::From { at } = piece.reach { at } else { i64::MIN };
            format!("{}|{from}|{}", always.map(partner).unwrap_or_default(), partner(piece))
        }
    };
    // Which purchase brought a code first decides for which sales it speaks.
    let mut codes: Vec<String> = on_customer
        .iter()
        .filter(|piece| piece.kind == EvidenceKind::PromotionCode)
        .map(|piece| format!(";{}@{}", piece.value, piece.source_id))
        .collect();
    codes.sort();
    codes.dedup();
    given + &codes.concat()
}

/// Attributes one sale: decision > evidence on the sale itself (metadata of the transaction; then code against link, as
/// the policy says) > the customer's partner, which the earliest evidence (effective time, then source id) that counts
/// for a sale of that time (`occurred_at`, ms UTC) fixes. A partner that a known customer was given expressly goes before
/// links and codes on the sale. Where every sale needs evidence of its own, the customer's partner does not carry over.
#[must_use]
pub fn attribute(
    ruling: Option<&Ruling>,
    on_sale: &[Evidence],
    on_customer: &[Evidence],
    occurred_at: i64,
    policy: &PolicyVersion,
) -> Attribution {
    let counts = |piece: &&Evidence| piece.counts_at(occurred_at);
    let weight = |piece: &Evidence| weight_on_sale(piece.kind, policy.code_first);
    let sale = on_sale.iter().filter(counts).min_by_key(|piece| (weight(piece), *piece)).cloned();
    let carried = if policy.per_sale { None } else { on_customer.iter().filter(counts).min().cloned() };
    let assigned = carried.as_ref().is_some_and(|piece| piece.rank == Rank::Assigned);
    // Who changed the customer's partner expressly knew of its links and codes; what the payment itself names was said of
    // this very sale.
    let sale = sale.filter(|piece| !assigned || weight(piece) == 0);
    let winner = sale.clone().or(carried);
    let partner_id = match ruling {
        Some(ruling) => ruling.partner_id.clone(),
        None => winner.as_ref().and_then(|piece| piece.partner_id.clone()),
    };
    let verdict = |piece: &Evidence, of_sale: bool| {
        let same = piece.partner_id == partner_id;
        match (ruling, &winner) {
            _ if !piece.counts_at(occurred_at) => piece.fault(),
            (Some(_), _) => {
                if same {
                    Verdict::Agrees
                } else {
                    Verdict::Overruled
                }
            }
            (None, Some(won)) if won == piece => Verdict::Decided,
            _ if !of_sale && policy.per_sale => Verdict::NotCarriedOver,
            _ if same => Verdict::Agrees,
            _ if of_sale && sale.is_none() => Verdict::Reassigned,
            (None, Some(won)) if of_sale && weight(won) + weight(piece) == 3 && weight(won) > 0 => {
                Verdict::BySetting
            }
            _ if of_sale => Verdict::SecondOnSale,
            _ if sale.is_some() => Verdict::WeakerThanSale,
            _ => Verdict::Later,
        }
    };
    // What the sale itself carries is shown once, unless it is for the customer that it decides.
    let of_customer = on_customer.iter().filter(|piece| {
        (sale.is_none() && winner.as_ref() == Some(*piece))
            || !on_sale.iter().any(|on_sale| on_sale.is_same_piece(piece))
    });
    let mut considered: Vec<Considered> = on_sale
        .iter()
        .map(|piece| (piece, true))
        .chain(of_customer.map(|piece| (piece, false)))
        .map(|(piece, of_sale)| Considered { evidence: piece.clone(), verdict: verdict(piece, of_sale) })
        .collect();
    considered.sort_by(|a, b| a.evidence.cmp(&b.evidence));
    let because = because(ruling, winner.as_ref(), &considered);
    Attribution { partner_id, because, policy: policy.sentence(), considered }
}

/// The sentence.
fn because(ruling: Option<&Ruling>, winner: Option<&Evidence>, considered: &[Considered]) -> String {
    match (ruling, winner) {
        (Some(ruling), _) => ruling.words.clone(),
        (None, Some(piece)) => format!("Attributed by {}.", piece.words()),
        (None, None) if considered.is_empty() => {
            "Nothing links this sale to a partner: no sign-up, no client reference, no metadata, no known \
             e-mail address."
                .to_owned()
        }
        (None, None) => match considered.iter().find(|piece| piece.verdict != Verdict::FitsNobody) {
            Some(piece) => format!("Nobody: the {} is {}.", piece.evidence.kind.words(), piece.words()),
            None => "None of the evidence fits a partner of this program.".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
