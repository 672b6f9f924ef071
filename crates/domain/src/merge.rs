//! Merging facts: commutative, associative and idempotent, so that events in any order and any number of
//! copies end in the same state.

use crate::fact::{Fact, Field, Kind, MergeClass, UNION_MAX, Value};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// When and by which source a value was said; orders readings of one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reading {
    /// Stripe's time of the snapshot, ms UTC.
    #[serde(rename = "t")]
    pub at: i64,
    /// The event's or observation's id: breaks ties, never arrival.
    #[serde(rename = "s")]
    pub source: String,
    /// What was said.
    #[serde(rename = "v")]
    pub value: Value,
}

/// All that is known of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectState {
    /// The object's kind.
    pub kind: Kind,
    /// The object's Stripe id.
    pub id: String,
    /// The winning reading of each field that any source has said.
    pub fields: BTreeMap<Field, Reading>,
}

impl ObjectState {
    /// What one fact alone says.
    #[must_use]
    pub fn from_fact(fact: &Fact, source: &str) -> Self {
        let reading =
            |value: &Value| Reading { at: fact.at, source: source.to_owned(), value: value.clone() };
        Self {
            kind: fact.kind,
            id: fact.object_id.clone(),
            fields: fact.fields.iter().map(|(field, value)| (*field, reading(value))).collect(),
        }
    }

    /// Takes in what another state of the same object knows. Returns whether any *value* changed, so whether the
    /// sale must be read again. The state must be stored either way: the time and source of a reading decide
    /// later merges, and one that was not stored would let an older value win.
    pub fn merge(&mut self, other: Self) -> bool {
        let mut changed = false;
        for (field, theirs) in other.fields {
            match self.fields.get_mut(&field) {
                None => {
                    self.fields.insert(field, theirs);
                    changed = true;
                }
                Some(ours) if field.class() == MergeClass::Union => changed |= unite(ours, theirs),
                Some(ours) if outranks(field, &theirs, ours) => {
                    changed |= ours.value != theirs.value;
                    *ours = theirs;
                }
                Some(_) => {}
            }
        }
        changed
    }

    /// Takes away what says who a person is; answers whether there was anything.
    pub fn redact(&mut self) -> bool {
        let before = self.fields.len();
        self.fields.retain(|field, _| !field.is_personal());
        self.fields.len() != before
    }

