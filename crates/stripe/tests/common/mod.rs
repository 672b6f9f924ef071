//! Helpers of this crate's tests.

#![allow(dead_code, reason = "each test file uses a part of the helpers")]

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::fact::{Fact, Field, Value};
use tributary_domain::merge::ObjectState;
use tributary_stripe::facts::{Outcome, Understood, facts_of_event};

/// A hash that can be told from the address.
pub fn hash(email: &str) -> String {
    format!("hash:{}", email.len() * 1000 + email.bytes().map(usize::from).sum::<usize>())
}

pub fn understand(event: &Json) -> Understood {
    facts_of_event(event.to_string().as_bytes(), &hash).unwrap()
}

/// All that a story says, merged; objects by id.
pub type World = BTreeMap<String, ObjectState>;

pub fn merge(world: &mut World, facts: &[Fact], source: &str) {
    for fact in facts {
        let state = ObjectState::from_fact(fact, source);
        match world.get_mut(&fact.object_id) {
            Some(known) => {
                known.merge(state);
            }
            None => {
                world.insert(fact.object_id.clone(), state);
            }
        }
    }
}

pub fn tell(events: &[Json]) -> World {
    let mut world = World::new();
    for event in events {
        let understood = understand(event);
        assert_eq!(understood.outcome, Outcome::Relevant, "{event}");
        assert!(understood.notes.is_empty(), "{:?}", understood.notes);
        merge(&mut world, &understood.facts, &understood.envelope.id);
    }
    world
}

/// The sets of objects that name each other, buyers left out.
pub fn groups(world: &World) -> BTreeSet<BTreeSet<String>> {
    let mut groups: Vec<BTreeSet<String>> = Vec::new();
    for state in world.values().filter(|state| !state.id.starts_with("cus_")) {
        let mut group: BTreeSet<String> = state.links().map(str::to_owned).collect();
        group.insert(state.id.clone());
        let (joined, apart): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|other| !other.is_disjoint(&group));
        group.extend(joined.into_iter().flatten());
        groups = apart;
        groups.push(group);
    }
    groups.into_iter().collect()
}

/// The value of one field of one object of one event.
pub fn said(understood: &Understood, id: &str, field: Field) -> Option<Value> {
    let fact = understood.facts.iter().find(|fact| fact.object_id == id)?;
    fact.fields.get(&field).cloned()
}
