//! The form in which answers cross to JavaScript: one array of 32-bit words and the text beside it, read in one go per wake-up.
//!
//! # Layout
//! Words are native-endian `i32`; a double takes two words at an even position. A batch is a sequence of frames, each starting at an even
//! position:
//!
//! | words | response | error, event |
//! |---|---|---|
//! | 0 | request | request (error) or 0 (event) |
//! | 1 | [`RESPONSE`], transaction status (a character code) shifted by 8 | [`ERROR`] with that status, 0 where unknown, or [`EVENT`] |
//! | 2 | number of results | length of a text: JSON |
//! | 3 | connection | 0 |
//!
//! Two more have four words: [`TUNNEL`] (request, kind, length of a text whose characters are bytes, 0), the server's own messages, and
//! [`SENT`] (request, kind, number of bytes, 0).
//!
//! A response's results follow, each with this header and then its rows:
//!
//! | words | |
//! |---|---|
//! | 0 | shape, announced by an earlier event; -1: no columns |
//! | 1 | number of rows |
//! | 2 | command: an index into [`COMMANDS`], -1: none, -2: the next text |
//! | 3 | length of that text, else 0 |
//! | 4–5 | affected rows, a double; NaN: none |
//! | 6–7 | OID of the inserted row, a double; NaN: none |
//!
//! Where there are rows, a word for each column of [`Kind::Json`] comes first, in column order and padded to an even number: the length of a
//! text, the next ones in the text, with all values of that column as a JSON array.
//!
//! A row has one slot per other column: first those of [`Kind`]s that are doubles, in column order, then the others, one word each; rows are
//! padded to an even number of words. A text's slot holds its length, -1 for null; the text itself is the next in the text.
//!
//! # Text
//! Lengths count UTF-16 units, as JavaScript does. Texts lie one behind another in chunks of at most [`MAX_CHUNK`] bytes, a longer text in
//! a chunk of its own, and none crosses from one chunk to the next: the reader cuts substrings, which in V8 keep their whole parent alive.

mod columns;
mod text;
mod values;

pub use columns::Decoding;
pub use text::{Chunk, MAX_CHUNK};

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use self::columns::{Kind, Layout};
use self::text::Text;
use self::values::NotNative;
use crate::error::{self, Error};
use crate::wire::{Field, Response, RowDescription, Rows, StatementResult};

pub const RESPONSE: i32 = 0;
pub const ERROR: i32 = 1;
pub const EVENT: i32 = 2;
pub const TUNNEL: i32 = 3;
pub const SENT: i32 = 4;

/// The command tags that cross as a number.
pub const COMMANDS: [&str; 16] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SET",
    "CREATE",
    "DROP",
    "ALTER",
    "SHOW",
    "MERGE",
    "START",
    "SAVEPOINT",
    "TRUNCATE",
];

/// Announced shapes beyond this are forgotten on both sides: texts made up at run time must not fill the memory.
const MAX_SHAPES: usize = 2_000;

/// Answers on their way to JavaScript.
#[derive(Default)]
pub struct Batch {
    words: Vec<i32>,
    text: Text,
}

/// The shapes that one JavaScript environment has been told of.
#[derive(Default)]
pub struct Shapes {
    known: HashMap<(Bytes, Vec<Kind>), (i32, Arc<Layout>)>,
    next: i32,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn words(&self) -> &[i32] {
        &self.words
    }

    pub fn into_words(self) -> Vec<i32> {
        self.words
    }

    /// Nothing more will be added: the text takes its final form.
    pub fn finish(&mut self) {
        self.text.finish();
    }

