//! `expand[]`: ids become objects, and lists that Stripe leaves out are put in.

use serde_json::{Value, json};

use crate::auth::{self, Key};
use crate::error::{ApiError, Res};
use crate::ids::kind_of;
use crate::params;
use crate::world::World;

/// Deepest expansion that Stripe takes.
const MAX_DEPTH: usize = 4;
/// Items of a list that is put in.
const INNER_LIMIT: usize = 10;

/// The paths that a request asks for.
pub fn wanted(params: &Value) -> Vec<String> {
    params::list(params, "expand").iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Expands an answer in place.
///
/// # Errors
/// 400 for a path that cannot be expanded or is too deep; 403 if the key may not read what it asks for.
pub fn expand(world: &World, key: &Key, body: &mut Value, paths: &[String]) -> Res<()> {
    for path in paths {
        let parts: Vec<&str> = path.split('.').collect();
        if parts.iter().filter(|p| **p != "data").count() > MAX_DEPTH {
            return Err(ApiError::bad(format!(
                "You cannot expand more than {MAX_DEPTH} levels of a property ({path})."
            )));
        }
        follow(world, key, body, &parts, path)?;
    }
    Ok(())
}

/// What Stripe tells only who asks for it, and in no event (its changelog of 2026-05-27), though its document requires it.
pub const ONLY_ASKED: (&str, &str) = ("invoice", "amount_paid_off_stripe");

/// Takes away what nobody asked for, of an object or of the items of a list.
pub fn leave_out(body: &mut Value, paths: &[String]) {
    let (kind, field) = ONLY_ASKED;
    if paths.iter().any(|path| path == field || path.strip_prefix("data.") == Some(field)) {
        return;
    }
    let items = match body {
        Value::Object(list) if list.get("object").is_some_and(|is| is == "list") => list.get_mut("data"),
        one => Some(one),
    };
    let items = match items {
        Some(Value::Array(items)) => items.iter_mut().collect(),
        Some(one) => vec![one],
        None => return,
    };
    for item in items {
        if let Some(fields) =
            item.as_object_mut().filter(|fields| fields.get("object").is_some_and(|is| is == kind))
        {
            fields.remove(field);
        }
    }
}

fn follow(world: &World, key: &Key, at: &mut Value, parts: &[&str], whole: &str) -> Res<()> {
    let Some((head, rest)) = parts.split_first() else { return Ok(()) };
    if let Value::Array(list) = at {
        return list.iter_mut().try_for_each(|item| follow(world, key, item, parts, whole));
    }
    let Some(object) = at.as_object_mut() else { return Ok(()) };
    if !object.contains_key(*head) {
        let inner = left_out(world, object.get("object"), object.get("id"), head)
            .ok_or_else(|| ApiError::bad(format!("This property cannot be expanded ({whole}).")))?;
        object.insert((*head).to_owned(), inner);
    }
    let Some(inner) = object.get_mut(*head) else { return Ok(()) };
    open(world, key, inner)?;
    follow(world, key, inner, rest, whole)
}

/// An id becomes its object; a list of ids becomes their objects.
fn open(world: &World, key: &Key, value: &mut Value) -> Res<()> {
    match value {
        Value::String(id) => {
            let kind = kind_of(id).or_else(|| world.get("coupon", id).map(|_| "coupon"));
            if let Some(kind) = kind {
                auth::allow(key, &world.account_id, auth::permission_of_kind(kind))?;
                *value = world.find(kind, id, "expand")?;
            }
            Ok(())
        }
        Value::Array(list) => list.iter_mut().try_for_each(|item| open(world, key, item)),
        _ => Ok(()),
    }
}

/// Lists that are only there if asked for.
fn left_out(world: &World, kind: Option<&Value>, id: Option<&Value>, field: &str) -> Option<Value> {
    let (kind, id) = (kind?.as_str()?, id?.as_str()?);
    let (items, url): (Vec<Value>, String) = match (kind, field) {
        ("invoice", "payments") => {
            (of(world, "invoice_payment", "invoice", id), format!("/v1/invoice_payments?invoice={id}"))
        }
        ("charge", "refunds") => (of(world, "refund", "charge", id), format!("/v1/charges/{id}/refunds")),
        ("customer", "subscriptions") => {
            (of(world, "subscription", "customer", id), format!("/v1/customers/{id}/subscriptions"))
        }
        ("checkout.session", "line_items") => {
            (crate::objects::items::of_plan(world, id)?, format!("/v1/checkout/sessions/{id}/line_items"))
        }
        ("payment_link", "line_items") => {
            (crate::objects::items::of_plan(world, id)?, format!("/v1/payment_links/{id}/line_items"))
        }
        _ => return None,
    };
    let has_more = items.len() > INNER_LIMIT;
    let data: Vec<Value> = items.into_iter().take(INNER_LIMIT).collect();
    Some(json!({ "object": "list", "data": data, "has_more": has_more, "url": url }))
}

fn of(world: &World, kind: &str, field: &str, id: &str) -> Vec<Value> {
    world.related(kind, field, id).cloned().collect()
}
