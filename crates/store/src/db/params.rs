//! Parameters that mean the same on both databases.

use bytes::BytesMut;
use postgres_types::{IsNull, ToSql, Type, to_sql_checked};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use std::borrow::Cow;

/// The type of a NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ty {
    /// BIGINT
    Int,
    /// TEXT
    Text,
    /// BYTEA
    Bytes,
    /// BOOLEAN
    Flag,
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum P<'p> {
    /// BIGINT
    I(i64),
    /// TEXT
    T(&'p str),
    /// BYTEA
    B(&'p [u8]),
    /// BOOLEAN
    F(bool),
    /// NULL of a type.
    Null(Ty),
}

impl<'p> P<'p> {
    /// A text or NULL.
    #[must_use]
    pub fn opt_t(text: Option<&'p str>) -> Self {
        text.map_or(Self::Null(Ty::Text), Self::T)
    }

    /// A number or NULL.
    #[must_use]
    pub fn opt_i(value: Option<i64>) -> Self {
        value.map_or(Self::Null(Ty::Int), Self::I)
    }
}

/// A text as both databases can hold it. PostgreSQL takes no NUL in a text, so on both the letter that stands for what
/// cannot be shown (U+FFFD) takes its place: a search for one finds nothing, on either.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&0) { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

impl rusqlite::ToSql for P<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        if let P::T(text) = self
            && let Cow::Owned(text) = storable(text)
        {
            return Ok(ToSqlOutput::Owned(Value::Text(text)));
        }
        Ok(ToSqlOutput::Borrowed(match self {
            P::I(value) => ValueRef::Integer(*value),
            P::T(text) => ValueRef::Text(text.as_bytes()),
            P::B(bytes) => ValueRef::Blob(bytes),
            P::F(flag) => ValueRef::Integer(i64::from(*flag)),
            P::Null(_) => ValueRef::Null,
        }))
    }
}

impl ToSql for P<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            P::I(value) => value.to_sql_checked(ty, out),
            P::T(text) => storable(text).as_ref().to_sql_checked(ty, out),
            P::B(bytes) => bytes.to_sql_checked(ty, out),
            P::F(flag) => flag.to_sql_checked(ty, out),
            P::Null(_) => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // each variant checks the column's type itself
    }

    to_sql_checked!();
}
