//! Walking over objects and lists, each value kept as its raw text.

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Calls `each` for every entry of an object. False if `raw` is not an object.
///
/// Keys are bytes: a key that is not valid text is nobody's key, and no reason to fail.
pub fn entries<'a>(raw: &'a RawValue, each: &mut dyn FnMut(&[u8], &'a RawValue)) -> bool {
    raw.get().starts_with('{') && entries_of_text(raw.get(), each).is_ok()
}

/// Calls `each` for the entries of an object until it says `false`. For what commonly stands at the beginning.
pub(crate) fn entries_while<'a>(raw: &'a RawValue, each: &mut dyn FnMut(&[u8], &'a RawValue) -> bool) {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    if raw.get().starts_with('{') {
        // stopping early ends the walk as an error, and says nothing else
        let _stopped = json.deserialize_map(EntriesWhile(each));
    }
}

/// As [`entries`], over a whole document; checks it to its last byte.
pub(crate) fn entries_of_text<'a>(
    text: &'a str,
    each: &mut dyn FnMut(&[u8], &'a RawValue),
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Entries(each))?;
    json.end()
}

/// As [`entries_of_text`], but goes into the object at `key` on the same walk and calls `inside` for its entries.
/// An error too if the value at `key` is no object.
pub(crate) fn entries_into<'a>(
    text: &'a str,
    key: &[u8],
    each: &mut dyn FnMut(&[u8], &'a RawValue),
    inside: &mut dyn FnMut(&[u8], &'a RawValue),
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(EntriesInto { key, each, inside })?;
    json.end()
}

/// Calls `each` for every element of an array. False if `raw` is not an array.
pub fn elements<'a>(raw: &'a RawValue, each: &mut dyn FnMut(&'a RawValue)) -> bool {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    raw.get().starts_with('[') && json.deserialize_seq(Elements(each)).is_ok()
}

struct Entries<'f, 'a>(&'f mut dyn FnMut(&[u8], &'a RawValue));

impl<'a> Visitor<'a> for Entries<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            let value = map.next_value::<&'a RawValue>()?;
            (self.0)(&key, value);
        }
        Ok(())
    }
}

struct EntriesWhile<'f, 'a>(&'f mut dyn FnMut(&[u8], &'a RawValue) -> bool);

impl<'a> Visitor<'a> for EntriesWhile<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            if !(self.0)(&key, map.next_value::<&'a RawValue>()?) {
                return Err(A::Error::custom(""));
            }
        }
        Ok(())
    }
}

struct EntriesInto<'k, 'f, 'a> {
    key: &'k [u8],
    each: &'f mut dyn FnMut(&[u8], &'a RawValue),
    inside: &'f mut dyn FnMut(&[u8], &'a RawValue),
}

impl<'a> Visitor<'a> for EntriesInto<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            if *key == *self.key {
                map.next_value_seed(Inner(&mut *self.inside))?;
            } else {
                (self.each)(&key, map.next_value::<&'a RawValue>()?);
            }
        }
        Ok(())
    }
}

struct Inner<'f, 'a>(&'f mut dyn FnMut(&[u8], &'a RawValue));

impl<'a> DeserializeSeed<'a> for Inner<'_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(Entries(self.0))
    }
}

/// A key, as bytes.
struct Key;

impl<'a> DeserializeSeed<'a> for Key {
    type Value = Cow<'a, [u8]>;

    fn deserialize<D: serde::Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_bytes(self)
    }
}

impl<'a> Visitor<'a> for Key {
    type Value = Cow<'a, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_bytes<E: Error>(self, key: &'a [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_vec()))
    }
}

struct Elements<'f, 'a>(&'f mut dyn FnMut(&'a RawValue));

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<&'a RawValue>()? {
            (self.0)(item);
        }
        Ok(())
    }
}
