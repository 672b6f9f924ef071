//! The envelope of a webhook event, read without looking into the object further than its type and id.

use crate::json::{self, IdOr, Millis, Notes, Object, Read, Said, Text};
use serde_json::value::RawValue;

/// The longest event id or event type, in bytes.
pub const MAX_NAME: usize = 255;

/// What an event says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `evt_…`, 1 to 255 bytes.
    pub id: String,
    /// `invoice.paid`, …; empty if the event names none, cut at 255 bytes.
    pub type_: String,
    /// When Stripe made the event (ms UTC); 0 if it does not say.
    pub created_ms: i64,
    /// The API version that the object is written in.
    pub api_version: Option<String>,
    /// Live or test mode, if said.
    pub livemode: Option<bool>,
    /// The connected account that the event comes from (`acct_…`): Connect and Apps only.
    pub account: Option<String>,
    /// A thin event (`v2.core.event`): it carries no object.
    pub thin: bool,
    /// `data.object.object`, or a thin event's `related_object.type`: `invoice`, `charge`, …
    pub object_kind: Option<String>,
    /// `data.object.id`, or a thin event's `related_object.id`.
    pub object_id: Option<String>,
}

/// Why a body is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Not UTF-8.
    #[error("The body is not UTF-8 text (byte {at}).")]
    NotText {
        /// The first bad byte's offset.
        at: usize,
    },
    /// Not JSON, or not an object.
    #[error("The body is not a JSON object: {reason}")]
    NotJson {
        /// The parser's words, with line and column; they quote nothing of the body.
        reason: String,
    },
    /// No id.
    #[error("The event has no id.")]
    NoId,
    /// An id that cannot be kept.
    #[error("The event's id is empty, longer than {MAX_NAME} bytes, or no text.")]
    BadId,
}

/// An event with its object, borrowed from the body.
#[derive(Debug)]
pub struct Event<'a> {
    /// What the event says about itself.
    pub envelope: Envelope,
    /// `data.object`, unread.
    pub object: Option<&'a RawValue>,
    /// Remarks on odd fields.
    pub notes: Notes,
}

impl Envelope {
    /// Reads the envelope of a webhook body.
    ///
    /// # Errors
    /// A [`ParseError`] if the body is not a JSON object with a usable `id`. Nothing else is an error.
    pub fn parse(raw: &[u8]) -> Result<Self, ParseError> {
        parse(raw).map(|event| event.envelope)
    }
}

/// Reads an event from its raw body.
///
/// # Errors
/// A [`ParseError`] if the body is not a JSON object with a usable `id`. Nothing else is an error.
pub fn parse(raw: &[u8]) -> Result<Event<'_>, ParseError> {
    let text = std::str::from_utf8(raw).map_err(|e| ParseError::NotText { at: e.valid_up_to() })?;
    if !text.trim_start().starts_with('{') {
        return Err(ParseError::NotJson { reason: "it does not begin with {".to_owned() });
    }
    let top = Top::read(text)?;
    let id = id_of(top.id)?;
    let mut notes = Notes::default();
    let envelope = top.envelope(id, &mut notes);
    let object = top.inside.and_then(object_of);
    let related = top.related.and_then(object_of).filter(|_| envelope.thin);
    let mut event = Event { envelope, object, notes };
    if let Some(object) = object {
        event.name_object(object, b"object");
    } else if let Some(related) = related {
        event.name_object(related, b"type");
    }
    Ok(event)
}

/// The raw entries of the event that matter.
#[derive(Default)]
struct Top<'a> {
    id: Option<&'a RawValue>,
    object: Option<&'a RawValue>,
    type_: Option<&'a RawValue>,
    created: Option<&'a RawValue>,
    api_version: Option<&'a RawValue>,
    livemode: Option<&'a RawValue>,
    account: Option<&'a RawValue>,
    /// Of a thin event.
    related: Option<&'a RawValue>,
    /// `data.object`
    inside: Option<&'a RawValue>,
}