    /// The text of a finished batch.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        self.text.chunks()
    }

    /// Appends the answer to a query. `decoding` says which types may cross as numbers.
    pub fn response(&mut self, request: u32, response: &Response, decoding: Decoding, shapes: &mut Shapes) {
        if self.try_response(request, response, |fields, _| columns::kinds(fields, decoding), shapes).is_ok() {
            return;
        }
        // A value that is no number to us is rare: only then are all values looked at first.
        let demoted = |fields: &[Field], rows: &Rows| columns::demoted(columns::kinds(fields, decoding), rows);
        if self.try_response(request, response, demoted, shapes).is_err() {
            self.error(request, &Error::new(error::Kind::Protocol, "the server sent rows that do not fit their description"));
        }
    }

    fn try_response(
        &mut self,
        request: u32,
        response: &Response,
        kinds: impl Fn(&[Field], &Rows) -> Vec<Kind>,
        shapes: &mut Shapes,
    ) -> Result<(), NotNative> {
        // Shapes are announced by events, which come before the frame that uses them, and none is forgotten in between.
        shapes.make_room(response.results.len(), self);
        let layouts: Vec<_> = response
            .results
            .iter()
            .map(|result| {
                let columns = result.columns.as_ref()?;
                Some(shapes.get(columns, kinds(&columns.fields, &result.rows), self))
            })
            .collect();
        let start = (self.words.len(), self.text.mark());
        let kind = RESPONSE | i32::from(response.transaction_status) << 8;
        self.words.extend([request as i32, kind, response.results.len() as i32, response.connection as i32]);
        for (result, layout) in response.results.iter().zip(layouts) {
            self.header(result, layout.as_ref().map_or(-1, |(shape, _)| *shape));
            let packed = layout.map_or(Ok(()), |(_, layout)| self.rows(&result.rows, &layout));
            if packed.is_err() {
                self.words.truncate(start.0);
                self.text.truncate(start.1);
                return packed;
            }
        }
        Ok(())
    }

    /// Appends a failure.
    pub fn error(&mut self, request: u32, error: &Error) {
        let status = error.server().map_or(0, |server| i32::from(server.transaction_status));
        self.frame(request, ERROR | status << 8, &error_json(error).to_string());
    }

    /// Appends the failure of a query that certainly never ran.
    pub fn never_ran(&mut self, request: u32, error: &Error) {
        let mut described = error_json(error);
        described["neverRan"] = true.into();
        self.frame(request, ERROR, &described.to_string());
    }

    /// Appends something nobody asked for.
    pub fn event(&mut self, event: &serde_json::Value) {
        self.frame(0, EVENT, &event.to_string());
    }

    /// Appends messages of the server, as they are.
    pub fn tunnel(&mut self, request: u32, messages: &[u8]) {
        let length = self.text.push_bytes(messages);
        self.words.extend([request as i32, TUNNEL, length, 0]);
    }

    /// Appends that so many bytes have left.
    pub fn sent(&mut self, request: u32, bytes: usize) {
        self.words.extend([request as i32, SENT, bytes as i32, 0]);
    }

    fn frame(&mut self, request: u32, kind: i32, text: &str) {
        let length = self.text.push(text.as_bytes());
        self.words.extend([request as i32, kind, length, 0]);
    }

    fn header(&mut self, result: &StatementResult, shape: i32) {
        let tag = result.tag.as_deref().map(Tag::parse);
        let (command, length) = match &tag {
            None => (-1, 0),
            Some(tag) => match COMMANDS.iter().position(|command| *command == tag.command) {
                Some(index) => (index as i32, 0),
                None => (-2, self.text.push(tag.command.as_bytes())),
            },
        };
        self.words.extend([shape, result.rows.len() as i32, command, length]);
        self.double(tag.as_ref().and_then(|tag| tag.rows).unwrap_or(f64::NAN));
        self.double(tag.as_ref().and_then(|tag| tag.oid).unwrap_or(f64::NAN));
    }

    fn double(&mut self, value: f64) {
        let bits = value.to_ne_bytes();
        self.words.push(i32::from_ne_bytes([bits[0], bits[1], bits[2], bits[3]]));
        self.words.push(i32::from_ne_bytes([bits[4], bits[5], bits[6], bits[7]]));
    }

    fn rows(&mut self, rows: &Rows, layout: &Layout) -> Result<(), NotNative> {
        if layout.json_columns > 0 && !rows.is_empty() {
            self.json(rows, layout)?;
        }
        let mut cursor = rows.cursor();
        self.words.reserve(rows.len() * layout.stride);
        let first = self.words.len();
        while let Some(cells) = cursor.start_row() {
            if cells != layout.slots.len() {
                return Err(NotNative);
            }
            let row = self.words.len();
            self.words.resize(row + layout.stride, 0);
            for column in 0..cells {
                let (Some(cell), Some(slot)) = (cursor.next_cell(), layout.slots.get(column)) else { return Err(NotNative) };
                let at = row + slot.word;
                match slot.kind {
                    Kind::Text => self.words[at] = cell.map_or(-1, |text| self.text.push(text)),
                    Kind::Bytes => self.words[at] = cell.map_or(-1, |bytes| self.text.push_hex(bytes)),
                    Kind::Int | Kind::Bool => self.words[at] = values::word(slot.kind, cell)?,
                    Kind::Double | Kind::Timestamp => {
                        let bits = values::double(slot.kind, cell)?.to_ne_bytes();
                        self.words[at] = i32::from_ne_bytes([bits[0], bits[1], bits[2], bits[3]]);
                        self.words[at + 1] = i32::from_ne_bytes([bits[4], bits[5], bits[6], bits[7]]);
                    }
                    Kind::Json => {}
                }
            }
        }
        // The header has said how many.
        if self.words.len() - first == rows.len() * layout.stride { Ok(()) } else { Err(NotNative) }
    }

    /// The columns that cross as JSON arrays. PostgreSQL has checked every value, so joining them makes JSON again.
    fn json(&mut self, rows: &Rows, layout: &Layout) -> Result<(), NotNative> {
        for (column, _) in layout.slots.iter().enumerate().filter(|(_, slot)| slot.kind == Kind::Json) {
            let mut array = Vec::with_capacity(rows.wire_len() / layout.slots.len());
            let mut cursor = rows.cursor();
            while let Some(cells) = cursor.start_row() {
                array.push(if array.is_empty() { b'[' } else { b',' });
                for at in 0..cells {
                    let cell = cursor.next_cell().ok_or(NotNative)?;
                    if at == column {
                        array.extend_from_slice(cell.unwrap_or(b"null"));
                    }
                }
            }
            array.push(b']');
            let length = self.text.push(&array);
            self.words.push(length);
        }
        let padded = self.words.len().next_multiple_of(2);
        self.words.resize(padded, 0);
        Ok(())
    }
}

