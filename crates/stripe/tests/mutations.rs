//! Every field of every event removed, nulled, or replaced by something else: never a panic, never an error,
//! and never more lost than what hangs on that field.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly, in its helpers too")]

mod common;

use common::hash;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use tributary_domain::fact::{Field, Value};
use tributary_stripe::facts::{Understood, facts_of_event};
use tributary_stripe::story::{Era, Plot, credited, disputed, payment_link, subscription};

type Path = Vec<String>;

/// All paths of a value, arrays by index.
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

fn remove(value: &mut Json, path: &[String]) {
    let (last, parent) = path.split_last().unwrap();
    match place(value, parent) {
        Json::Object(map) => {
            map.remove(last);
        }
        Json::Array(list) => {
            list.remove(last.parse().unwrap());
        }
        _ => {}
    }
}

fn flat(understood: &Understood) -> BTreeMap<(String, Field), Value> {
    let all = understood.facts.iter();
    all.flat_map(|fact| {
        fact.fields.iter().map(|(field, value)| ((fact.object_id.clone(), *field), value.clone()))
    })
    .collect()
}

fn read(event: &Json) -> Understood {
    let body = event.to_string();
    facts_of_event(body.as_bytes(), &hash).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// How many readings may change when one field does.
fn tolerance(path: &[String]) -> usize {
    let object_field = path.get(2).map(String::as_str);
    match (path.len(), object_field) {
        (1..=2, _) | (_, Some("id" | "object" | "refunds" | "charges" | "balance_transactions")) => {
            usize::MAX
        }
        _ => 4,
    }
}

#[test]
fn each_field_may_be_anything() {
    let others = [
        json!(null),
        json!(true),
        json!(-7),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(""),
        json!("something_new"),
        json!("12"),
        json!([]),
        json!([[{}]]),
        json!({}),
        json!({ "id": 5 }),
        json!({ "data": [null, 1, {}] }),
    ];
    let mut tried = 0_u64;
    for era in [Era::Y2020, Era::Y2023, Era::Dahlia] {
        let mut events = subscription(era, &Plot::new("m"));
        events.extend(payment_link(era, &Plot::new("n")));
        events.extend(disputed(era, &Plot::new("w"), true));
        events.extend(credited(era, &Plot::new("c")));
        events.sort_by_key(|event| event["type"].to_string());
        events.dedup_by_key(|event| event["type"].to_string());
        for event in &events {
            let before = flat(&read(event));
            let mut all = Vec::new();
            paths(event, &mut vec![], &mut all);
            for path in all.iter().filter(|path| path.as_slice() != ["id"]) {
                let mut check = |mutated: Json, what: &str| {
                    tried += 1;
                    let after = flat(&read(&mutated));
                    let kept = before.iter().filter(|(key, value)| after.get(key) == Some(value)).count();
                    let lost = before.len() - kept;
                    assert!(
                        lost <= tolerance(path),
                        "{era:?} {} {path:?} {what}: lost {lost}",
                        event["type"]
                    );
                };
                let mut removed = event.clone();
                remove(&mut removed, path);
                check(removed, "removed");
                for other in &others {
                    let mut mutated = event.clone();
                    *place(&mut mutated, path) = other.clone();
                    check(mutated, &other.to_string());
                }
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}

#[test]
fn every_era_survives_removed_and_nulled_fields() {
    for era in Era::ALL {
        let plot = Plot::new("m");
        for event in [subscription(era, &plot), disputed(era, &plot, false), credited(era, &plot)].concat() {
            let mut all = Vec::new();
            paths(&event, &mut vec![], &mut all);
            for path in all.iter().filter(|path| path.as_slice() != ["id"]) {
                let (mut removed, mut nulled) = (event.clone(), event.clone());
                remove(&mut removed, path);
                *place(&mut nulled, path) = Json::Null;
                read(&removed);
                read(&nulled);
            }
        }
    }
}

#[test]
fn a_body_cut_anywhere_is_an_error_and_no_panic() {
    let body = subscription(Era::Dahlia, &Plot::new("m"))[0].to_string();
    for end in 0..body.len() {
        assert!(facts_of_event(&body.as_bytes()[..end], &hash).is_err(), "{end}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_an_error_or_an_event(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = facts_of_event(&bytes, &hash);
    }

    #[test]
    fn any_json_is_an_error_or_an_event(text in r#"[{}\[\]":,0-9a-z\\ ]{0,200}"#) {
        let _ = facts_of_event(format!(r#"{{"id":"evt_1","type":"invoice.paid","data":{{"object":{text}}}}}"#).as_bytes(), &hash);
    }
}
