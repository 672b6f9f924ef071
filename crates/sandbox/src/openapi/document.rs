//! Reads the embedded document once and finds the operation of a request.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::translate;

/// Stripe's document, as published without its prose (licence: `data/LICENSE-stripe-openapi-MIT.txt`).
/// `build.rs` has compressed it: a twelfth of its size in the binary.
const COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));

/// The API version that the document describes and that the sandbox speaks.
pub const API_VERSION: &str = "2026-05-27.dahlia";

/// One method of one path.
#[derive(Debug)]
pub struct Operation {
    /// Stripe's name, for example `PostRefunds`.
    pub id: String,
    /// HTTP method in capitals.
    pub method: String,
    /// The path cut at its slashes; a segment in braces takes any text.
    segments: Vec<String>,
    /// JSON Schema of the form fields (POST) or of the query and form fields together (GET, DELETE).
    pub request: Value,
    /// JSON Schema of the answer with status 200.
    pub answer: Value,
}

/// An operation found for a request, with the texts that stood for its path parameters.
#[derive(Debug)]
pub struct Matched {
    /// The operation.
    pub operation: &'static Operation,
    /// Path parameters in the order of the path.
    pub path_params: Vec<String>,
}

/// The whole document in the form that the sandbox uses.
#[derive(Debug)]
pub struct Document {
    /// `{"components": {"schemas": …}}`, translated to JSON Schema.
    pub root: Value,
    resources: BTreeMap<String, String>,
    operations: Vec<Operation>,
    by_shape: BTreeMap<(String, usize), Vec<usize>>,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::read(&text()));

fn text() -> String {
    let mut text = String::new();
    if let Err(error) = flate2::read::GzDecoder::new(COMPRESSED).read_to_string(&mut text) {
        tracing::error!(%error, "Stripe's document cannot be unpacked");
    }
    text
}

/// The document, read at the first call (about a tenth of a second).
pub fn document() -> &'static Document {
    &DOCUMENT
}

impl Document {
    /// An unreadable text gives an empty document, which refuses every request; a test holds that it is not empty.
    fn read(text: &str) -> Self {
        let mut whole: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let paths = whole.get_mut("paths").map(Value::take).unwrap_or(Value::Null);
        let mut schemas = whole.pointer_mut("/components/schemas").map(Value::take).unwrap_or(Value::Null);
        if let Some(map) = schemas.as_object_mut() {
            map.values_mut().for_each(translate::schema);
        }
        // Its document requires what Stripe tells only who asks for it: see `expand::leave_out`.
        let (kind, field) = crate::expand::ONLY_ASKED;
        if let Some(Value::Array(required)) = schemas.pointer_mut(&format!("/{kind}/required")) {
            required.retain(|name| name != field);
        }
        let resources = translate::resources(&schemas);
        translate::cut(&mut schemas, &resources);
        let mut operations = Vec::new();
        if let Value::Object(paths) = paths {
            for (path, methods) in paths {
                read_path(&path, methods, &mut operations);
            }
        }
        operations.iter_mut().for_each(|o| translate::cut(&mut o.answer, &resources));
        // Literal segments win over parameters: `/v1/invoices/search` before `/v1/invoices/{invoice}`.
        operations.sort_by_key(|o: &Operation| o.segments.iter().filter(|s| is_parameter(s)).count());
        let mut by_shape: BTreeMap<(String, usize), Vec<usize>> = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate() {
            by_shape.entry((operation.method.clone(), operation.segments.len())).or_default().push(at);
        }
        Self { root: json!({ "components": { "schemas": schemas } }), resources, operations, by_shape }
    }

    /// The translated schema of one component, for example `invoice`.
    pub fn component(&self, name: &str) -> Option<&Value> {
        self.root.get("components")?.get("schemas")?.get(name)
    }

    /// The component that describes a value by itself, if the value is a resource.
    pub fn resource_of(&self, value: &Value) -> Option<&str> {
        let object = value.get("object")?.as_str()?;
        let deleted = format!("{}{object}", translate::DELETED);
        let name = if value.get("deleted") == Some(&Value::Bool(true)) { deleted.as_str() } else { object };
        self.resources.get_key_value(name).map(|(name, _)| name.as_str())
    }

    /// The operation that a method and a path name, or `None` for an unknown route.
    pub fn find(&'static self, method: &str, path: &str) -> Option<Matched> {
        let parts: Vec<&str> = path.split('/').collect();
        for at in self.by_shape.get(&(method.to_owned(), parts.len()))? {
            let operation = self.operations.get(*at)?;
            if let Some(path_params) = match_segments(&operation.segments, &parts) {
                return Some(Matched { operation, path_params });
            }
        }
        None
    }

    /// Number of operations read.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// True if nothing could be read.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

fn match_segments(segments: &[String], parts: &[&str]) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for (segment, part) in segments.iter().zip(parts) {
        if is_parameter(segment) && !part.is_empty() {
            found.push((*part).to_owned());
        } else if segment != part {
            return None;
        }
    }
    Some(found)
}

fn read_path(path: &str, methods: Value, into: &mut Vec<Operation>) {
    let Value::Object(methods) = methods else { return };
    for (method, mut body) in methods {
        let Some(id) = body.get("operationId").and_then(Value::as_str).map(str::to_owned) else { continue };
        let request = request_schema(&mut body);
        let mut answer = body
            .pointer_mut("/responses/200/content/application~1json/schema")
            .map(Value::take)
            .unwrap_or_else(|| json!({}));
        translate::schema(&mut answer);
        let segments = path.split('/').map(str::to_owned).collect();
        into.push(Operation { id, method: method.to_uppercase(), segments, request, answer });
    }
}

/// Form fields and query fields in one closed object: Stripe takes both alike on GET and DELETE.
fn request_schema(body: &mut Value) -> Value {
    let mut schema = body
        .pointer_mut("/requestBody/content/application~1x-www-form-urlencoded/schema")
        .map(Value::take)
        .unwrap_or_else(|| json!({ "type": "object", "properties": {} }));
    let mut required: Vec<Value> = Vec::new();
    if let Some(Value::Array(parameters)) = body.get_mut("parameters").map(Value::take) {
        for mut parameter in parameters {
            if parameter.get("in").and_then(Value::as_str) != Some("query") {
                continue;
            }
            let Some(name) = parameter.get("name").and_then(Value::as_str).map(str::to_owned) else {
                continue;
            };
            if parameter.get("required") == Some(&Value::Bool(true)) {
                required.push(Value::String(name.clone()));
            }
            let field = parameter.get_mut("schema").map(Value::take).unwrap_or_else(|| json!({}));
            if let Some(Value::Object(properties)) = schema.get_mut("properties") {
                properties.insert(name, field);
            } else if let Some(map) = schema.as_object_mut() {
                map.insert("properties".into(), Value::Object(Map::from_iter([(name, field)])));
            }
        }
    }
    if !required.is_empty()
        && let Some(map) = schema.as_object_mut()
    {
        let list = map.entry("required").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.extend(required);
        }
    }
    translate::schema(&mut schema);
    schema
}
