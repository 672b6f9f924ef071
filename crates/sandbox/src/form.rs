//! Form fields as Stripe writes them (`a[b][0]=c`, `a[]=c`), typed by the schema of the operation.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::openapi::document;

/// Depth of brackets and number of fields that are read.
const MAX_DEPTH: usize = 12;
const MAX_FIELDS: usize = 2_000;

#[derive(Debug)]
enum Field {
    Text(String),
    Inner(Vec<(String, Field)>),
}

/// Reads query and body of a request into typed JSON.
///
/// # Errors
/// 400 for brackets that do not close, a field that is text and object at once, or too many fields.
pub fn parse(parts: &[&[u8]], schema: &Value) -> Result<Value, ApiError> {
    let mut top = Vec::new();
    let mut count = 0usize;
    for part in parts {
        for (name, text) in url::form_urlencoded::parse(part) {
            count += 1;
            if count > MAX_FIELDS {
                return Err(ApiError::bad(format!("A request may have at most {MAX_FIELDS} fields.")));
            }
            let path = cut(&name)?;
            put(&mut top, &path, text.into_owned(), &name)?;
        }
    }
    Ok(typed(Field::Inner(top), schema))
}

/// `a[b][]` as `["a", "b", ""]`.
fn cut(name: &str) -> Result<Vec<&str>, ApiError> {
    let malformed = || ApiError::bad(format!("Invalid parameter name: {name}"));
    let Some((head, mut rest)) = name.find('[').map(|at| name.split_at(at)) else { return Ok(vec![name]) };
    let mut path = vec![head];
    while !rest.is_empty() {
        let (inner, after) = rest.strip_prefix('[').and_then(|r| r.split_once(']')).ok_or_else(malformed)?;
        path.push(inner);
        rest = after;
    }
    if path.len() > MAX_DEPTH { Err(malformed()) } else { Ok(path) }
}

fn put(into: &mut Vec<(String, Field)>, path: &[&str], text: String, whole: &str) -> Result<(), ApiError> {
    let Some((head, rest)) = path.split_first() else { return Ok(()) };
    // `a[]` opens a new place each time it holds a plain text.
    let name = if head.is_empty() { into.len().to_string() } else { (*head).to_owned() };
    if rest.is_empty() {
        into.retain(|(n, _)| *n != name);
        into.push((name, Field::Text(text)));
        return Ok(());
    }
    let at = match into.iter().position(|(n, _)| *n == name) {
        Some(at) => at,
        None => {
            into.push((name, Field::Inner(Vec::new())));
            into.len() - 1
        }
    };
    match into.get_mut(at) {
        Some((_, Field::Inner(inner))) => put(inner, rest, text, whole),
        _ => Err(ApiError::bad(format!(
            "Invalid parameter: {whole} is given both as a text and as an object."
        ))),
    }
}

fn typed(field: Field, schema: &Value) -> Value {
    let alternatives = alternatives(schema);
    match field {
        Field::Text(text) => typed_text(text, &alternatives),
        Field::Inner(fields) => typed_inner(fields, &alternatives),
    }
}

/// The schema's alternatives, references followed.
fn alternatives(schema: &Value) -> Vec<&Value> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
        return document().component(name).map(alternatives).unwrap_or_default();
    }
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(list) => list.iter().flat_map(alternatives).collect(),
        None => vec![schema],
    }
}

fn kind(schema: &Value) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// A text that cannot be what the schema wants stays a text, so that the validation says so.
fn typed_text(text: String, alternatives: &[&Value]) -> Value {
    for schema in alternatives {
        let typed = match kind(schema) {
            "integer" => text.parse::<i64>().ok().map(Value::from),
            "boolean" => text.parse::<bool>().ok().map(Value::from),
            // Numbers of requests are percentages; their text is read as JSON and later written back exactly.
            "number" => serde_json::from_str::<serde_json::Number>(&text).ok().map(Value::Number),
            _ => None,
        };
        if let Some(value) = typed {
            return value;
        }
    }
    Value::String(text)
}

fn typed_inner(fields: Vec<(String, Field)>, alternatives: &[&Value]) -> Value {
    let names_only_indexes = fields.iter().all(|(name, _)| name.parse::<usize>().is_ok());
    if names_only_indexes
        && let Some(items) = alternatives.iter().find(|s| kind(s) == "array").and_then(|s| s.get("items"))
    {
        let mut indexed: Vec<(usize, Field)> =
            fields.into_iter().map(|(name, field)| (name.parse().unwrap_or(0), field)).collect();
        indexed.sort_by_key(|(index, _)| *index);
        return Value::Array(indexed.into_iter().map(|(_, field)| typed(field, items)).collect());
    }
    let objects: Vec<&&Value> = alternatives.iter().filter(|s| kind(s) == "object").collect();
    let known = |schema: &&&Value| {
        fields.iter().all(|(name, _)| schema.get("properties").is_some_and(|p| p.get(name).is_some()))
    };
    let schema = objects.iter().find(|s| known(s)).or(objects.first()).map(|s| **s);
    let any = Value::Object(Map::new());
    let mut object = Map::new();
    for (name, field) in fields {
        let inner = schema
            .and_then(|s| s.get("properties").and_then(|p| p.get(&name)).or(s.get("additionalProperties")))
            .unwrap_or(&any);
        let value = typed(field, inner);
        object.insert(name, value);
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(id: (&str, &str), body: &str) -> Value {
        let found = document().find(id.0, id.1).unwrap();
        parse(&[body.as_bytes()], &found.operation.request).unwrap()
    }

    #[test]
    fn fields_take_the_type_of_the_schema() {
        let value = request(
            ("POST", "/v1/checkout/sessions"),
            "line_items[0][price]=p&line_items[0][quantity]=2&allow_promotion_codes=true&expand[]=a&expand[]=b\
             &metadata[7]=8&payment_intent_data[metadata][a]=1",
        );
        assert_eq!(
            value,
            json!({
                "line_items": [{"price": "p", "quantity": 2}], "allow_promotion_codes": true, "expand": ["a", "b"],
                "metadata": {"7": "8"}, "payment_intent_data": {"metadata": {"a": "1"}},
            })
        );
    }

    #[test]
    fn ranges_and_plain_numbers_are_told_apart() {
        assert_eq!(request(("GET", "/v1/charges"), "created[gte]=5"), json!({"created": {"gte": 5}}));
        assert_eq!(request(("GET", "/v1/charges"), "created=5"), json!({"created": 5}));
        assert_eq!(request(("GET", "/v1/charges"), "limit=x"), json!({"limit": "x"}));
    }

    #[test]
    fn a_name_is_text_or_object_not_both() {
        let schema = json!({});
        assert!(parse(&[b"a=1&a[b]=2"], &schema).is_err());
        assert!(parse(&[b"a[b=2"], &schema).is_err());
    }
}
