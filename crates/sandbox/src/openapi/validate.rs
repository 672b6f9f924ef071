//! Validators, built when first needed and kept: one per request of an operation, per answer, per component.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, Registry, ValidationError, Validator};
use serde_json::{Value, json};

use super::document::{Operation, document};

/// The name under which the registry keeps the document; nothing is ever fetched.
const ROOT: &str = "urn:stripe-openapi";

static REGISTRY: LazyLock<Option<Registry<'static>>> = LazyLock::new(|| {
    let builder = Registry::new().draft(Draft::Draft7);
    match builder.add(ROOT, &document().root).and_then(|b| b.prepare()) {
        Ok(registry) => Some(registry),
        Err(error) => {
            tracing::error!(%error, "Stripe's document cannot be used for validation");
            None
        }
    }
});

static BUILT: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// One way in which a value breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// What is wrong.
    pub kind: BreachKind,
    /// Where: the property names and indexes from the top.
    pub at: Vec<String>,
    /// The validator's sentence.
    pub message: String,
}

/// Kinds of breach that get an answer of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreachKind {
    /// A property that the schema does not know.
    Unknown(String),
    /// A required property is absent.
    Missing(String),
    /// Not one of the listed values.
    NotListed(Vec<String>),
    /// Longer than this number of characters.
    TooLong(u64),
    /// Another JSON type is wanted.
    WrongType(String),
    /// Anything else.
    Other,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}",
            if self.at.is_empty() { "(top)".to_owned() } else { self.at.join(".") },
            self.message
        )
    }
}

/// Checks the typed form fields of a request.
///
/// # Errors
/// Every breach, the most telling first.
pub fn request(operation: &Operation, value: &Value) -> Result<(), Vec<Breach>> {
    check(&format!("request {}", operation.id), || operation.request.clone(), value)
}

/// Checks an answer with status 200.
///
/// # Errors
/// Every breach.
pub fn answer(operation: &Operation, value: &Value) -> Result<(), Vec<Breach>> {
    check(&format!("answer {}", operation.id), || operation.answer.clone(), value)?;
    nested(value)
}

/// Checks an object against a component, for example `invoice`.
///
/// # Errors
/// Every breach.
pub fn component(name: &str, value: &Value) -> Result<(), Vec<Breach>> {
    own(name, value)?;
    nested(value)
}

fn own(name: &str, value: &Value) -> Result<(), Vec<Breach>> {
    check(&format!("component {name}"), || json!({ "$ref": format!("#/components/schemas/{name}") }), value)
}

/// Checks every resource inside a value, itself included: the validators see one resource at a time.
fn nested(value: &Value) -> Result<(), Vec<Breach>> {
    let mut path = Vec::new();
    nested_at(value, &mut path)
}

fn nested_at(value: &Value, path: &mut Vec<String>) -> Result<(), Vec<Breach>> {
    if let Some(name) = document().resource_of(value) {
        own(name, value).map_err(|breaches| {
            let placed = |b: Breach| Breach { at: path.iter().cloned().chain(b.at).collect(), ..b };
            breaches.into_iter().map(placed).collect::<Vec<_>>()
        })?;
    }
    let mut step = |key: String, inner: &Value| {
        path.push(key);
        let result = nested_at(inner, path);
        path.pop();
        result
    };
    match value {
        // The merchant's own keys may be called anything, also `object`.
        Value::Object(map) => {
            map.iter().filter(|(k, _)| *k != "metadata").try_for_each(|(k, v)| step(k.clone(), v))
        }
        Value::Array(list) => list.iter().enumerate().try_for_each(|(at, v)| step(at.to_string(), v)),
        _ => Ok(()),
    }
}

fn check(key: &str, schema: impl FnOnce() -> Value, value: &Value) -> Result<(), Vec<Breach>> {
    let validator = match validator(key, schema) {
        Ok(validator) => validator,
        Err(message) => return Err(vec![Breach { kind: BreachKind::Other, at: Vec::new(), message }]),
    };
    let mut breaches: Vec<Breach> = validator.iter_errors(value).map(|e| deepest(&e)).collect();
    if breaches.is_empty() {
        return Ok(());
    }
    breaches.sort_by_key(|b| matches!(b.kind, BreachKind::Other));
    Err(breaches)
}

