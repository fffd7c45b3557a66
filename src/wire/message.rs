//! Backend messages, as far as this crate reads them itself.
//!
//! `postgres-protocol` decodes every message into an owned body; on the hot path (DataRow) that costs a reference count per row, so the
//! frame is cut here and rows are copied straight out of the read buffer. Everything else goes through the codec.
//! Source of all formats: PostgreSQL documentation, "Message Formats".

use std::io;

use bytes::{Bytes, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{ErrorFields, Message, RowDescriptionBody};

use super::result::{Field, RowDescription};
use crate::error::{Error, ServerMessage};
use crate::limits::{MAX_KEPT_BUFFER, MAX_MESSAGE};

/// Read ahead at least this much: four TLS records.
const READ_CHUNK: usize = 64 * 1024;

/// The types of a server's messages.
const TAGS: &[u8] = b"123ACDEGHIKNRSTWZcdnst";

/// The type byte and the whole length (type byte included) of the next message, once its header and body are in `buffer`.
pub(super) fn frame(buffer: &[u8]) -> Result<Option<(u8, usize)>, Error> {
    let Some((header, _)) = buffer.split_first_chunk::<5>() else { return Ok(None) };
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
    if !(4..=MAX_MESSAGE).contains(&length) {
        return Err(violation(format!("a message of type {:?} says it is {length} bytes long", char::from(header[0]))));
    }
    Ok((buffer.len() > length).then_some((header[0], length + 1)))
}

/// How many bytes the message at the start of `buffer` still lacks.
pub(super) fn missing(buffer: &[u8]) -> usize {
    match buffer.split_first_chunk::<5>() {
        Some((header, _)) => {
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
            (length + 1).saturating_sub(buffer.len()).min(MAX_MESSAGE)
        }
        None => 5 - buffer.len(),
    }
}

/// Makes room for what comes next: as much as has come, not what a header promises. Five bytes must not cost a gigabyte.
pub(super) fn make_room(buffer: &mut BytesMut) -> Result<(), Error> {
    if buffer.is_empty() && buffer.capacity() > MAX_KEPT_BUFFER {
        *buffer = BytesMut::new();
    }
    let count = missing(buffer).min(buffer.len()).max(READ_CHUNK);
    let whole = buffer.len() + count;
    // `BytesMut` aborts where there is no memory: a large step is tried first.
    if whole > buffer.capacity().max(MAX_KEPT_BUFFER) && Vec::<u8>::new().try_reserve_exact(whole).is_err() {
        return Err(Error::out_of_memory_for_message("there is not enough memory for a message of the server"));
    }
    buffer.reserve(count);
    Ok(())
}

/// Takes the message that [`frame`] found.
pub(super) fn decode(buffer: &mut BytesMut, length: usize) -> Result<(Message, u32), Error> {
    let mut one = buffer.split_to(length);
    if !TAGS.contains(&one[0]) {
        return Err(violation("a message has no known type").with_source(format!("received invalid response: {:x}", one[0])));
    }
    let message = Message::parse(&mut one).map_err(malformed)?.ok_or_else(|| violation("a message is shorter than it says"))?;
    Ok((message, (length - 1) as u32))
}

/// A RowDescription body with its own bytes, which identify it.
pub(super) fn row_description(wire: Bytes, body: &RowDescriptionBody) -> Result<RowDescription, Error> {
    let fields = body
        .fields()
        .map(|field| {
            Ok(Field {
                name: field.name().to_owned(),
                table_id: field.table_oid(),
                column_id: field.column_id(),
                type_id: field.type_oid(),
                type_size: field.type_size(),
                type_modifier: field.type_modifier(),
                binary: field.format() == 1,
            })
        })
        .collect()
        .map_err(malformed)?;
    Ok(RowDescription { wire, fields })
}

/// The fields of an ErrorResponse or NoticeResponse whose message is `length` bytes long, type byte excluded.
pub(super) fn server_message(mut fields: ErrorFields<'_>, length: u32) -> Result<ServerMessage, Error> {
    let mut message = ServerMessage { length, ..ServerMessage::default() };
    while let Some(field) = fields.next().map_err(malformed)? {
        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'S' => message.severity = Some(value),
            b'V' => message.fatal = value == "FATAL" || value == "PANIC",
            b'C' => message.code = Some(value),
            b'M' => message.message = value,
            b'D' => message.detail = Some(value),
            b'H' => message.hint = Some(value),
            b'P' => message.position = Some(value),
            b'p' => message.internal_position = Some(value),
            b'q' => message.internal_query = Some(value),
            b'W' => message.context = Some(value),
            b's' => message.schema = Some(value),
            b't' => message.table = Some(value),
            b'c' => message.column = Some(value),
            b'd' => message.data_type = Some(value),
            b'n' => message.constraint = Some(value),
            b'F' => message.file = Some(value),
            b'L' => message.line = Some(value),
            b'R' => message.routine = Some(value),
            // Fields of later versions are to be ignored, says the protocol.
            _ => {}
        }
    }
    // Servers before 9.6 and some proxies send no `V`.
    message.fatal |= matches!(message.severity.as_deref(), Some("FATAL" | "PANIC"));
    Ok(message)
}

