//! Everything that one account holds in one mode.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config::MAX_OBJECTS;
use crate::deliver::queue::Queue;
use crate::error::{ApiError, Res};
use crate::flows::billing::Bill;
use crate::idempotency::Stored;
use crate::ids::Ids;
use crate::money::{Line, Settings};
use crate::openapi::skeleton::{lay, skeleton};
use crate::plan::Plan;
use crate::table::Table;

/// The request that is being answered; events name it.
#[derive(Debug, Clone, Default)]
pub struct RequestInfo {
    /// `req_…`; `None` for what happens by itself, such as a renewal.
    pub id: Option<String>,
    /// The caller's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// One account in one mode.
#[derive(Debug)]
pub struct World {
    /// `acct_…`.
    pub account_id: String,
    /// True in live mode.
    pub livemode: bool,
    /// Ids and other deterministic choices.
    pub ids: Ids,
    /// The world's time.
    pub clock: Clock,
    /// Tax and shipping that every sale carries.
    pub settings: Settings,
    /// What is known about a session or subscription beyond its Stripe object.
    pub plans: BTreeMap<String, Plan>,
    /// Manual invoices that are not finalised.
    pub drafts: BTreeMap<String, Bill>,
    /// Parts of periods that the next invoice of a subscription carries.
    pub prorations: BTreeMap<String, Vec<Line>>,
    /// Signing secrets by endpoint.
    pub secrets: BTreeMap<String, String>,
    /// Deliveries to webhook endpoints.
    pub queue: Queue,
    /// Answers kept for `Idempotency-Key`.
    pub idempotent: Stored,
    /// The request that is being answered.
    pub request: RequestInfo,
    /// Endpoints for the events of connected accounts.
    pub connect_endpoints: std::collections::BTreeSet<String>,
    /// Events that no platform was told of yet, with their ids; at most 10,000.
    pub made_events: Vec<(String, Value)>,
    /// Count of invoices, for their numbers.
    pub invoices_numbered: u64,
    /// Where hosted pages (checkout, payment links) lie, for example `http://127.0.0.1:8788`.
    pub base_url: String,
    tables: BTreeMap<&'static str, Table>,
}

impl World {
    /// An empty account in one mode.
    pub fn new(seed: u64, account: &str, livemode: bool, clock: Clock, base_url: String) -> Self {
        let account_id = Ids::new(seed, &format!("account {account}")).next("acct");
        let scope = format!("world {account} {}", if livemode { "live" } else { "test" });
        Self {
            account_id,
            livemode,
            ids: Ids::new(seed, &scope),
            clock,
            settings: Settings::default(),
            plans: BTreeMap::new(),
            drafts: BTreeMap::new(),
            prorations: BTreeMap::new(),
            secrets: BTreeMap::new(),
            queue: Queue::new(seed, &scope),
            idempotent: Stored::default(),
            request: RequestInfo::default(),
            connect_endpoints: std::collections::BTreeSet::new(),
            made_events: Vec::new(),
            invoices_numbered: 0,
            base_url,
            tables: BTreeMap::new(),
        }
    }

    /// Now, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// A new object: the skeleton of its kind, a fresh id, its time and mode, and `over` on top. It is not kept yet.
    pub fn build(&mut self, kind: &'static str, prefix: &str, over: Value) -> Value {
        let id = over
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .unwrap_or_else(|| self.ids.next(prefix));
        let mut object = skeleton(kind);
        let schema = crate::openapi::document().component(kind);
        let has = |field: &str| schema.is_some_and(|s| s.pointer(&format!("/properties/{field}")).is_some());
        let mut own = json!({ "id": id });
        if has("created") {
            own["created"] = json!(self.now());
        }
        if has("livemode") {
            own["livemode"] = json!(self.livemode);
        }
        if has("metadata") {
            own["metadata"] = json!({});
        }
        lay(&mut object, own);
        lay(&mut object, over);
        object
    }

    /// Keeps a new object and returns its id.
    ///
    /// # Errors
    /// 400 if the sandbox is full.
    pub fn keep(&mut self, kind: &'static str, object: Value) -> Res<String> {
        let table = self.tables.entry(kind).or_insert_with(|| Table::new(kind));
        if table.made() >= MAX_OBJECTS {
            return Err(ApiError::bad(format!(
                "The sandbox holds at most {MAX_OBJECTS} objects of a kind ({kind}); start it again to empty it."
            )));
        }
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if table.has(&id) {
            return Err(ApiError::param(
                "resource_already_exists",
                "id",
                format!("{kind} already exists: {id}"),
            ));
        }
        table.add(&id, object);
        Ok(id)
    }

