//! What comes about a person who was erased: understood without anything personal, and without its payload.

use super::super::context::Context;
use super::super::project::People;
use super::super::world::Source;
use crate::App;
use std::collections::BTreeSet;
use tributary_domain::fact::{Fact, Field, Kind, Value};
use tributary_store::pipeline::inbox::{self, StoredEvent};
use tributary_store::pipeline::{erasure, people, purge};
use tributary_store::{StoreError, Tx, Unit, connections::Connection};

/// Every object that a fact is about or names.
fn named(fact: &Fact) -> impl Iterator<Item = &str> {
    const NAMES: [Field; 6] = [
        Field::Customer,
        Field::Invoice,
        Field::PaymentIntent,
        Field::Charge,
        Field::LatestCharge,
        Field::ApiStripeId,
    ];
    let fields = NAMES.into_iter().filter_map(|field| match fact.fields.get(&field) {
        Some(Value::Text(id)) => Some(id.as_str()),
        _ => None,
    });
    std::iter::once(fact.object_id.as_str()).chain(fields)
}

/// The sources and people of a batch without what is personal of erased persons; `None` if the batch names none. The
/// payloads of those sources are taken away, and their objects become tombstones, too.
///
/// # Errors
/// The database's.
pub(in super::super) async fn redacted(
    tx: &mut Tx<'_>,
    ctx: &Context,
    sources: &[Source],
    people: &People,
) -> Result<Option<(Vec<Source>, People)>, StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    if !ctx.is_stripe() || !erasure::any(tx, ws).await? {
        return Ok(None);
    }
    let facts = || sources.iter().flat_map(|source| &source.facts);
    let all: BTreeSet<String> = facts().flat_map(named).map(str::to_owned).collect();
    let mut erased = erasure::among(tx, ws, con, &all).await?;
    if erased.is_empty() {
        return Ok(None);
    }
    // What names an erased object belongs to the same person; a customer is named by many, and names nobody.
    let known = erased.len();
    loop {
        let before = erased.len();
        for fact in facts().filter(|fact| fact.kind != Kind::Customer) {
            if named(fact).any(|id| erased.contains(id)) {
                let own = named(fact).filter(|id| Kind::of_stripe_id(id) != Some(Kind::Customer));
                erased.extend(own.map(str::to_owned).collect::<Vec<_>>());
            }
        }
        if erased.len() == before {
            break;
        }
    }
    if erased.len() > known {
        erasure::add_objects(tx, ws, con, &erased, ctx.now).await?;
        carry_buyers(tx, ctx, &erased).await?;
    }
    let mut sources = sources.to_vec();
    let (mut keys, mut guests) = (Vec::new(), BTreeSet::new());
    for source in &mut sources {
        let mut touched = false;
        for fact in source.facts.iter_mut().filter(|fact| erased.contains(&fact.object_id)) {
            if let Some(Value::Text(hash)) = fact.fields.get(&Field::EmailHash) {
                guests.insert(format!("guest:{hash}"));
            }
            fact.redact();
            touched = true;
        }
        if touched {
            keys.push((con.clone(), source.source_id.clone()));
        }
    }
    purge::drop_payloads(tx, ws, &keys, ctx.now).await?;
    purge::empty_bodies(tx, ws, &keys, ctx.now).await?;
    let mut people = people.clone();
    people.retain(|id, _| !erased.contains(id) && !guests.contains(id));
    Ok(Some((sources, people)))
}

/// Takes away the payloads of events that were ignored and that name an erased person: nothing was understood of them,
/// so nothing else would.
///
/// # Errors
/// The database's.
pub(in super::super) async fn drop_ignored(
    app: &App,
    connection: &Connection,
    events: &[StoredEvent],
) -> Result<(), StoreError> {
    let ws = &connection.workspace_id;
    if events.is_empty() || !app.db.read(Any(ws.clone())).await? {
        return Ok(());
    }
    let data_key = app.data_key(ws).await?;
    let mut named = Vec::new();
    for event in events {
        let Some(body) = &event.body else { continue };
        let place = inbox::payload_place(&connection.connection_id, &event.event_id);
        let raw = data_key.open(&place, body)?;
        let mut ids = BTreeSet::new();
        if let Ok(value) = serde_json::from_slice(&raw) {
            collect_ids(&value, &mut ids);
        }
        named.push((event.event_id.clone(), ids));
    }
    app.db.write(DropIgnored { connection: connection.clone(), named, now: app.now() }).await
}

fn collect_ids(value: &serde_json::Value, ids: &mut BTreeSet<String>) {
    use serde_json::Value as Json;
    match value {
        Json::String(text) if Kind::of_stripe_id(text).is_some() => {
            ids.insert(text.clone());
        }
        Json::Array(list) => list.iter().for_each(|inner| collect_ids(inner, ids)),
        Json::Object(object) => object.values().for_each(|inner| collect_ids(inner, ids)),
        _ => {}
    }
}

struct Any(String);
impl Unit for Any {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        erasure::any(tx, &self.0).await
    }
}

struct DropIgnored {
    connection: Connection,
    named: Vec<(String, BTreeSet<String>)>,
    now: i64,
}

impl Unit for DropIgnored {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, con) = (&self.connection.workspace_id, &self.connection.connection_id);
        let events: Vec<&str> = self.named.iter().map(|(id, _)| id.as_str()).collect();
        let outcomes = inbox::outcomes_of(tx, ws, con, &events).await?;
        let mut keys = Vec::new();
        for ((id, ids), outcome) in self.named.iter().zip(outcomes) {
            if outcome == "ignored" && !erasure::among(tx, ws, con, ids).await?.is_empty() {
                keys.push((con.clone(), id.clone()));
            }
        }
        purge::drop_payloads(tx, ws, &keys, self.now).await
    }
}

/// A purchase may be known by another of its objects from here on: its buyer stays who it was.
async fn carry_buyers(tx: &mut Tx<'_>, ctx: &Context, erased: &BTreeSet<String>) -> Result<(), StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let mut links: Vec<people::Link> = Vec::new();
    for program in &ctx.programs {
        for id in erased {
            let buyer = format!("unknown:{id}");
            let mut found = Vec::new();
            for by_email in [true, false] {
                found.extend(erasure::link_of(tx, ws, con, &buyer, &program.program_id, by_email).await?);
            }
            if !found.is_empty() {
                links.extend(found);
                break;
            }
        }
    }
    links.sort();
    if !links.is_empty() {
        for id in erased {
            erasure::add_buyer(tx, ws, con, &format!("unknown:{id}"), &links).await?;
        }
    }
    Ok(())
}
