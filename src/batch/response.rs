//! The answer to a query, packed.

use super::columns::{self, Layout};
use super::kind::Kind;
use super::shapes::Shapes;
use super::tag::{COMMANDS, Tag};
use super::text::Unfit;
use super::values::{self, NotNative};
use super::{Batch, Decoding, RESPONSE, error_json};
use crate::error::Error;
use crate::wire::{Field, Response, Rows, StatementResult};

/// A part of a JSON column ends when it is as long as this, in bytes: no string of JavaScript holds them all.
const JSON_PART: usize = 1024 * 1024;

/// Why a result cannot be packed.
enum Refusal {
    /// A value does not fit its column's [`Kind`].
    NotNative,
    /// The rows are not what the description says.
    Malformed,
    /// A text, or the whole, is longer than JavaScript can hold.
    TooLarge,
    NoMemory,
}

impl From<NotNative> for Refusal {
    fn from(_: NotNative) -> Self {
        Self::NotNative
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::TooLong => Self::TooLarge,
            Unfit::NoMemory => Self::NoMemory,
        }
    }
}

impl From<std::collections::TryReserveError> for Refusal {
    fn from(_: std::collections::TryReserveError) -> Self {
        Self::NoMemory
    }
}

/// The error of a result that JavaScript cannot hold.
pub(super) fn too_large() -> Error {
    Error::result_too_large("the query ran, but its result holds a value longer than the longest string of JavaScript")
        .with_hint("read it in parts, as with substring()")
}

impl Refusal {
    fn error(&self) -> Error {
        match self {
            Self::TooLarge => too_large(),
            Self::NoMemory => Error::out_of_memory_for_result("the query ran, but there is not enough memory for its result")
                .with_hint("read it row by row with client.stream()"),
            Self::NotNative | Self::Malformed => Error::protocol_violation("the server sent rows that do not fit their description"),
        }
    }
}

impl Batch {
    /// Appends the answer to a query. `decoding` says which types may cross as numbers. A result that cannot be packed becomes an error.
    pub fn response(&mut self, request: u32, response: &Response, decoding: Decoding, shapes: &mut Shapes) {
        let optimistic = |fields: &[Field], _: &Rows| columns::kinds(fields, decoding);
        if self.pack(request, response, optimistic, true, shapes).is_ok() {
            return;
        }
        // A value that does not fit its kind is rare: only then are all values looked at first.
        let longest = self.longest;
        let demoted = |fields: &[Field], rows: &Rows| columns::demoted(columns::kinds(fields, decoding), rows, longest);
        let _ = self.pack(request, response, demoted, false, shapes);
    }

    /// With `again`, a value that does not fit its kind undoes all; otherwise it is an error of its result.
    fn pack(
        &mut self,
        request: u32,
        response: &Response,
        kinds: impl Fn(&[Field], &Rows) -> Vec<Kind>,
        again: bool,
        shapes: &mut Shapes,
    ) -> Result<(), NotNative> {
        // Shapes are announced by events, which come before the frame that uses them, and none is forgotten in between.
        shapes.make_room(&response.results, self);
        let layouts: Vec<_> = response
            .results
            .iter()
            .map(|result| Some(shapes.get(result.columns.as_ref()?, kinds(&result.columns.as_ref()?.fields, &result.rows), self)))
            .collect();
        let status = i32::from(response.transaction_status) << 8;
        let frame = self.begin(request, RESPONSE | status, response.connection);
        for (result, layout) in response.results.iter().zip(layouts) {
            let start = self.mark();
            let packed = match &layout {
                None => self.result(result, None),
                Some(Some((shape, layout))) => self.result(result, Some((*shape, layout))),
                Some(None) => Err(Refusal::TooLarge),
            };
            match packed {
                Ok(()) => {}
                Err(Refusal::NotNative) if again => {
                    self.truncate(frame);
                    return Err(NotNative);
                }
                Err(refusal) => {
                    self.truncate(start);
                    self.refused(&refusal);
                }
            }
        }
        if !self.end(frame, response.results.len() as i32) {
            let frame = self.begin(request, RESPONSE | status, response.connection);
            self.refused(&Refusal::TooLarge);
            self.end(frame, 1);
        }
        Ok(())
    }

    fn refused(&mut self, refusal: &Refusal) {
        let text = error_json(&refusal.error()).to_string();
        // A text as short as this always fits.
        let length = self.text.push(text.as_bytes(), self.longest).unwrap_or(0);
        self.words.extend([-2, length, -1, 0]);
        self.double(f64::NAN);
        self.double(f64::NAN);
    }