    /// Builds and keeps in one step.
    ///
    /// # Errors
    /// See [`World::keep`].
    pub fn make(&mut self, kind: &'static str, prefix: &str, over: Value) -> Res<String> {
        let object = self.build(kind, prefix, over);
        self.keep(kind, object)
    }

    fn row(&self, kind: &str, id: &str) -> Option<(&Value, bool)> {
        self.tables.get(kind)?.row(id)
    }

    /// An object that exists and was not deleted.
    pub fn get(&self, kind: &str, id: &str) -> Option<&Value> {
        self.row(kind, id).filter(|(_, deleted)| !deleted).map(|(value, _)| value)
    }

    /// A copy of an object, a deleted one in Stripe's short form.
    ///
    /// # Errors
    /// 404 naming `param` if there never was one.
    pub fn find(&self, kind: &str, id: &str, param: &str) -> Res {
        match self.row(kind, id) {
            Some((_, true)) => Ok(json!({ "id": id, "object": kind, "deleted": true })),
            Some((value, false)) => Ok(value.clone()),
            None => Err(ApiError::missing(kind, id, param)),
        }
    }

    /// A copy of an object that still exists.
    ///
    /// # Errors
    /// 404 naming `param`, also for a deleted one.
    pub fn live(&self, kind: &str, id: &str, param: &str) -> Res {
        self.get(kind, id).cloned().ok_or_else(|| ApiError::missing(kind, id, param))
    }

    /// Lays `over` on an object; nested objects are merged. Returns a copy of it.
    ///
    /// # Errors
    /// 404 if it does not exist.
    pub fn change(&mut self, kind: &'static str, id: &str, over: Value) -> Res {
        self.alter(kind, id, |value| lay(value, over)).cloned()
    }

    /// Replaces one field whole, also a map.
    ///
    /// # Errors
    /// 404 if the object does not exist.
    pub fn set(&mut self, kind: &'static str, id: &str, field: &str, value: Value) -> Res<()> {
        let put = |object: &mut Value| {
            if let Some(map) = object.as_object_mut() {
                map.insert(field.to_owned(), value);
            }
        };
        self.alter(kind, id, put).map(|_| ())
    }

    /// Replaces an object whole; its id stays.
    ///
    /// # Errors
    /// 404 if it does not exist.
    pub fn replace(&mut self, kind: &'static str, id: &str, value: Value) -> Res<()> {
        self.alter(kind, id, |object| *object = value).map(|_| ())
    }

    /// Marks an object deleted; its id stays taken.
    ///
    /// # Errors
    /// 404 if it does not exist.
    pub fn delete(&mut self, kind: &'static str, id: &str) -> Res<Value> {
        if !self.tables.get_mut(kind).is_some_and(|table| table.delete(id)) {
            return Err(ApiError::missing(kind, id, "id"));
        }
        Ok(json!({ "id": id, "object": kind, "deleted": true }))
    }

    fn alter(&mut self, kind: &'static str, id: &str, change: impl FnOnce(&mut Value)) -> Res<&Value> {
        let changed = self.tables.get_mut(kind).and_then(|table| table.alter(id, change));
        changed.ok_or_else(|| ApiError::missing(kind, id, "id"))
    }

    /// Objects of a kind that were not deleted, newest first.
    pub fn newest(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.newest_from(kind, None)
    }

    /// Objects of a kind that were not deleted, newest first, from the one of this id on if it is known.
    pub fn newest_from(&self, kind: &str, id: Option<&str>) -> impl Iterator<Item = &Value> {
        self.tables.get(kind).into_iter().flat_map(move |table| table.newest(id))
    }

    /// Objects of a kind that were not deleted and whose field, one of [`crate::table::relations`], has this value,
    /// newest first.
    pub fn related(&self, kind: &str, field: &str, value: &str) -> impl Iterator<Item = &Value> {
        self.tables.get(kind).into_iter().flat_map(move |table| table.related(field, value))
    }

    /// How many objects of a kind were ever made.
    pub fn made(&self, kind: &str) -> usize {
        self.tables.get(kind).map_or(0, Table::made)
    }

    /// Number of objects per kind, the deleted ones left out.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.tables.iter().map(|(kind, table)| (*kind, table.count())).collect()
    }
}
