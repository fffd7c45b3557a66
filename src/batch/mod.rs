//! The form in which answers cross to JavaScript: one array of 32-bit words and the text beside it, read in one go per wake-up.
//!
//! # Layout
//! Words are native-endian `i32`; a double takes two words at an even position. A batch is a sequence of frames, each starting at an even
//! position. Every frame says how long it is and where its text begins, so that the reader finds the next one whatever happened in this one:
//!
//! | word | |
//! |---|---|
//! | 0 | request; 0: an event that answers no request |
//! | 1 | [`RESPONSE`] or [`ERROR`], with the transaction's status (a character code; 0: unknown) shifted by 8, [`EVENT`], [`TUNNEL`] or [`SENT`] |
//! | 2 | words of the frame, these eight included |
//! | 3 | the chunk in which its text begins |
//! | 4 | where in that chunk |
//! | 5 | response: number of results; error, event: length of a text, which is JSON; tunnel: length of a text whose characters are bytes, the server's own messages; sent: number of bytes |
//! | 6 | connection of a response, else 0 |
//! | 7 | the last chunk that its text may come from |
//!
//! A response's results follow, each with this header and then its rows:
//!
//! | words | |
//! |---|---|
//! | 0 | shape, announced by an earlier event; -1: no columns; -2: there is no result, but a text: the error as JSON |
//! | 1 | number of rows; length of the error's text |
//! | 2 | command: an index into [`COMMANDS`], -1: none, -2: the next text |
//! | 3 | length of that text, else 0 |
//! | 4–5 | affected rows, a double; NaN: none |
//! | 6–7 | OID of the inserted row, a double; NaN: none |
//!
//! Where there are rows, each column of [`Kind::Json`], in column order, comes first, padded to an even number of words altogether: the number
//! of parts, and for each the length of a text, the next ones in the text. The JSON arrays of all parts together hold the column's values.
//!
//! A row has one slot per other column: first those of [`Kind`]s that are doubles, in column order, then the others, one word each; rows are
//! padded to an even number of words, two at least. A text's slot holds its length, -1 for null; the text itself is the next in the text.
//!
//! # Text
//! Lengths count UTF-16 units, as JavaScript does. Texts lie one behind another in chunks of at most [`MAX_CHUNK`] bytes, a longer text in
//! a chunk of its own, and none crosses from one chunk to the next: the reader cuts substrings, which in V8 keep their whole parent alive.
//! A text longer than JavaScript's longest string is an error of its result.

mod columns;
#[cfg(test)]
mod contract;
mod event;
pub mod flags;
mod kind;
mod response;
mod shapes;
mod tag;
mod text;
mod values;

pub use event::Event;
pub use kind::{Decoding, Kind};
pub use shapes::Shapes;
pub use tag::COMMANDS;
pub use text::{Chunk, MAX_CHUNK};

use serde_json::{Value, json};

use self::text::{Mark, Text};
use crate::error::Error;

pub const RESPONSE: i32 = 0;
pub const ERROR: i32 = 1;
pub const EVENT: i32 = 2;
pub const TUNNEL: i32 = 3;
pub const SENT: i32 = 4;

/// Places in a frame's header.
const LENGTH: usize = 2;
const DETAIL: usize = 5;
const LAST_CHUNK: usize = 7;

/// The longest string of V8 on 64-bit machines, in UTF-16 units.
pub const LONGEST: usize = 0x1fff_ffe8;

/// Messages of the server cross in texts of at most so many bytes.
const TUNNEL_PART: usize = 16 * 1024 * 1024;

/// Answers on their way to JavaScript.
pub struct Batch {
    words: Vec<i32>,
    text: Text,
    longest: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self::new(LONGEST)
    }
}

/// Where a frame, or a part of it, began.
#[derive(Clone, Copy)]
struct Start {
    words: usize,
    text: Mark,
}

