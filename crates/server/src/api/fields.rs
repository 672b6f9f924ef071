//! Reads a JSON body field by field, so that every mistake is answered with the field that has it, all at once.
//! Numbers are read as the text that was sent.

use super::error::{ApiError, Problems};
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Longest list in a body.
const ITEMS: usize = 500;

/// An object of the body. Fields that nobody asks for are refused by [`Fields::finish`].
pub struct Fields<'b> {
    raw: BTreeMap<String, &'b RawValue>,
    asked: RefCell<BTreeSet<&'static str>>,
    path: String,
    problems: Rc<RefCell<Problems>>,
}

impl<'b> Fields<'b> {
    /// Reads the top of a body. Nothing, or PHP's empty list, is an empty object.
    ///
    /// # Errors
    /// [`ApiError::Unreadable`] for anything that is not a JSON object.
    pub fn read(body: &'b [u8]) -> Result<Self, ApiError> {
        let unreadable = |why: String| ApiError::Unreadable(format!("The body is not a JSON object: {why}."));
        let text = std::str::from_utf8(body).map_err(|_| unreadable("it is not UTF-8".into()))?.trim();
        let raw = match text {
            "" | "[]" => BTreeMap::new(),
            _ => serde_json::from_str(text).map_err(|e| unreadable(e.to_string()))?,
        };
        let problems = Rc::default();
        Ok(Self { raw, asked: RefCell::default(), path: String::new(), problems })
    }

    /// The whole name of a field.
    fn name(&self, field: &str) -> String {
        format!("{}{field}", self.path)
    }

    /// Notes a mistake.
    pub fn wrong(&self, field: &str, sentence: impl Into<String>) {
        self.problems.borrow_mut().entry(self.name(field)).or_default().push(sentence.into());
    }