    /// The field as a whole number, if a source said one.
    #[must_use]
    pub fn int(&self, field: Field) -> Option<i64> {
        match self.fields.get(&field)?.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The field as text, if a source said one.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&str> {
        match &self.fields.get(&field)?.value {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }

    /// Is the flag set?
    #[must_use]
    pub fn flag(&self, field: Field) -> bool {
        self.int(field) == Some(1)
    }

    /// Did a source say that there is none?
    #[must_use]
    pub fn said_none(&self, field: Field) -> bool {
        matches!(self.fields.get(&field), Some(Reading { value: Value::Null, .. }))
    }

    /// When Stripe made the object (ms UTC), else the earliest time at which anything was said of it.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.int(Field::Created).or_else(|| self.fields.values().map(|r| r.at).min()).unwrap_or(0)
    }

    /// Ids of the other objects of the same purchase that this object names.
    pub fn links(&self) -> impl Iterator<Item = &str> {
        const LINKS: [Field; 7] = [
            Field::Invoice,
            Field::PaymentIntent,
            Field::Charge,
            Field::LatestCharge,
            Field::Dispute,
            Field::Session,
            Field::ApiStripeId,
        ];
        let joins = !self.kind.stands_apart();
        LINKS.into_iter().filter(move |_| joins).filter_map(|field| self.text(field))
    }
}

/// Takes in the words of another reading; the earlier of the two gives time and source. Returns whether any word is new.
fn unite(ours: &mut Reading, theirs: Reading) -> bool {
    let words = |value: &Value| match value {
        Value::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    };
    let mut all: BTreeSet<String> = words(&ours.value);
    all.extend(words(&theirs.value));
    let kept: Vec<String> = all.into_iter().take(UNION_MAX).collect();
    let value = Value::Text(kept.join(" "));
    let changed = value != ours.value;
    let (at, source) = (ours.at, ours.source.clone()).min((theirs.at, theirs.source));
    *ours = Reading { at, source, value };
    changed
}

/// Does the reading `a` of `field` win over `b`? A strict order, so merging does not depend on the side.
fn outranks(field: Field, a: &Reading, b: &Reading) -> bool {
    let by_time = || (a.at, &a.source, &a.value).cmp(&(b.at, &b.source, &b.value));
    let order = match field.class() {
        // A union is not won by one side; see `unite`.
        MergeClass::Last | MergeClass::Union => by_time(),
        MergeClass::Greatest => a.value.cmp(&b.value).then_with(|| earlier_first(a, b)),
        MergeClass::Rank(rank) => rank_of(rank, &a.value).cmp(&rank_of(rank, &b.value)).then_with(by_time),
        MergeClass::Stages(stages) => {
            let ((stage, place), (other, there)) = (stage_of(stages, &a.value), stage_of(stages, &b.value));
            stage.cmp(&other).then(a.at.cmp(&b.at)).then(place.cmp(&there)).then_with(by_time)
        }
    };
    order == Ordering::Greater
}

/// Of equal greatest values the earliest reading is kept, so that a repeated total changes nothing.
fn earlier_first(a: &Reading, b: &Reading) -> Ordering {
    (b.at, &b.source).cmp(&(a.at, &a.source))
}

/// Null < unknown states < the known ones in their written order.
fn rank_of(rank: &[&str], value: &Value) -> usize {
    match value {
        Value::Text(text) => rank.iter().position(|known| known == text).map_or(1, |at| at + 2),
        _ => 0,
    }
}

/// Which stage, and which place in it; an unknown word is the weakest of the last stage, and no word is before all.
fn stage_of(stages: &[&[&str]], value: &Value) -> (usize, usize) {
    let Value::Text(text) = value else { return (0, 0) };
    let known = stages.iter().enumerate().find_map(|(stage, words)| {
        words.iter().position(|known| known == text).map(|place| (stage + 1, place + 1))
    });
    known.unwrap_or((stages.len(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charge(at: i64, refunded: i64, status: &str) -> Fact {
        Fact::new(Kind::Charge, "ch_1", at)
            .with(Field::AmountRefunded, refunded)
            .with(Field::ChargeStatus, status)
            .with(Field::PaymentIntent, Some("pi_1"))
    }

    #[test]
    fn a_union_keeps_every_word() {
        let seen = |at, words: &str| Fact::new(Kind::Customer, "cus_1", at).with(Field::EmailsSeen, words);
        let mut state = ObjectState::from_fact(&seen(5, "b"), "evt_b");
        assert!(state.merge(ObjectState::from_fact(&seen(9, "a b"), "evt_c")));
        assert!(!state.merge(ObjectState::from_fact(&seen(1, "a"), "evt_a")));
        assert_eq!(state.text(Field::EmailsSeen), Some("a b"));
    }

    #[test]
    fn a_dispute_does_not_fall_back_behind_a_stage_that_it_reached() {
        let told = |words: &[(&str, i64)]| {
            let facts = words.iter().map(|(word, at)| {
                (format!("evt_{at}"), Fact::new(Kind::Dispute, "dp_1", *at).with(Field::DisputeStatus, *word))
            });
            let mut state: Option<ObjectState> = None;
            for (source, fact) in facts {
                let next = ObjectState::from_fact(&fact, &source);
                state = Some(match state.take() {
                    Some(mut known) => {
                        known.merge(next);
                        known
                    }
                    None => next,
                });
            }
            state.and_then(|state| state.text(Field::DisputeStatus).map(str::to_owned)).unwrap()
        };
        // The list says how it ended, and its time is earlier than that of an event that came before the end.
        assert_eq!(told(&[("needs_response", 90), ("lost", 50)]), "lost");
        assert_eq!(told(&[("lost", 50), ("under_review", 90)]), "lost");
        assert_eq!(told(&[("warning_closed", 10), ("warning_under_review", 20)]), "warning_closed");
        assert_eq!(told(&[("warning_closed", 20), ("needs_response", 10)]), "needs_response");
        // An appeal goes back and forth: the last word counts, also one that nobody knows yet.
        assert_eq!(told(&[("lost", 50), ("appeal_under_review", 60)]), "appeal_under_review");
        assert_eq!(told(&[("appeal_under_review", 60), ("lost", 70)]), "lost");
        assert_eq!(told(&[("lost", 50), ("something_new", 60)]), "something_new");
        assert_eq!(told(&[("won", 50), ("lost", 50)]), "won");
    }

    #[test]
    fn a_refunded_total_never_falls_even_when_an_older_snapshot_comes_last() {
        let mut state = ObjectState::from_fact(&charge(20, 500, "succeeded"), "evt_b");
        assert!(!state.merge(ObjectState::from_fact(&charge(10, 0, "pending"), "evt_a")));
        assert_eq!(state.int(Field::AmountRefunded), Some(500));
        assert_eq!(state.text(Field::ChargeStatus), Some("succeeded"));
    }

    #[test]
    fn absent_is_not_null() {
        let said = Fact::new(Kind::Charge, "ch_1", 1).with(Field::Invoice, None::<&str>);
        let silent = Fact::new(Kind::Charge, "ch_1", 2);
        let mut state = ObjectState::from_fact(&silent, "evt_b");
        assert!(!state.said_none(Field::Invoice));
        state.merge(ObjectState::from_fact(&said, "evt_a"));
        assert!(state.said_none(Field::Invoice));
    }

    fn any_fact() -> impl Strategy<Value = (Fact, String)> {
        (0..4_i64, 0..3_i64, 0..4_usize, 0..6_u8, proptest::option::of("pi_[12]")).prop_map(
            |(at, refunded, status, source, intent)| {
                let mut fact = charge(at, refunded, ["pending", "failed", "succeeded", "later"][status]);
                fact.set(Field::PaymentIntent, intent);
                fact.set(Field::EmailsSeen, format!("word{at}{refunded}"));
                (fact, format!("evt_{source}"))
            },
        )
    }

    fn fold(facts: &[(Fact, String)]) -> Option<ObjectState> {
        let mut states = facts.iter().map(|(fact, source)| ObjectState::from_fact(fact, source));
        let mut state = states.next()?;
        states.for_each(|other| {
            state.merge(other);
        });
        Some(state)
    }

    proptest! {
        #[test]
        fn order_and_copies_do_not_matter(
            facts in proptest::collection::vec(any_fact(), 1..8),
            order in proptest::collection::vec(0..8_usize, 8..24),
        ) {
            let mut shuffled: Vec<_> = order.iter().map(|i| facts[i % facts.len()].clone()).collect();
            shuffled.extend(facts.iter().rev().cloned());
            prop_assert_eq!(fold(&facts), fold(&shuffled));
        }
    }
}