impl Batch {
    /// `longest`: the length of JavaScript's longest string, in UTF-16 units.
    pub fn new(longest: usize) -> Self {
        Self { words: Vec::new(), text: Text::default(), longest }
    }

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

    /// Appends a failure.
    pub fn error(&mut self, request: u32, error: &Error) {
        let status = error.server().map_or(0, |server| i32::from(server.transaction_status));
        self.failure(request, status, error_json(error));
    }

    /// Appends the failure of a query that certainly never ran.
    pub fn never_ran(&mut self, request: u32, error: &Error) {
        let mut described = error_json(error);
        described["neverRan"] = true.into();
        self.failure(request, 0, described);
    }

    fn failure(&mut self, request: u32, status: i32, described: Value) {
        let kind = ERROR | status << 8;
        if !self.frame(request, kind, &described.to_string()) {
            // The server's message is as long as that.
            self.frame(request, kind, &error_json(&response::too_large()).to_string());
        }
    }

    /// Appends something that happened: to `request`, or (0) to whom the event names. False if it is too long for JavaScript.
    pub fn event(&mut self, request: u32, event: &Event<'_>) -> bool {
        // What an event is made of always has a form in JSON.
        self.frame(request, EVENT, &serde_json::to_string(event).unwrap_or_default())
    }

    /// Appends messages of the server, as they are.
    pub fn tunnel(&mut self, request: u32, messages: &[u8]) {
        for part in messages.chunks(TUNNEL_PART.min(self.longest)) {
            let start = self.begin(request, TUNNEL, 0);
            // Without memory for it the text is missing, and the reader says so.
            let length = self.text.push_bytes(part, self.longest).unwrap_or(part.len() as i32);
            self.end(start, length);
        }
    }

    /// Appends that so many bytes have left.
    pub fn sent(&mut self, request: u32, bytes: usize) {
        let start = self.begin(request, SENT, 0);
        self.end(start, bytes as i32);
    }

    /// A frame of one text. False, and nothing is appended, if that is too long.
    fn frame(&mut self, request: u32, kind: i32, text: &str) -> bool {
        let start = self.begin(request, kind, 0);
        match self.text.push(text.as_bytes(), self.longest) {
            Ok(length) => _ = self.end(start, length),
            Err(_) => {
                self.truncate(start);
                return false;
            }
        }
        true
    }

    /// Appends a frame's header.
    fn begin(&mut self, request: u32, kind: i32, connection: u32) -> Start {
        let start = self.mark();
        let (chunk, unit) = (start.text.chunk as i32, start.text.unit as i32);
        self.words.extend([request as i32, kind, 0, chunk, unit, 0, connection as i32, 0]);
        start
    }

    /// Completes the header. False, and the frame is gone, if it is too long.
    fn end(&mut self, start: Start, detail: i32) -> bool {
        let Ok(length) = i32::try_from(self.words.len() - start.words) else {
            self.truncate(start);
            return false;
        };
        let header = &mut self.words[start.words..];
        header[LENGTH] = length;
        header[DETAIL] = detail;
        header[LAST_CHUNK] = self.text.mark().chunk as i32;
        true
    }

    fn mark(&self) -> Start {
        Start { words: self.words.len(), text: self.text.mark() }
    }

    fn truncate(&mut self, start: Start) {
        self.words.truncate(start.words);
        self.text.truncate(start.text);
    }
}

/// An error as the facade reads it.
pub fn error_json(error: &Error) -> Value {
    json!({
        "kind": error.kind(),
        "message": error.message(),
        "code": error.code(),
        "hint": error.hint(),
        "status": error.http_status(),
        "problems": error.problems(),
        "server": error.server(),
        "system": error.system(),
        "caller": error.caller_number(),
        "cause": std::error::Error::source(error).map(ToString::to_string),
    })
}

/// An error as the facade reads it where it does not cross in a batch.
pub fn error_text(error: &Error) -> String {
    error_json(error).to_string()
}

#[cfg(test)]
mod tests;
