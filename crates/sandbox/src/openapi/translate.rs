//! OpenAPI 3.0 schema to JSON Schema (draft 7), in place.
//!
//! Two changes: `nullable` becomes a null alternative, and every object that lists its properties is closed. Stripe's
//! document leaves objects open; closed ones catch a misspelt parameter and a field that Stripe does not have.

use serde_json::{Value, json};

/// Translates a schema and everything inside it.
pub fn schema(value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    map.retain(|key, _| !key.starts_with("x-") && key != "title" && key != "format");
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = map.get_mut(key) {
            schema(inner);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(list)) = map.get_mut(key) {
            list.iter_mut().for_each(schema);
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(schema);
    }
    if map.contains_key("properties") && !map.contains_key("additionalProperties") {
        map.insert("additionalProperties".into(), Value::Bool(false));
    }
    if map.remove("nullable") == Some(Value::Bool(true)) {
        let inner = value.take();
        *value = nullable(inner);
    }
}

fn nullable(mut inner: Value) -> Value {
    if let Some(Value::Array(options)) = inner.get_mut("anyOf") {
        options.push(json!({ "type": "null" }));
        return inner;
    }
    json!({ "anyOf": [inner, { "type": "null" }] })
}

/// True if null is an allowed value of a translated schema.
pub fn allows_null(translated: &Value) -> bool {
    translated
        .get("anyOf")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|s| s.get("type").and_then(Value::as_str) == Some("null")))
}