    fn result(&mut self, result: &StatementResult, layout: Option<(i32, &Layout)>) -> Result<(), Refusal> {
        if result.rows.is_lost() {
            return Err(Refusal::NoMemory);
        }
        let tag = result.tag.as_deref().map(Tag::parse);
        let (command, length) = match &tag {
            None => (-1, 0),
            Some(tag) => match COMMANDS.iter().position(|command| *command == tag.command) {
                Some(index) => (index as i32, 0),
                None => (-2, self.text.push(tag.command.as_bytes(), self.longest)?),
            },
        };
        let (shape, rows) = layout.map_or((-1, 0), |(shape, _)| (shape, result.rows.len()));
        let rows = i32::try_from(rows).map_err(|_| Refusal::TooLarge)?;
        self.words.extend([shape, rows, command, length]);
        self.double(tag.as_ref().and_then(|tag| tag.rows).unwrap_or(f64::NAN));
        self.double(tag.as_ref().and_then(|tag| tag.oid).unwrap_or(f64::NAN));
        layout.map_or(Ok(()), |(_, layout)| self.rows(&result.rows, layout))
    }

    fn double(&mut self, value: f64) {
        self.words.extend(halves(value));
    }

    fn rows(&mut self, rows: &Rows, layout: &Layout) -> Result<(), Refusal> {
        if layout.json_columns > 0 && !rows.is_empty() {
            self.json(rows, layout)?;
        }
        let mut cursor = rows.cursor();
        // No more than the rows can be: a cell has at least four bytes on the wire, and at most two words here.
        self.words.try_reserve(rows.len().saturating_mul(layout.stride).min(rows.wire_len() / 2))?;
        let first = self.words.len();
        while let Some(cells) = cursor.start_row() {
            if cells != layout.slots.len() {
                return Err(Refusal::Malformed);
            }
            let row = self.words.len();
            self.words.try_reserve(layout.stride)?;
            self.words.resize(row + layout.stride, 0);
            for slot in &layout.slots {
                let cell = cursor.next_cell().ok_or(Refusal::Malformed)?;
                let at = row + slot.word;
                match slot.kind {
                    Kind::Text => self.words[at] = cell.map_or(Ok(-1), |text| self.text.push(text, self.longest))?,
                    Kind::Bytes => self.words[at] = cell.map_or(Ok(-1), |bytes| self.text.push_bytes(bytes, self.longest))?,
                    Kind::Int | Kind::Bool => self.words[at] = values::word(slot.kind, cell)?,
                    Kind::Double | Kind::Timestamp => {
                        let [first, second] = halves(values::double(slot.kind, cell)?);
                        self.words[at] = first;
                        self.words[at + 1] = second;
                    }
                    Kind::Json => {}
                }
            }
        }
        // The header has said how many.
        if self.words.len() - first == rows.len() * layout.stride { Ok(()) } else { Err(Refusal::Malformed) }
    }

    /// The columns that cross as JSON arrays.
    fn json(&mut self, rows: &Rows, layout: &Layout) -> Result<(), Refusal> {
        let mut array = Vec::new();
        for (column, _) in layout.slots.iter().enumerate().filter(|(_, slot)| slot.kind == Kind::Json) {
            let parts = self.words.len();
            self.words.push(0);
            let mut cursor = rows.cursor();
            while let Some(cells) = cursor.start_row() {
                for at in 0..cells {
                    let cell = cursor.next_cell().ok_or(Refusal::Malformed)?;
                    if at == column {
                        let text = values::json(cell, self.longest)?;
                        if array.len() + text.len() + b",]".len() > JSON_PART.min(self.longest) {
                            self.part(&mut array, parts)?;
                        }
                        array.try_reserve(text.len() + b",]".len())?;
                        array.push(if array.is_empty() { b'[' } else { b',' });
                        array.extend_from_slice(text);
                    }
                }
            }
            self.part(&mut array, parts)?;
        }
        let padded = self.words.len().next_multiple_of(2);
        self.words.resize(padded, 0);
        Ok(())
    }

    /// Appends one array of a JSON column's values, and counts it at `parts`.
    fn part(&mut self, array: &mut Vec<u8>, parts: usize) -> Result<(), Refusal> {
        if array.is_empty() {
            return Ok(());
        }
        array.push(b']');
        let length = self.text.push(array, self.longest)?;
        array.clear();
        self.words.try_reserve(2)?;
        self.words.push(length);
        self.words[parts] += 1;
        Ok(())
    }
}

/// A double as two words.
fn halves(value: f64) -> [i32; 2] {
    let [a, b, c, d, e, f, g, h] = value.to_ne_bytes();
    [i32::from_ne_bytes([a, b, c, d]), i32::from_ne_bytes([e, f, g, h])]
}
