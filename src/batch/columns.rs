//! Which columns cross as numbers, and where in a row their slots are.

use super::values;
use crate::wire::{Field, Rows};

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

/// The types whose values JavaScript wants as node-postgres parses them by default, a bit each. The others cross as text, for the parser
/// that somebody has set.
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

    /// Type OIDs are fixed in PostgreSQL's catalogue (`pg_type.dat`).
    fn kind(self, type_id: u32) -> Kind {
        let (bit, kind) = match type_id {
            21 | 23 => (Self::INT, Kind::Int),
            16 => (Self::BOOL, Kind::Bool),
            700 | 701 => (Self::FLOAT, Kind::Double),
            26 => (Self::OID, Kind::Double),
            1184 => (Self::TIMESTAMPTZ, Kind::Timestamp),
            114 | 3802 => (Self::JSON, Kind::Json),
            _ => return Kind::Text,
        };
        if self.0 & bit != 0 { kind } else { Kind::Text }
    }
}

pub(super) fn kinds(fields: &[Field], decoding: Decoding) -> Vec<Kind> {
    fields.iter().map(|field| if field.binary { Kind::Bytes } else { decoding.kind(field.type_id) }).collect()
}

/// The same kinds, but text for columns that hold a value which does not fit: an infinite timestamp, one in another DateStyle, a NaN, the very
/// integer that stands for null, a `json` that is not JSON.
pub(super) fn demoted(mut kinds: Vec<Kind>, rows: &Rows, longest: usize) -> Vec<Kind> {
    let mut cursor = rows.cursor();
    while let Some(cells) = cursor.start_row() {
        for column in 0..cells {
            let (Some(cell), Some(kind)) = (cursor.next_cell(), kinds.get_mut(column)) else { return kinds };
            let native = match *kind {
                Kind::Int | Kind::Bool => values::word(*kind, cell).is_ok(),
                Kind::Double | Kind::Timestamp => values::double(*kind, cell).is_ok(),
                Kind::Json => values::json(cell, longest).is_ok(),
                Kind::Text | Kind::Bytes => true,
            };
            if !native {
                *kind = Kind::Text;
            }
        }
    }
    kinds
}

/// Where a column's value is in its row; nowhere for [`Kind::Json`].
pub(super) struct Slot {
    pub kind: Kind,
    pub word: usize,
}

/// The slots of a row, in column order.
pub(super) struct Layout {
    pub slots: Vec<Slot>,
    /// Words per row, two at least: the reader can check any number of rows against the words that there are.
    pub stride: usize,
    pub json_columns: usize,
}

impl Layout {
    pub fn new(kinds: &[Kind]) -> Self {
        let is_double = |kind: Kind| matches!(kind, Kind::Double | Kind::Timestamp);
        let doubles = kinds.iter().filter(|kind| is_double(**kind)).count();
        let (mut double, mut word, mut nowhere) = (0, doubles * 2, 0);
        let slots = kinds
            .iter()
            .map(|&kind| {
                let (next, size) = match kind {
                    Kind::Double | Kind::Timestamp => (&mut double, 2),
                    Kind::Json => (&mut nowhere, 0),
                    Kind::Text | Kind::Int | Kind::Bool | Kind::Bytes => (&mut word, 1),
                };
                let slot = Slot { kind, word: *next };
                *next += size;
                slot
            })
            .collect();
        let json_columns = kinds.iter().filter(|kind| **kind == Kind::Json).count();
        Self { slots, stride: word.next_multiple_of(2).max(2), json_columns }
    }
}