fn validator(key: &str, schema: impl FnOnce() -> Value) -> Result<Arc<Validator>, String> {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = built.get(key) {
        return Ok(Arc::clone(found));
    }
    let registry = REGISTRY.as_ref().ok_or("Stripe's document cannot be read")?;
    let mut schema = schema();
    point_into_document(&mut schema);
    let validator = jsonschema::options()
        .with_draft(Draft::Draft7)
        .with_registry(registry)
        .build(&schema)
        .map_err(|e| format!("{key}: the schema cannot be used: {e}"))?;
    let validator = Arc::new(validator);
    built.insert(key.to_owned(), Arc::clone(&validator));
    Ok(validator)
}

/// A schema that stands alone refers to the components of the registered document.
fn point_into_document(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                match inner {
                    Value::String(target) if key == "$ref" && target.starts_with('#') => {
                        *target = format!("{ROOT}{target}");
                    }
                    other => point_into_document(other),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(point_into_document),
        _ => {}
    }
}

/// Of the alternatives of an `anyOf`, the one that came furthest says what is wrong.
fn deepest(error: &ValidationError<'_>) -> Breach {
    if let ValidationErrorKind::AnyOf { context } = error.kind() {
        let best = context
            .iter()
            .filter_map(|errors| {
                errors.first().map(|first| (depth(first), std::cmp::Reverse(errors.len()), first))
            })
            .max_by_key(|(depth, count, _)| (*depth, *count));
        if let Some((inner, _, first)) = best
            && inner > path(error).len()
        {
            return deepest(first);
        }
        if let [only] = context.as_slice()
            && let [first] = only.as_slice()
        {
            return deepest(first);
        }
        if let Some(first) = non_null_alternative(context) {
            return deepest(first);
        }
    }
    Breach { kind: kind(error), at: path(error), message: shorten(&error.to_string()) }
}

/// `anyOf [X, null]` is Stripe's nullable X: the answer should speak of X.
fn non_null_alternative<'e>(
    context: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e ValidationError<'static>> {
    let telling = |e: &&ValidationError<'static>| !matches!(kind(e), BreachKind::WrongType(_));
    context.iter().filter_map(|errors| errors.first()).find(telling)
}

fn depth(error: &ValidationError<'_>) -> usize {
    let here = path(error).len();
    match error.kind() {
        ValidationErrorKind::AnyOf { context } => {
            context.iter().flatten().map(depth).max().unwrap_or(here).max(here)
        }
        ValidationErrorKind::AdditionalProperties { .. } | ValidationErrorKind::Required { .. } => here + 1,
        _ => here,
    }
}

fn kind(error: &ValidationError<'_>) -> BreachKind {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            BreachKind::Unknown(unexpected.first().cloned().unwrap_or_default())
        }
        ValidationErrorKind::Required { property } => {
            BreachKind::Missing(property.as_str().unwrap_or_default().to_owned())
        }
        ValidationErrorKind::Enum { options } => BreachKind::NotListed(
            options.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        ),
        ValidationErrorKind::MaxLength { limit } => BreachKind::TooLong(*limit),
        ValidationErrorKind::Type { .. } => BreachKind::WrongType(shorten(&error.to_string())),
        _ => BreachKind::Other,
    }
}

fn path(error: &ValidationError<'_>) -> Vec<String> {
    error.instance_path().as_str().split('/').skip(1).map(str::to_owned).collect()
}

/// Messages quote the instance, which may be a whole invoice.
fn shorten(text: &str) -> String {
    const LIMIT: usize = 300;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    let tail: String = text.chars().skip(text.chars().count() - LIMIT / 2).collect();
    let head: String = text.chars().take(LIMIT / 2).collect();
    format!("{head} … {tail}")
}
