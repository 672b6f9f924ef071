//! From evidence to a partner for one sale, or to nobody, with every piece of evidence and its verdict.

use crate::sale::EvidenceKind;
use serde::{Deserialize, Serialize};

/// A piece of evidence whose value was looked up among the partners and customers of one program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
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
    /// A person or the API decided otherwise.
    Overruled,
    /// Its value fits no partner and no customer.
    FitsNobody,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Agrees => "agrees",
            Self::WeakerThanSale => "weaker: this sale has evidence of its own",
            Self::Later => "later: the earliest fixes the customer's partner",
            Self::SecondOnSale => "weaker: another object of this sale comes first",
            Self::Overruled => "overruled by a decision",
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

/// Who brought a sale, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The partner (our id), or nobody.
    pub partner_id: Option<String>,
    /// One sentence.
    pub because: String,
    /// Everything that was looked at.
    pub considered: Vec<Considered>,
}

/// The order among evidence on one sale: what was written on the payment itself, then what came along with it.
const fn weight_on_sale(kind: EvidenceKind) -> u8 {
    match kind {
        EvidenceKind::PartnerMetadata | EvidenceKind::CustomerMetadata | EvidenceKind::Api => 0,
        EvidenceKind::ClientReference
        | EvidenceKind::CustomerPartnerMetadata
        | EvidenceKind::SignUp
        | EvidenceKind::StripeId
        | EvidenceKind::Email => 1,
    }
}

/// Attributes one sale: decision > evidence on the sale itself (metadata of the transaction first) > the
/// customer's partner, which the earliest valid evidence (effective time, then source id) fixes, also for sales
/// before it.
#[must_use]
pub fn attribute(decision: Option<&str>, on_sale: &[Evidence], on_customer: &[Evidence]) -> Attribution {
    let valid = |piece: &&Evidence| piece.partner_id.is_some();
    let sale = on_sale.iter().filter(valid).min_by_key(|piece| (weight_on_sale(piece.kind), *piece)).cloned();
    let customer = on_customer.iter().filter(valid).min().cloned();
    let winner = sale.clone().or_else(|| customer.clone());
    let partner_id = match decision {
        Some(partner) => Some(partner.to_owned()),
        None => winner.as_ref().and_then(|piece| piece.partner_id.clone()),
    };
    let because = match (decision, &winner) {
        (Some(_), _) => "A decision by hand or API fixes the partner of this sale.".to_owned(),
        (None, Some(piece)) => format!("Attributed by {} “{}”.", piece.kind.words(), piece.value),
        (None, None) if on_sale.is_empty() && on_customer.is_empty() => {
            "Nothing links this sale to a partner: no sign-up, no client reference, no metadata, no known \
             e-mail address."
                .to_owned()
        }
        (None, None) => "None of the evidence fits a partner of this program.".to_owned(),
    };
    let verdict = |piece: &Evidence, of_sale: bool| {
        let same = piece.partner_id == partner_id;
        match (&piece.partner_id, decision, &winner) {
            (None, ..) => Verdict::FitsNobody,
            (_, Some(_), _) => {
                if same {
                    Verdict::Agrees
                } else {
                    Verdict::Overruled
                }
            }
            (_, None, Some(won)) if won == piece => Verdict::Decided,
            _ if same => Verdict::Agrees,
            _ if of_sale => Verdict::SecondOnSale,
            _ if sale.is_some() => Verdict::WeakerThanSale,
            _ => Verdict::Later,
        }
    };
    let mut considered: Vec<Considered> = on_sale
        .iter()
        .map(|piece| (piece, true))
        .chain(on_customer.iter().filter(|piece| !on_sale.contains(piece)).map(|piece| (piece, false)))
        .map(|(piece, of_sale)| Considered { evidence: piece.clone(), verdict: verdict(piece, of_sale) })
        .collect();
    considered.sort_by(|a, b| a.evidence.cmp(&b.evidence));
    Attribution { partner_id, because, considered }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(at: i64, id: &str, kind: EvidenceKind, partner: Option<&str>) -> Evidence {
        Evidence {
            effective_at: at,
            source_id: id.into(),
            kind,
            value: "k".into(),
            partner_id: partner.map(Into::into),
        }
    }

    #[test]
    fn the_earliest_valid_evidence_fixes_the_customers_partner() {
        let late = piece(20, "a", EvidenceKind::ClientReference, Some("maya"));
        let early = piece(10, "b", EvidenceKind::SignUp, Some("theo"));
        let foreign = piece(1, "c", EvidenceKind::ClientReference, None);
        let got = attribute(None, &[], &[late, early, foreign]);
        assert_eq!(got.partner_id.as_deref(), Some("theo"));
        let verdicts: Vec<_> = got.considered.iter().map(|c| c.verdict).collect();
        assert_eq!(verdicts, [Verdict::FitsNobody, Verdict::Decided, Verdict::Later]);
    }

    #[test]
    fn evidence_on_the_sale_outranks_the_customer_and_a_decision_outranks_both() {
        let of_customer = [piece(1, "a", EvidenceKind::SignUp, Some("theo"))];
        let of_sale = [piece(9, "b", EvidenceKind::PartnerMetadata, Some("maya"))];
        assert_eq!(attribute(None, &of_sale, &of_customer).partner_id.as_deref(), Some("maya"));
        let decided = attribute(Some("ida"), &of_sale, &of_customer);
        assert_eq!(decided.partner_id.as_deref(), Some("ida"));
        assert!(decided.considered.iter().all(|c| c.verdict == Verdict::Overruled));
    }

    #[test]
    fn metadata_of_the_transaction_outranks_an_older_client_reference_of_the_same_sale() {
        let link = piece(1, "cs_1", EvidenceKind::ClientReference, Some("theo"));
        let metadata = piece(2, "pi_1", EvidenceKind::PartnerMetadata, Some("maya"));
        let got = attribute(None, &[link, metadata], &[]);
        assert_eq!(got.partner_id.as_deref(), Some("maya"));
        let verdicts: Vec<_> = got.considered.iter().map(|c| c.verdict).collect();
        assert_eq!(verdicts, [Verdict::SecondOnSale, Verdict::Decided]);
    }

    #[test]
    fn nobody_has_a_reason_too() {
        assert!(attribute(None, &[], &[]).because.contains("Nothing links"));
        let foreign = piece(1, "c", EvidenceKind::ClientReference, None);
        assert!(attribute(None, &[], &[foreign]).because.contains("None of the evidence"));
    }
}
