//! Parameters that mean the same on both databases.

use bytes::BytesMut;
use postgres_types::{IsNull, ToSql, Type, to_sql_checked};
use rusqlite::types::{ToSqlOutput, ValueRef};

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

impl rusqlite::ToSql for P<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
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
            P::T(text) => text.to_sql_checked(ty, out),
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