    /// The raw value of a field; null is the same as nothing.
    fn value(&self, field: &'static str) -> Option<&'b RawValue> {
        self.asked.borrow_mut().insert(field);
        self.raw.get(field).copied().filter(|value| value.get() != "null")
    }

    /// Is the field there, null included?
    pub fn has(&self, field: &'static str) -> bool {
        self.asked.borrow_mut().insert(field);
        self.raw.contains_key(field)
    }

    /// Is there a value, other than null?
    pub fn is_given(&self, field: &'static str) -> bool {
        self.value(field).is_some()
    }

    /// Accepts a field of the contract that has no effect here.
    pub fn ignore(&self, fields: &[&'static str]) {
        self.asked.borrow_mut().extend(fields);
    }

    /// A text of at most `max` characters; a number is taken as it is written. Surrounding blanks go.
    pub fn text(&self, field: &'static str, max: usize) -> Option<String> {
        let value = self.value(field)?;
        let text = match serde_json::from_str::<String>(value.get()) {
            Ok(text) => text.trim().to_owned(),
            Err(_) if is_number(value.get()) => value.get().to_owned(),
            Err(_) => {
                self.wrong(field, format!("The {} must be a text.", self.name(field)));
                return None;
            }
        };
        match text_problem(&text, max) {
            None => Some(text),
            Some(why) => {
                self.wrong(field, format!("The {} {why}.", self.name(field)));
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub fn required(&self, field: &'static str, max: usize) -> Option<String> {
        if self.value(field).is_none() {
            self.wrong(field, format!("The {} is required.", self.name(field)));
            return None;
        }
        let text = self.text(field, max)?;
        if text.is_empty() {
            self.wrong(field, format!("The {} is required.", self.name(field)));
            return None;
        }
        Some(text)
    }

    /// An e-mail address, in lower case.
    pub fn email(&self, field: &'static str) -> Option<String> {
        let text = self.text(field, 255)?.to_lowercase();
        if text.is_empty() || is_email(&text) {
            return Some(text);
        }
        self.wrong(field, format!("The {} must be an e-mail address.", self.name(field)));
        None
    }

    /// A key that fits into links: letters, digits, `-` and `_`, at most 64.
    pub fn key(&self, field: &'static str) -> Option<String> {
        let text = self.text(field, 64)?;
        if text.is_empty() || is_link_key(&text) {
            return Some(text).filter(|text| !text.is_empty());
        }
        self.wrong(field, format!("The {} has only letters, digits, “-” and “_”.", self.name(field)));
        None
    }

    /// Yes or no, also as `"true"`, `0` or `1`.
    pub fn flag(&self, field: &'static str) -> Option<bool> {
        match self.value(field)?.get() {
            "true" | "\"true\"" | "1" | "\"1\"" => Some(true),
            "false" | "\"false\"" | "0" | "\"0\"" => Some(false),
            _ => {
                self.wrong(field, format!("The {} must be true or false.", self.name(field)));
                None
            }
        }
    }

    /// A decimal, as the text that was sent: a JSON number, or a JSON text that holds one.
    pub fn decimal(&self, field: &'static str) -> Option<String> {
        let value = self.value(field)?;
        if is_number(value.get()) {
            return Some(value.get().to_owned());
        }
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) if is_number(text.trim()) => Some(text.trim().to_owned()),
            _ => {
                self.wrong(
                    field,
                    format!("The {} must be a decimal number, such as 99.99.", self.name(field)),
                );
                None
            }
        }
    }

    /// A list of texts; numbers and objects `{"value": …}` are taken too. One text alone is refused.
    pub fn list(&self, field: &'static str, max: usize) -> Option<Vec<String>> {
        if self.value(field)?.get().starts_with('[') {
            return self.texts(field, max);
        }
        self.wrong(field, format!("The {} must be a list of at most {ITEMS} texts.", self.name(field)));
        None
    }

    /// Like [`Fields::list`], and one text or number stands for a list of one.
    pub fn texts(&self, field: &'static str, max: usize) -> Option<Vec<String>> {
        let value = self.value(field)?.get();
        let items = if value.starts_with('[') {
            serde_json::from_str::<Vec<&RawValue>>(value).ok().filter(|items| items.len() <= ITEMS)
        } else {
            Some(self.value(field).into_iter().collect())
        };
        let texts = items.and_then(|items| items.into_iter().map(text_of).collect::<Option<Vec<_>>>());
        let Some(texts) = texts else {
            let name = self.name(field);
            self.wrong(field, format!("The {name} must be a list of at most {ITEMS} texts."));
            return None;
        };
        if let Some(why) = texts.iter().find_map(|text| text_problem(text, max)) {
            self.wrong(field, format!("A text in {} {why}.", self.name(field)));
            return None;
        }
        Some(texts)
    }

    /// An object inside. PHP's empty list is an empty object.
    pub fn object(&self, field: &'static str) -> Option<Fields<'b>> {
        let value = self.value(field)?;
        self.inner(value, field, self.name(field))
    }

    fn inner(&self, value: &'b RawValue, field: &'static str, name: String) -> Option<Fields<'b>> {
        let raw = match value.get() {
            "[]" => BTreeMap::new(),
            text => match serde_json::from_str(text) {
                Ok(raw) => raw,
                Err(_) => {
                    self.wrong(field, format!("The {name} must be an object."));
                    return None;
                }
            },
        };
        Some(Fields {
            raw,
            asked: RefCell::default(),
            path: format!("{name}."),
            problems: Rc::clone(&self.problems),
        })
    }

    /// A list of objects.
    pub fn objects(&self, field: &'static str) -> Option<Vec<Fields<'b>>> {
        let value = self.value(field)?;
        match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            Ok(items) if items.len() <= ITEMS => {
                let inner = |(n, item)| self.inner(item, field, format!("{}.{n}", self.name(field)));
                items.into_iter().enumerate().map(inner).collect()
            }
            _ => {
                let name = self.name(field);
                self.wrong(field, format!("The {name} must be a list of at most {ITEMS} objects."));
                None
            }
        }
    }

    /// Refuses fields that nobody asked for.
    pub fn close(&self) {
        let asked = self.asked.borrow();
        for field in self.raw.keys().filter(|field| !asked.contains(field.as_str())) {
            let shown: String = field.chars().filter(|c| !c.is_control()).take(64).collect();
            self.wrong(&shown, format!("The field {} is not known.", self.name(&shown)));
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with every mistake that was noted.
    pub fn finish(&self) -> Result<(), ApiError> {
        self.close();
        let problems = self.problems.take();
        if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid(problems)) }
    }
}

/// A text, a number as it is written, or the text of `{"value": …}`.
fn text_of(value: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Valued {
        value: String,
    }
    let text = value.get();
    if is_number(text) {
        return Some(text.to_owned());
    }
    let plain = serde_json::from_str::<String>(text);
    let text = plain.or_else(|_| serde_json::from_str::<Valued>(text).map(|valued| valued.value)).ok()?;
    Some(text.trim().to_owned())
}

/// A JSON number by its grammar, in at most 64 characters.
fn is_number(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    starts && text.len() <= 64 && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// What is wrong with a text, if anything.
pub(crate) fn text_problem(text: &str, max: usize) -> Option<String> {
    if text.chars().any(char::is_control) {
        return Some("must not have control characters".to_owned());
    }
    (text.chars().count() > max).then(|| format!("must not be longer than {max} characters"))
}

/// Something before one `@`, something after it, no blanks.
pub(crate) fn is_email(text: &str) -> bool {
    match text.split_once('@') {
        Some((name, host)) => {
            !name.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !text.contains(char::is_whitespace)
                && text.len() <= 255
        }
        None => false,
    }
}

/// Does a key fit into links?
pub(crate) fn is_link_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
