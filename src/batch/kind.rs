//! How values cross, and which types of PostgreSQL cross as something else than their text.

use tokio_postgres::types::Type;

/// How a column crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The server's text.
    Text = 0,
    /// `int2`, `int4`; null is `i32::MIN`.
    Int = 1,
    /// 0 or 1; null is `i32::MIN`.
    Bool = 2,
    /// `float4`, `float8`, `oid`; null is NaN.
    Double = 3,
    /// `timestamptz`: milliseconds since 1970; null is NaN.
    Timestamp = 4,
    /// A value in binary format, as a text with one character for each byte.
    Bytes = 5,
    /// `json`, `jsonb`: the values of the column as JSON arrays, one unless they are large, so that JavaScript parses once per result.
    Json = 6,
}

#[cfg(test)]
impl Kind {
    pub(super) const ALL: [Self; 7] = [Self::Text, Self::Int, Self::Bool, Self::Double, Self::Timestamp, Self::Bytes, Self::Json];
}

/// The types whose values JavaScript wants as node-postgres parses them by default, a bit each. The others cross as text, for the parser
/// that the caller has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoding(u8);

impl Decoding {
    pub const INT: u8 = 1;
    pub const BOOL: u8 = 2;
    pub const FLOAT: u8 = 4;
    pub const OID: u8 = 8;
    pub const TIMESTAMPTZ: u8 = 16;
    pub const JSON: u8 = 32;
    pub const ALL: Self = Self(63);

    pub fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    pub fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn kind(self, type_id: u32) -> Kind {
        let Some(known) = Type::from_oid(type_id) else { return Kind::Text };
        let (bit, kind) = match known {
            Type::INT2 | Type::INT4 => (Self::INT, Kind::Int),
            Type::BOOL => (Self::BOOL, Kind::Bool),
            Type::FLOAT4 | Type::FLOAT8 => (Self::FLOAT, Kind::Double),
            Type::OID => (Self::OID, Kind::Double),
            Type::TIMESTAMPTZ => (Self::TIMESTAMPTZ, Kind::Timestamp),
            Type::JSON | Type::JSONB => (Self::JSON, Kind::Json),
            _ => return Kind::Text,
        };
        if self.0 & bit != 0 { kind } else { Kind::Text }
    }
}
