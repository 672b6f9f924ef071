//! Events, as long as Stripe keeps them.

use serde_json::Value;

use super::{Call, list};
use crate::error::{ApiError, Res};
use crate::params;

/// Stripe keeps events for 30 days.
const KEPT_SECONDS: i64 = 30 * 86_400;
/// Most types that one request may name.
const MAX_TYPES: usize = 20;

/// Serves `events`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "GetEventsId" => get(call),
        "GetEvents" => all(call),
        _ => return None,
    })
}

fn get(call: &mut Call<'_>) -> Res {
    let event = call.world.find("event", call.id(), "id")?;
    if kept(call, &event) { Ok(event) } else { Err(ApiError::missing("event", call.id(), "id")) }
}

fn kept(call: &Call<'_>, event: &Value) -> bool {
    params::int0(event, "created") > call.world.now().saturating_sub(KEPT_SECONDS)
}

fn all(call: &mut Call<'_>) -> Res {
    let types = params::list(call.params, "types");
    if types.len() > MAX_TYPES {
        return Err(ApiError::param("", "types", format!("At most {MAX_TYPES} types.")).without_code());
    }
    if !types.is_empty() && call.text("type").is_some() {
        return Err(ApiError::bad("You may only specify one of these parameters: type, types."));
    }
    let success = params::at(call.params, "delivery_success").and_then(Value::as_bool);
    list(call, "event", "/v1/events", |event| {
        let kind = params::text(event, "type").unwrap_or_default();
        kept(call, event)
            && (types.is_empty() || types.iter().any(|t| fits(t.as_str().unwrap_or_default(), kind)))
            && call.text("type").is_none_or(|t| fits(t, kind))
            && success.is_none_or(|wanted| wanted == (params::int0(event, "pending_webhooks") == 0))
    })
}

/// `*` stands for any end: `charge.*`.
fn fits(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => wanted == kind,
    }
}