/// Bytes that the codec cannot read.
pub(super) fn malformed(source: io::Error) -> Error {
    violation("a message cannot be decoded").with_source(source)
}

/// A message that came when nobody had asked for anything.
pub(super) fn stray(message: &Message) -> Error {
    let name = match message {
        Message::BindComplete => "bindComplete",
        Message::CloseComplete => "closeComplete",
        Message::CommandComplete(_) => "commandComplete",
        Message::CopyData(_) => "copyData",
        Message::CopyDone => "copyDone",
        Message::CopyInResponse(_) => "copyInResponse",
        Message::CopyOutResponse(_) => "copyOutResponse",
        Message::DataRow(_) => "dataRow",
        Message::EmptyQueryResponse => "emptyQuery",
        Message::NoData => "noData",
        Message::ParameterDescription(_) => "parameterDescription",
        Message::ParseComplete => "parseComplete",
        Message::PortalSuspended => "portalSuspended",
        Message::RowDescription(_) => "rowDescription",
        _ => "startup",
    };
    unasked(name)
}

/// The same by the name that node-postgres has for it, in node-postgres' words.
pub(super) fn unasked(name: &str) -> Error {
    violation("an answer came to no request").with_source(format!("Received unexpected {name} message from backend."))
}

/// The server does not follow the protocol.
pub(super) fn violation(what: impl std::fmt::Display) -> Error {
    Error::protocol_violation(format!("the server broke the PostgreSQL protocol: {what}"))
        .with_hint("is the host and port that of a PostgreSQL server?")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_frame_is_complete_only_with_its_last_byte() {
        let message = b"Z\0\0\0\x05I";
        for end in 0..message.len() {
            assert_eq!(frame(&message[..end]).unwrap(), None);
        }
        assert_eq!(frame(message).unwrap(), Some((b'Z', 6)));
    }

    #[test]
    fn an_impossible_length_is_refused() {
        for length in [0u32, 3, u32::MAX] {
            let mut message = vec![b'D'];
            message.extend_from_slice(&length.to_be_bytes());
            assert_eq!(frame(&message).unwrap_err().kind(), Kind::Protocol);
        }
    }

    #[test]
    fn a_header_that_promises_a_gigabyte_costs_what_has_come() {
        let mut buffer = BytesMut::from(&b"D\x40\0\0\0"[..]);
        for received in [5, 100_000, 5_000_000] {
            buffer.resize(received, 0);
            make_room(&mut buffer).unwrap();
            assert!(buffer.capacity() > received && buffer.capacity() <= 2 * received + 2 * READ_CHUNK);
        }
    }

    #[test]
    fn a_buffer_that_has_grown_is_given_back_once_it_is_empty() {
        let mut buffer = BytesMut::zeroed(5_000_000);
        buffer.clear();
        make_room(&mut buffer).unwrap();
        assert!(buffer.capacity() < MAX_KEPT_BUFFER);
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused_without_panic(bytes: Vec<u8>) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some((_, length))) = frame(&buffer) {
                if let Ok((Message::ErrorResponse(body), length)) = decode(&mut buffer, length) {
                    let _ = server_message(body.fields(), length);
                }
            }
        }
    }
}
