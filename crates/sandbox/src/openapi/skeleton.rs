//! A new object begins as everything that Stripe's document says about it: nullable fields are null, lists and maps
//! are empty, flags are false, a field with one possible value has it. What must be known is laid over it, and what
//! was forgotten is found by the validation of the answer.

use serde_json::{Map, Value, json};

use super::document::document;
use super::translate::allows_null;

/// Fields that Stripe leaves out unless they are asked for by `expand`.
const ONLY_EXPANDED: &[(&str, &str)] =
    &[("charge", "refunds"), ("price", "tiers"), ("charge", "failure_balance_transaction")];

/// Nested objects are filled to this depth.
const DEPTH: usize = 4;

/// The empty object of a component.
pub fn skeleton(component: &str) -> Value {
    let mut object = match document().component(component) {
        Some(schema) => fill(schema, DEPTH),
        None => json!({}),
    };
    if let Some(map) = object.as_object_mut() {
        map.retain(|field, _| !ONLY_EXPANDED.contains(&(component, field.as_str())));
    }
    object
}

fn fill(schema: &Value, depth: usize) -> Value {
    let mut filled = Map::new();
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if allows_null(property) {
            filled.insert(name.clone(), Value::Null);
        } else if required.contains(&name.as_str())
            && let Some(value) = plain_default(property, depth)
        {
            filled.insert(name.clone(), value);
        }
    }
    Value::Object(filled)
}

fn plain_default(schema: &Value, depth: usize) -> Option<Value> {
    if let Some([only]) = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        return Some(only.clone());
    }
    if let Some(reference) =
        schema.get("$ref").or_else(|| schema.pointer("/anyOf/0/$ref")).and_then(Value::as_str)
    {
        let target = document().component(reference.rsplit('/').next()?)?;
        return (depth > 0).then(|| fill(target, depth - 1));
    }
    match schema.get("type").and_then(Value::as_str)? {
        "boolean" => Some(Value::Bool(false)),
        "array" => Some(json!([])),
        "object" if schema.get("properties").is_some() => (depth > 0).then(|| fill(schema, depth - 1)),
        "object" => Some(json!({})),
        _ => None,
    }
}

/// Lays `over` on `base`: objects are merged, all else is replaced.
pub fn lay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(inner) if inner.is_object() && value.is_object() => lay(inner, value),
                    _ => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}
