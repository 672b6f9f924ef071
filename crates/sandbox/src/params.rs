//! Short readers of typed parameters and objects.

use serde_json::{Map, Value, json};

/// The value at a dotted path, `None` if it is absent or null.
pub fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path.split('.').try_fold(value, |v, part| match v {
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })?;
    (!found.is_null()).then_some(found)
}

/// A text at a dotted path; an empty text counts as absent, as with Stripe.
pub fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    at(value, path).and_then(Value::as_str).filter(|t| !t.is_empty())
}

/// An owned text at a dotted path.
pub fn owned(value: &Value, path: &str) -> Option<String> {
    text(value, path).map(str::to_owned)
}

/// A whole number at a dotted path.
pub fn int(value: &Value, path: &str) -> Option<i64> {
    at(value, path).and_then(Value::as_i64)
}

/// A whole number at a dotted path, 0 if absent.
pub fn int0(value: &Value, path: &str) -> i64 {
    int(value, path).unwrap_or(0)
}

/// True if the flag at a dotted path is set.
pub fn flag(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or(false)
}

/// The list at a dotted path, empty if absent.
pub fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    at(value, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The map at a dotted path, or an empty one.
pub fn map(value: &Value, path: &str) -> Value {
    at(value, path).filter(|v| v.is_object()).cloned().unwrap_or_else(|| json!({}))
}

/// Metadata after an update: an empty text removes a key, an empty text in place of the map removes all.
pub fn merged_metadata(old: &Value, update: Option<&Value>) -> Value {
    let mut merged: Map<String, Value> = old.as_object().cloned().unwrap_or_default();
    match update {
        Some(Value::Object(update)) => {
            for (key, value) in update {
                if value.as_str() == Some("") {
                    merged.remove(key);
                } else {
                    merged.insert(key.clone(), value.clone());
                }
            }
        }
        Some(Value::String(_)) => merged.clear(),
        _ => {}
    }
    Value::Object(merged)
}
