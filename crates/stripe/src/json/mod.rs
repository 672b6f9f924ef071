//! Reading JSON so that one odd field never spoils the rest.
//!
//! An object is walked once; each field of interest is kept as the raw text of its value and interpreted
//! on its own. A field of the wrong type counts as absent and leaves a note. Of a repeated key the last wins.

mod walk;

pub use walk::{elements, entries};
pub(crate) use walk::{entries_into, entries_of_text, entries_while};

use serde_json::value::RawValue;
use std::borrow::Cow;

/// The longest text that is taken from an object, in bytes.
pub const MAX_TEXT: usize = 500;
/// The greatest amount that is believed, in minor units, both ways.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000_000;
/// The last second that is believed (end of the year 9999).
const MAX_SECONDS: i64 = 253_402_300_799;
/// The most items that are read of one list.
pub const MAX_ITEMS: usize = 100;
/// The most notes that are kept of one source.
const MAX_NOTES: usize = 20;

/// What a source said of one field. Absent is not null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Said<T> {
    /// Nothing was said, or something that cannot be read (see the notes).
    #[default]
    Absent,
    /// It was said that there is none.
    Null,
    /// A value was said.
    Is(T),
}

impl<T> Said<T> {
    /// The value, if one was said.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            _ => None,
        }
    }

    /// A view of the value by reference.
    pub const fn as_ref(&self) -> Said<&T> {
        match self {
            Self::Absent => Said::Absent,
            Self::Null => Said::Null,
            Self::Is(value) => Said::Is(value),
        }
    }

    /// Changes the value, if one was said.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Said<U> {
        match self {
            Self::Absent => Said::Absent,
            Self::Null => Said::Null,
            Self::Is(value) => Said::Is(change(value)),
        }
    }

    /// Looks inside the value: null stays null, absent stays absent.
    pub fn and_then<U>(self, inside: impl FnOnce(T) -> Said<U>) -> Said<U> {
        match self {
            Self::Absent => Said::Absent,
            Self::Null => Said::Null,
            Self::Is(value) => inside(value),
        }
    }

    /// Two places for one thing, in different API versions: a value in either wins, then a null in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Is(value), _) | (_, Self::Is(value)) => Self::Is(value),
            (Self::Null, _) | (_, Self::Null) => Self::Null,
            _ => Self::Absent,
        }
    }

    /// Was it said that there is none?
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Was nothing said?
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// Remarks on fields that could not be read, for the Events page. Bounded.
#[derive(Debug, Default)]
pub struct Notes(Vec<String>);

impl Notes {
    /// Adds a remark.
    pub fn add(&mut self, note: impl Into<String>) {
        if self.0.len() < MAX_NOTES {
            self.0.push(note.into());
        }
    }

    /// Hands the remarks over.
    #[must_use]
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }
}

/// A value that can be read from the raw text of a field.
pub trait Read<'a>: Sized {
    /// What is expected, for the note: "a whole number".
    const WANTED: &'static str;
    /// Reads it, or finds that it is something else.
    fn read(raw: &'a RawValue, notes: &mut Notes) -> Option<Self>;
}

/// Reads one field: null, a value, or (with a note) something that counts as absent.
pub fn said<'a, T: Read<'a>>(object: &str, field: &str, raw: &'a RawValue, notes: &mut Notes) -> Said<T> {
    if raw.get() == "null" {
        return Said::Null;
    }
    match T::read(raw, notes) {
        Some(value) => Said::Is(value),
        None => {
            notes.add(format!("{object}.{field} is not {}; it was read as absent.", T::WANTED));
            Said::Absent
        }
    }
}

/// Text of at most [`MAX_TEXT`] bytes without NUL.
pub type Text<'a> = Cow<'a, str>;

impl<'a> Read<'a> for Cow<'a, str> {
    const WANTED: &'static str = "a text of at most 500 bytes";

    fn read(raw: &'a RawValue, _: &mut Notes) -> Option<Self> {
        let text = text_of(raw.get())?;
        (text.len() <= MAX_TEXT && !text.contains('\0')).then_some(text)
    }
}

/// The longest text that Stripe passes along as a client reference, in characters.
pub const MAX_BRIEF: usize = 200;

/// Text of any length, of which at most [`MAX_BRIEF`] characters are kept; one that was longer ends in “…”. Control
/// characters are read as “?”.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief<'a>(pub Cow<'a, str>);