impl Shapes {
    fn make_room(&mut self, count: usize, batch: &mut Batch) {
        if self.known.len() + count > MAX_SHAPES && !self.known.is_empty() {
            self.known.clear();
            batch.event(&json!({ "event": "forgetShapes" }));
        }
    }

    fn get(&mut self, columns: &RowDescription, kinds: Vec<Kind>, batch: &mut Batch) -> (i32, Arc<Layout>) {
        let key = (columns.wire.clone(), kinds);
        if let Some((shape, layout)) = self.known.get(&key) {
            return (*shape, layout.clone());
        }
        self.next = self.next.wrapping_add(1) & i32::MAX;
        let layout = Arc::new(Layout::new(&key.1));
        let fields: Vec<_> = columns
            .fields
            .iter()
            .map(|field| {
                json!([field.name, field.table_id, field.column_id, field.type_id, field.type_size, field.type_modifier, field.binary])
            })
            .collect();
        let kinds: Vec<u8> = key.1.iter().map(|kind| *kind as u8).collect();
        batch.event(&json!({ "event": "shape", "shape": self.next, "fields": fields, "kinds": kinds }));
        self.known.insert(key, (self.next, layout.clone()));
        (self.next, layout)
    }
}

/// A command tag as node-postgres reads it: the first word, and up to two numbers behind it.
struct Tag<'a> {
    command: &'a str,
    oid: Option<f64>,
    rows: Option<f64>,
}

impl<'a> Tag<'a> {
    fn parse(tag: &'a str) -> Self {
        let mut words = tag.split(' ');
        let command = words.next().unwrap_or_default();
        let mut numbers = words.map_while(|word| word.parse().ok());
        match (numbers.next(), numbers.next()) {
            (oid, Some(rows)) => Self { command, oid, rows: Some(rows) },
            (rows, None) => Self { command, oid: None, rows },
        }
    }
}

fn error_json(error: &Error) -> serde_json::Value {
    json!({
        "kind": error.kind(),
        "message": error.message(),
        "code": error.code(),
        "hint": error.hint(),
        "status": error.http_status(),
        "problems": error.problems(),
        "server": error.server(),
        "system": error.system(),
        "cause": std::error::Error::source(error).map(ToString::to_string),
    })
}

/// An error as the facade reads it where it does not cross in a batch.
pub fn error_text(error: &Error) -> String {
    error_json(error).to_string()
}

#[cfg(test)]
mod tests;