impl<'a> Top<'a> {
    /// One walk over the whole text. Only where `data` is no object, and the event therefore carries none, is a
    /// second one needed.
    fn read(text: &'a str) -> Result<Self, ParseError> {
        let (mut top, mut inside) = (Self::default(), None);
        let walked =
            json::entries_into(text, b"data", &mut |key, value| top.take(key, value), &mut |key, value| {
                if key == b"object" {
                    inside = Some(value);
                }
            });
        if walked.is_ok() {
            top.inside = inside;
            return Ok(top);
        }
        let mut top = Self::default();
        json::entries_of_text(text, &mut |key, value| top.take(key, value))
            .map_err(|e| ParseError::NotJson { reason: e.to_string() })?;
        Ok(top)
    }

    fn take(&mut self, key: &[u8], value: &'a RawValue) {
        let place = match key {
            b"id" => &mut self.id,
            b"object" => &mut self.object,
            b"type" => &mut self.type_,
            b"created" => &mut self.created,
            b"api_version" => &mut self.api_version,
            b"livemode" => &mut self.livemode,
            b"account" => &mut self.account,
            b"related_object" => &mut self.related,
            _ => return,
        };
        *place = Some(value);
    }

    fn envelope(&self, id: String, notes: &mut Notes) -> Envelope {
        let text = |field: Option<&'a RawValue>, name: &str, notes: &mut Notes| {
            read::<Text<'a>>(field, name, notes).map(|text| cut(&text))
        };
        let thin = read::<Text<'a>>(self.object, "object", notes).as_deref() == Some("v2.core.event");
        Envelope {
            id,
            type_: text(self.type_, "type", notes).unwrap_or_default(),
            created_ms: created_ms(self.created, notes),
            api_version: text(self.api_version, "api_version", notes),
            livemode: read::<bool>(self.livemode, "livemode", notes),
            account: read::<IdOr<'a>>(self.account, "account", notes).map(|account| cut(&account.id)),
            thin,
            object_kind: None,
            object_id: None,
        }
    }
}

impl<'a> Event<'a> {
    /// Fills in what the object says of itself; its kind stands under the given key.
    fn name_object(&mut self, object: &'a RawValue, kind_key: &[u8]) {
        let (mut kind, mut id) = (None, None);
        json::entries_while(object, &mut |key, value| {
            match key {
                b"id" => id = Some(value),
                key if key == kind_key => kind = Some(value),
                _ => {}
            }
            kind.is_none() || id.is_none()
        });
        let text = |raw, name, notes: &mut Notes| read::<Text<'a>>(raw, name, notes).map(|text| cut(&text));
        self.envelope.object_kind = text(kind, "data.object.object", &mut self.notes);
        self.envelope.object_id = text(id, "data.object.id", &mut self.notes).filter(|id| !id.is_empty());
    }
}

fn id_of(raw: Option<&RawValue>) -> Result<String, ParseError> {
    let raw = raw.filter(|raw| raw.get() != "null").ok_or(ParseError::NoId)?;
    Text::read(raw, &mut Notes::default())
        .filter(|id| !id.is_empty() && id.len() <= MAX_NAME && !id.contains(char::is_control))
        .map(Text::into_owned)
        .ok_or(ParseError::BadId)
}

/// Snapshot events say seconds, thin events an RFC 3339 text.
fn created_ms(raw: Option<&RawValue>, notes: &mut Notes) -> i64 {
    let Some(raw) = raw else {
        notes.add("The event does not say when it was made; it counts as the oldest.");
        return 0;
    };
    if let Some(Millis(at)) = Millis::read(raw, notes) {
        return at;
    }
    let at = Text::read(raw, notes).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    if at.is_none() {
        notes.add("event.created is not a time; the event counts as the oldest.");
    }
    at.map_or(0, jiff::Timestamp::as_millisecond)
}

fn object_of(raw: &RawValue) -> Option<&RawValue> {
    Object::read(raw, &mut Notes::default()).map(|object| object.0)
}

fn read<'a, T: Read<'a>>(raw: Option<&'a RawValue>, name: &str, notes: &mut Notes) -> Option<T> {
    match raw {
        Some(raw) => match json::said::<T>("event", name, raw, notes) {
            Said::Is(value) => Some(value),
            _ => None,
        },
        None => None,
    }
}

/// Cuts at 255 bytes, between two letters.
fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
