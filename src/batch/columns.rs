//! Which columns of a result cross as numbers, and where in a row their slots are.

use super::kind::{Decoding, Kind};
use super::values;
use crate::wire::{Field, Rows};

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
