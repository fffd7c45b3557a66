//! A stretch of a connection on which the caller speaks the protocol itself: how pg's own query classes run (pg-cursor, pg-query-stream,
//! pg-copy-streams). The connection passes whole messages on untouched, inspects them for what it must know, and stops reading from the
//! socket while the caller is behind.

use postgres_protocol::message::backend::Message;

use super::effects::starts_with_schema_change;
use super::lasting::calls_unknown_functions;
use super::message::{decode, frame, malformed};
use crate::error::Error;

/// Bytes a caller may be behind before nothing more is read from the socket.
const WINDOW: usize = 256 * 1024;

/// The caller's end. Called on the runtime thread; must not block. Dropped when the tunnel has ended.
pub trait TunnelEnd: Send {
    /// Whole messages of the server.
    fn receive(&mut self, messages: &[u8]);
    /// So many bytes that were given to [`Connection::tunnel_write`](super::Connection::tunnel_write) have left.
    fn sent(&mut self, bytes: usize);
}

/// What a caller says to its tunnel.
pub(super) enum TunnelCommand {
    Begin(Box<dyn TunnelEnd>),
    Write(Vec<u8>),
    /// After the server's ReadyForQuery. `named`: statements that the caller has prepared under names of its own, with their texts.
    End {
        named: Vec<(String, String)>,
    },
}

/// An open tunnel, at the head of the wire.
pub(super) struct Tunnel {
    end: Box<dyn TunnelEnd>,
    /// Received and not yet taken by the caller.
    behind: usize,
    /// Written into the out-buffer since the caller was last told.
    unsent: usize,
    /// A text that can change a schema has gone through.
    changes_schema: bool,
    /// Command tags that have come since the last ReadyForQuery.
    pub tags: Vec<String>,
}

/// What of the server's messages the connection must know, too.
pub(super) enum Inspected {
    /// A command tag.
    Tag(String),
    /// ReadyForQuery with the transaction's status.
    Ready(u8),
}

impl Tunnel {
    pub fn new(end: Box<dyn TunnelEnd>) -> Self {
        Self { end, behind: 0, unsent: 0, changes_schema: false, tags: Vec::new() }
    }

    pub fn is_behind(&self) -> bool {
        self.behind >= WINDOW
    }

    pub fn take(&mut self, bytes: usize) {
        self.behind = self.behind.saturating_sub(bytes);
    }

    pub fn receive(&mut self, messages: &[u8]) {
        self.behind += messages.len();
        self.end.receive(messages);
    }

    pub fn note_write(&mut self, bytes: &[u8]) {
        self.unsent += bytes.len();
        self.changes_schema |= can_change_schema(bytes);
    }

    /// The out-buffer is empty.
    pub fn note_sent(&mut self) {
        if self.unsent > 0 {
            self.end.sent(std::mem::take(&mut self.unsent));
        }
    }

    /// Whether such a text has gone through since this was last asked.
    pub fn take_schema_change(&mut self) -> bool {
        std::mem::take(&mut self.changes_schema)
    }
}

/// The whole messages at the start of `buffer`: their length, and what they say that a connection must know.
pub(super) fn inspect(buffer: &[u8]) -> Result<(usize, Vec<Inspected>), Error> {
    let (mut end, mut inspected) = (0, Vec::new());
    while let Some((tag, length)) = frame(&buffer[end..])? {
        let message = &buffer[end..end + length];
        match tag {
            b'C' | b'Z' => match decode(&mut message.into(), length)?.0 {
                Message::CommandComplete(body) => inspected.push(Inspected::Tag(body.tag().map_err(malformed)?.to_owned())),
                Message::ReadyForQuery(body) => inspected.push(Inspected::Ready(body.status())),
                _ => {}
            },
            _ => {}
        }
        end += length;
    }
    Ok((end, inspected))
}

/// Whether a text of these messages can change a schema. Bytes that only look like one (the data of a COPY) cost a needless Parse later.
fn can_change_schema(mut bytes: &[u8]) -> bool {
    while let Ok(Some((tag, length))) = frame(bytes) {
        let body = &bytes[5..length];
        let text = match tag {
            b'Q' => Some(body),
            // A statement's name comes first.
            b'P' => body.iter().position(|byte| *byte == 0).map(|name| &body[name + 1..]),
            _ => None,
        };
        let text = text.and_then(|text| text.split(|byte| *byte == 0).next());
        if text.is_some_and(|text| decides_what_texts_mean(&String::from_utf8_lossy(text))) {
            return true;
        }
        bytes = &bytes[length..];
    }
    false
}

/// Its tag alone would not show it.
fn decides_what_texts_mean(text: &str) -> bool {
    starts_with_schema_change(text) || calls_unknown_functions(text)
}

#[cfg(fuzzing)]
pub(super) fn fuzz(bytes: &[u8]) {
    let _ = can_change_schema(bytes);
    if let Ok((end, _)) = inspect(bytes) {
        assert!(end <= bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use postgres_protocol::message::frontend;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_messages_pass() {
        let messages = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05T";
        for cut in 0..messages.len() {
            let (end, _) = inspect(&messages[..cut]).unwrap();
            assert_eq!(end, if cut < 14 { 0 } else { 14 }, "cut at {cut}");
        }
        let (end, inspected) = inspect(messages).unwrap();
        assert_eq!(end, messages.len());
        assert!(matches!(&inspected[..], [Inspected::Tag(tag), Inspected::Ready(b'T')] if tag == "SELECT 1"));
    }

    #[test]
    fn texts_that_change_a_schema_are_seen_among_other_messages() {
        let mut out = BytesMut::new();
        frontend::sync(&mut out);
        frontend::parse("name", "select 1", [], &mut out).unwrap();
        assert!(!can_change_schema(&out));
        frontend::parse("name", " create table t as select 1", [], &mut out).unwrap();
        assert!(can_change_schema(&out));
        let mut out = BytesMut::new();
        frontend::query("drop table t", &mut out).unwrap();
        assert!(can_change_schema(&out));
    }

    proptest! {
        #[test]
        fn any_bytes_are_inspected_without_panic(bytes: Vec<u8>) {
            let _ = can_change_schema(&bytes);
            if let Ok((end, _)) = inspect(&bytes) {
                prop_assert!(end <= bytes.len());
            }
        }
    }
}
