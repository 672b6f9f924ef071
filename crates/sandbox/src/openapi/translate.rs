//! OpenAPI 3.0 schema to JSON Schema (draft 7), in place.
//!
//! Two changes: `nullable` becomes a null alternative, and every object that lists its properties is closed. Stripe's
//! document leaves objects open; closed ones catch a misspelt parameter and a field that Stripe does not have.

use std::collections::BTreeMap;

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

/// Replaces every reference to a resource (a component with an `object` field of its own, such as `invoice`) by "some
/// object of this kind". Stripe's resources refer to each other in circles through their expandable fields, so that
/// one validator of a whole invoice holds nearly the whole document: 0.15 s and several megabytes each. Cut here, a
/// validator sees one resource, and `validate` asks each nested resource for itself.
pub fn cut(value: &mut Value, resources: &BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
            if let Some((name, object)) = name.and_then(|n| resources.get_key_value(n)) {
                *value = stub(name, object);
                return;
            }
            map.values_mut().for_each(|inner| cut(inner, resources));
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| cut(inner, resources)),
        _ => {}
    }
}

fn stub(name: &str, object: &str) -> Value {
    let mut stub = json!({
        "type": "object",
        "required": ["object"],
        "properties": { "object": { "type": "string", "enum": [object] } },
    });
    if name.starts_with(DELETED) {
        stub["required"] = json!(["object", "deleted"]);
        stub["properties"]["deleted"] = json!({ "enum": [true] });
    }
    stub
}

/// Resources by component name, with the value of their `object` field: `deleted_customer` is a `customer`.
pub fn resources(components: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, schema) in components.as_object().into_iter().flatten() {
        let Some([Value::String(object)]) =
            schema.pointer("/properties/object/enum").and_then(Value::as_array).map(Vec::as_slice)
        else {
            continue;
        };
        if name == object || name.strip_prefix(DELETED) == Some(object) {
            found.insert(name.clone(), object.clone());
        }
    }
    found
}

/// Names of components that stand for what was deleted begin so.
pub const DELETED: &str = "deleted_";

/// True if null is an allowed value of a translated schema.
pub fn allows_null(translated: &Value) -> bool {
    translated
        .get("anyOf")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|s| s.get("type").and_then(Value::as_str) == Some("null")))
}