impl<'a> Read<'a> for Brief<'a> {
    const WANTED: &'static str = "a text";

    fn read(raw: &'a RawValue, _: &mut Notes) -> Option<Self> {
        let text = text_of(raw.get())?;
        let odd = |c: char| c.is_control();
        if text.len() <= MAX_BRIEF && !text.contains(odd) {
            return Some(Self(text));
        }
        let mut kept: String = text.chars().take(MAX_BRIEF).map(|c| if odd(c) { '?' } else { c }).collect();
        if text.chars().nth(MAX_BRIEF).is_some() {
            kept.push('…');
        }
        Some(Self(Cow::Owned(kept)))
    }
}

/// The text of a JSON string; borrowed where nothing is escaped.
fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inside))
}

/// A whole number, also where it is written as a text.
fn whole(raw: &RawValue) -> Option<i64> {
    let text = raw.get().trim_matches('"');
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// An amount in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub i64);

impl<'a> Read<'a> for Amount {
    const WANTED: &'static str = "a whole amount of at most 10^15 minor units";

    fn read(raw: &'a RawValue, _: &mut Notes) -> Option<Self> {
        whole(raw).filter(|amount| (-MAX_AMOUNT..=MAX_AMOUNT).contains(amount)).map(Self)
    }
}

/// A time in milliseconds UTC, written by Stripe as seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub i64);

impl<'a> Read<'a> for Millis {
    const WANTED: &'static str = "a time in Unix seconds";

    fn read(raw: &'a RawValue, _: &mut Notes) -> Option<Self> {
        whole(raw).filter(|seconds| (0..=MAX_SECONDS).contains(seconds)).map(|seconds| Self(seconds * 1000))
    }
}

impl<'a> Read<'a> for bool {
    const WANTED: &'static str = "true or false";

    fn read(raw: &'a RawValue, _: &mut Notes) -> Option<Self> {
        match raw.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// A reference that may be expanded: an id, or the object itself with its id.
#[derive(Debug, Clone)]
pub struct IdOr<'a> {
    /// The id.
    pub id: Text<'a>,
    /// The object, where it was expanded.
    pub object: Option<&'a RawValue>,
}

impl<'a> Read<'a> for IdOr<'a> {
    const WANTED: &'static str = "an id or an object with an id";

    fn read(raw: &'a RawValue, notes: &mut Notes) -> Option<Self> {
        if !raw.get().starts_with('{') {
            return id_text(Text::read(raw, notes)?).map(|id| Self { id, object: None });
        }
        let mut id = None;
        entries(raw, &mut |key, value| {
            if key == b"id" {
                id = Text::read(value, notes).and_then(id_text);
            }
        });
        id.map(|id| Self { id, object: Some(raw) })
    }
}

/// An id is not empty and has at most 255 bytes.
fn id_text(text: Text<'_>) -> Option<Text<'_>> {
    (!text.is_empty() && text.len() <= 255).then_some(text)
}

/// A plain array of at most [`MAX_ITEMS`] items; what is beyond is noted and left out.
#[derive(Debug, Clone, Default)]
pub struct Items<'a>(pub Vec<&'a RawValue>);

impl<'a> Read<'a> for Items<'a> {
    const WANTED: &'static str = "a list";

    fn read(raw: &'a RawValue, notes: &mut Notes) -> Option<Self> {
        let mut items = Vec::new();
        let mut more = 0_usize;
        let is_list = elements(raw, &mut |item| {
            if items.len() < MAX_ITEMS { items.push(item) } else { more = more.saturating_add(1) }
        });
        if more > 0 {
            notes.add(format!("{more} items of a list beyond the first {MAX_ITEMS} were not read."));
        }
        is_list.then_some(Self(items))
    }
}

/// Any object, kept as it is.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a>(pub &'a RawValue);

impl<'a> Read<'a> for Object<'a> {
    const WANTED: &'static str = "an object";

    fn read(raw: &'a RawValue, _: &mut Notes) -> Option<Self> {
        raw.get().starts_with('{').then_some(Self(raw))
    }
}

/// Declares a view of a Stripe object: each field with its JSON key, absent unless the object says it.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident { $( $(#[$fdoc:meta])* $field:ident : $ty:ty = $key:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name<'a> {
            $( $(#[$fdoc])* pub $field: $crate::json::Said<$ty>, )+
            borrowed: std::marker::PhantomData<&'a str>,
        }
        impl<'a> $crate::json::Read<'a> for $name<'a> {
            const WANTED: &'static str = "an object";
            fn read(raw: &'a serde_json::value::RawValue, notes: &mut $crate::json::Notes) -> Option<Self> {
                let mut view = Self::default();
                let is_object = $crate::json::entries(raw, &mut |key, value| match key {
                    $( $key => {
                        view.$field = $crate::json::said(stringify!($name), stringify!($field), value, notes);
                    } )+
                    _ => {}
                });
                is_object.then_some(view)
            }
        }
    };
}
pub(crate) use view;
