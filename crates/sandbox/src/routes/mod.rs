//! The operations that the sandbox serves, one file per resource.

pub mod account;
pub mod balance_transactions;
pub mod charges;
pub mod coupons;
pub mod credit_notes;
pub mod customers;
pub mod disputes;
pub mod events;
pub mod invoices;
pub mod payment_intents;
pub mod payment_links;
pub mod prices;
pub mod products;
pub mod promotion_codes;
pub mod refunds;
pub mod sessions;
pub mod shipping;
pub mod subscriptions;
pub mod webhook_endpoints;

use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::params;
use crate::table::relations;
use crate::world::World;

/// One request at work: typed, checked, its key allowed.
#[derive(Debug)]
pub struct Call<'c> {
    /// Where it works.
    pub world: &'c mut World,
    /// Path parameters.
    pub path: &'c [String],
    /// Typed parameters.
    pub params: &'c Value,
}

impl Call<'_> {
    /// The first path parameter.
    pub fn id(&self) -> &str {
        self.path.first().map(String::as_str).unwrap_or_default()
    }

    /// A text parameter.
    pub fn text(&self, path: &str) -> Option<&str> {
        params::text(self.params, path)
    }

    /// True if the object's field is the parameter of the same name, or the parameter is absent.
    pub fn matches(&self, object: &Value, field: &str) -> bool {
        self.text(field).is_none_or(|wanted| params::text(object, field) == Some(wanted))
    }
}

/// Serves an operation by Stripe's name of it; `None` if the sandbox does not have it.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    let by_resource = [
        account::serve,
        balance_transactions::serve,
        charges::serve,
        coupons::serve,
        credit_notes::serve,
        customers::serve,
        disputes::serve,
        events::serve,
        invoices::serve,
        payment_intents::serve,
        payment_links::serve,
        prices::serve,
        products::serve,
        promotion_codes::serve,
        refunds::serve,
        sessions::serve,
        subscriptions::serve,
        webhook_endpoints::serve,
    ];
    by_resource.iter().find_map(|serve| serve(operation, call))
}

/// Items of a page unless asked otherwise, and at most.
const PAGE: i64 = 10;
const LARGEST_PAGE: i64 = 100;

/// One page of a kind, newest first, of those that `keep` takes. A parameter that is one of the kind's relations takes
/// only those whose field of the same name it is.
///
/// # Errors
/// See [`page`].
pub fn list(call: &Call<'_>, kind: &str, url: &str, keep: impl Fn(&Value) -> bool) -> Res {
    let created = Range::read(call.params);
    let keep = |o: &&Value| created.holds(params::int(o, "created")) && keep(o);
    let named = |field: &&&str| call.text(field).is_some();
    match relations(kind).iter().find(named).and_then(|field| Some((*field, call.text(field)?))) {
        Some((field, value)) => page(call.world.related(kind, field, value).filter(keep), call.params, url),
        None => {
            page(call.world.newest_from(kind, call.text("starting_after")).filter(keep), call.params, url)
        }
    }
}

/// One page of objects that come newest first.
///
/// # Errors
/// 400 for a limit outside 1 to 100, both cursors at once, or a cursor that names nothing in the list.
pub fn page<'v>(all: impl Iterator<Item = &'v Value>, given: &Value, url: &str) -> Res {
    let limit = params::int(given, "limit").unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(ApiError::param(
            "parameter_invalid_integer",
            "limit",
            format!("This value must be between 1 and {LARGEST_PAGE} (got {limit})."),
        ));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let (after, before) = (params::text(given, "starting_after"), params::text(given, "ending_before"));
    let unknown =
        |name: &str, id: &str| ApiError::param("resource_missing", name, format!("No such object: '{id}'"));
    let named = |object: &&Value, id: &str| params::text(object, "id") == Some(id);
    let (data, has_more): (Vec<Value>, bool) = match (after, before) {
        (Some(_), Some(_)) => {
            return Err(ApiError::bad(
                "You may only specify one of these parameters: starting_after, ending_before.",
            ));
        }
        (Some(id), None) => {
            let mut all = all;
            all.find(|o| named(o, id)).ok_or_else(|| unknown("starting_after", id))?;
            take(all, limit)
        }
        (None, Some(id)) => {
            let mut newer: Vec<&Value> = Vec::new();
            let mut found = false;
            for object in all {
                if named(&object, id) {
                    found = true;
                    break;
                }
                newer.push(object);
            }
            if !found {
                return Err(unknown("ending_before", id));
            }
            // The page next to the cursor, still newest first.
            let from = newer.len().saturating_sub(limit);
            (newer.get(from..).unwrap_or_default().iter().map(|v| (*v).clone()).collect(), from > 0)
        }
        (None, None) => take(all, limit),
    };
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": url }))
}

fn take<'v>(all: impl Iterator<Item = &'v Value>, limit: usize) -> (Vec<Value>, bool) {
    let mut all = all;
    let data: Vec<Value> = all.by_ref().take(limit).cloned().collect();
    (data, all.next().is_some())
}

/// The filter `created`.
#[derive(Debug, Default)]
struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

impl Range {
    fn read(given: &Value) -> Self {
        if let Some(exact) = params::int(given, "created") {
            return Self { from: Some(exact), to: Some(exact) };
        }
        let bound = |name: &str| params::int(given, &format!("created.{name}"));
        Self {
            from: bound("gte").or_else(|| bound("gt").map(|t| t.saturating_add(1))),
            to: bound("lte").or_else(|| bound("lt").map(|t| t.saturating_sub(1))),
        }
    }

    fn holds(&self, created: Option<i64>) -> bool {
        let Some(created) = created else { return true };
        self.from.is_none_or(|from| created >= from) && self.to.is_none_or(|to| created <= to)
    }
}

/// Lays the given fields (an empty text clears one) and metadata on an object.
///
/// # Errors
/// 404 if the object does not exist.
pub fn update(call: &mut Call<'_>, kind: &'static str, fields: &[&str]) -> Res {
    let id = call.id().to_owned();
    let object = call.world.live(kind, &id, "id")?;
    for field in fields {
        if let Some(value) = call.params.get(*field) {
            let value = if value.as_str() == Some("") { Value::Null } else { value.clone() };
            call.world.set(kind, &id, field, value)?;
        }
    }
    if let Some(metadata) = call.params.get("metadata") {
        let merged = params::merged_metadata(&object["metadata"], Some(metadata));
        call.world.set(kind, &id, "metadata", merged)?;
    }
    call.world.live(kind, &id, "id")
}

/// Copies the given ones of some fields into a new object's values; an empty text counts as absent.
pub fn copy(given: &Value, fields: &[&str]) -> Value {
    let mut copied = json!({});
    for field in fields {
        if let Some(value) = params::at(given, field).filter(|v| v.as_str() != Some("")) {
            copied[*field] = value.clone();
        }
    }
    copied
}
