//! The same stories with one field of one event broken, in all nine eras: the money stays as it was, or the sale waits for
//! what is missing, or the event carries a remark. No broken field makes another amount in silence.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly, in its helpers too")]

mod common;

use common::{World, groups, hash, merge};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::fact::Fact;
use tributary_domain::sale::{Members, SaleState, SaleView, read_sale};
use tributary_stripe::facts::{Outcome, Understood, facts_of_event};
use tributary_stripe::story::{Era, Plot, credited, disputed, payment_link, subscription};

type Path = Vec<String>;

/// What a sale brings, by its root.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Money {
    currency: String,
    /// total, tax, shipping, paid, captured, refunded, lost, disputed
    amounts: [i64; 8],
}

/// Does it wait for something, so that nothing is earned by it yet or what it brings is asked of Stripe?
fn waits(sale: &SaleView) -> bool {
    sale.state != SaleState::Paid || !sale.needs.is_empty()
}

fn money(sale: &SaleView) -> Money {
    let amounts = [
        sale.total,
        sale.tax,
        sale.shipping,
        sale.paid,
        sale.captured,
        sale.refunded,
        sale.lost,
        sale.disputed,
    ];
    Money { currency: sale.currency.clone(), amounts }
}

fn read(event: &Json) -> Understood {
    let body = event.to_string();
    facts_of_event(body.as_bytes(), &hash).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The sales of all that was said, by root.
fn sales(told: &[(Vec<Fact>, String)]) -> BTreeMap<String, SaleView> {
    let mut world = World::new();
    for (facts, source) in told {
        merge(&mut world, facts, source);
    }
    groups(&world)
        .into_iter()
        .filter_map(|ids| {
            let members: Members = ids.into_iter().map(|id| (id.clone(), world.get(&id).cloned())).collect();
            read_sale(&members).map(|sale| (sale.root_id.clone(), sale))
        })
        .collect()
}

/// All paths of a value; of a list the first two entries.
fn paths(value: &Json, at: &mut Path, out: &mut Vec<Path>) {
    let children: Vec<(String, &Json)> = match value {
        Json::Object(map) => map.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Json::Array(list) => {
            list.iter().take(2).enumerate().map(|(n, child)| (n.to_string(), child)).collect()
        }
        _ => vec![],
    };
    for (key, child) in children {
        at.push(key);
        out.push(at.clone());
        paths(child, at, out);
        at.pop();
    }
}

fn place<'v>(value: &'v mut Json, path: &[String]) -> &'v mut Json {
    path.iter().fold(value, |value, key| match value {
        Json::Array(list) => &mut list[key.parse::<usize>().unwrap()],
        other => &mut other[key.as_str()],
    })
}

/// The ways to break a field: removed, null, an unknown word, and values of other types; an amount as a text is the same
/// amount or none.
fn broken(event: &Json, path: &[String]) -> Vec<(String, Json)> {
    let mut all = Vec::new();
    let (last, parent) = path.split_last().unwrap();
    let mut removed = event.clone();
    match place(&mut removed, parent) {
        Json::Object(map) => drop(map.remove(last)),
        Json::Array(list) => drop(list.remove(last.parse().unwrap())),
        _ => {}
    }
    all.push(("removed".to_owned(), removed));
    let was = place(&mut event.clone(), path).clone();
    let mut others = vec![json!(null), json!("something_new"), json!([]), json!({})];
    match &was {
        Json::Number(number) => others.extend([json!(number.to_string()), json!(true), json!("1,000")]),
        Json::Bool(_) => others.extend([json!(1), json!("true")]),
        _ => others.extend([json!(true), json!(7)]),
    }
    for other in others.into_iter().filter(|other| *other != was) {
        let mut mutated = event.clone();
        *place(&mut mutated, path) = other.clone();
        all.push((other.to_string(), mutated));
    }
    all
}

/// An id in place of an id names another object, and no reader can know better: the sale is told of by two objects then.
fn names_another(path: &[String], what: &str) -> bool {
    let link = ["payment_intent", "charge", "invoice", "latest_charge"];
    path.last()
        .is_some_and(|last| last == "id" || (link.contains(&last.as_str()) && what == "\"something_new\""))
}

/// Null is Stripe's own word for "nothing outside of Stripe".
fn means_none(path: &[String], what: &str) -> bool {
    what == "null" && path.last().is_some_and(|last| last == "out_of_band_amount")
}

#[test]
fn a_broken_field_never_makes_another_amount_in_silence() {
    let mut tried = 0_u64;
    let mut silent: BTreeMap<String, Vec<Era>> = BTreeMap::new();
    for era in Era::ALL {
        let link = Plot { total: 4_999, tax: 798, refund: 1_000, ..Plot::new("n") };
        let stories = [
            subscription(era, &Plot::new("m")),
            payment_link(era, &link),
            disputed(era, &Plot::new("l"), false),
            disputed(era, &Plot::new("w"), true),
            credited(era, &Plot::new("c")),
        ];
        for events in stories {
            let said: Vec<Understood> = events.iter().map(read).collect();
            let notes: Vec<usize> = said.iter().map(|said| said.notes.len()).collect();
            let told: Vec<(Vec<Fact>, String)> =
                said.into_iter().map(|said| (said.facts, said.envelope.id)).collect();
            let sound = sales(&told);
            let before: BTreeMap<String, Money> =
                sound.iter().map(|(root, sale)| (root.clone(), money(sale))).collect();
            let waiting: BTreeSet<String> =
                sound.into_values().filter(waits).map(|sale| sale.root_id).collect();
            assert!(!before.is_empty());
            for (at, event) in events.iter().enumerate() {
                let type_ = event["type"].as_str().unwrap();
                let mut all = Vec::new();
                paths(&event["data"]["object"], &mut vec!["data".to_owned(), "object".to_owned()], &mut all);
                all.push(vec!["api_version".to_owned()]);
                for path in &all {
                    for (what, mutated) in broken(event, path) {
                        tried += 1;
                        let said = read(&mutated);
                        if matches!(said.outcome, Outcome::Ignored { .. }) {
                            continue; // with a reason, which the page of the event shows
                        }
                        if said.facts == told[at].0 {
                            continue; // what was broken is not read
                        }
                        let mut told = told.clone();
                        told[at].0 = said.facts;
                        let sales = sales(&told);
                        // A remark stands with the event; a sale that waits asks Stripe, and counts when it knows.
                        if said.notes.len() > notes[at]
                            || sales.values().any(|sale| waits(sale) && !waiting.contains(&sale.root_id))
                        {
                            continue;
                        }
                        for sale in sales.values().filter(|sale| !waits(sale)) {
                            let was = before.get(&sale.root_id);
                            let meant = names_another(path, &what) || means_none(path, &what);
                            if was != Some(&money(sale)) && !meant {
                                let told = format!(
                                    "{type_} {} {what}: {was:?} is now {:?}",
                                    path.join("."),
                                    money(sale)
                                );
                                silent.entry(told).or_default().push(era);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(tried > 60_000, "{tried}");
    let lines: Vec<_> = silent.iter().map(|(told, eras)| format!("{told} {eras:?}")).collect();
    assert!(lines.is_empty(), "{} of {tried}:\n{}", lines.len(), lines.join("\n"));
}
