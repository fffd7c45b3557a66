//! Messages of a server, written. The codec of the crate is a client's: it reads them.
//! Source of all formats: PostgreSQL documentation, "Message Formats".

use bytes::{BufMut, BytesMut};

use crate::error::{Error, Kind, ServerMessage};

/// The protocol's versions have the major number in their upper half.
pub const PROTOCOL_3_0: u32 = 3 << 16;

fn message(out: &mut BytesMut, tag: u8, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(tag);
    let start = out.len();
    out.put_u32(0);
    body(out);
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// A NUL in it would end it early.
fn text(out: &mut BytesMut, text: &str) {
    out.extend(text.bytes().filter(|&byte| byte != 0));
    out.put_u8(0);
}

/// Authentication messages are told apart by a number: 0 Ok, 10 SASL, 11 SASLContinue, 12 SASLFinal.
fn authentication(out: &mut BytesMut, number: u32, data: &[u8]) {
    message(out, b'R', |out| {
        out.put_u32(number);
        out.extend_from_slice(data);
    });
}

pub fn authentication_ok(out: &mut BytesMut) {
    authentication(out, 0, b"");
}

pub fn authentication_sasl(out: &mut BytesMut, mechanism: &str) {
    authentication(out, 10, format!("{mechanism}\0\0").as_bytes());
}

pub fn authentication_sasl_continue(out: &mut BytesMut, data: &str) {
    authentication(out, 11, data.as_bytes());
}

pub fn authentication_sasl_final(out: &mut BytesMut, data: &str) {
    authentication(out, 12, data.as_bytes());
}

pub fn parameter_status(out: &mut BytesMut, name: &str, value: &str) {
    message(out, b'S', |out| {
        text(out, name);
        text(out, value);
    });
}

pub fn backend_key_data(out: &mut BytesMut, process_id: i32, secret_key: i32) {
    message(out, b'K', |out| {
        out.put_i32(process_id);
        out.put_i32(secret_key);
    });
}

pub fn ready_for_query(out: &mut BytesMut) {
    message(out, b'Z', |out| out.put_u8(b'I'));
}

/// Says that 3.0 is the newest version spoken here, and which `_pq_.` options nobody knows.
pub fn negotiate_protocol_version(out: &mut BytesMut, unknown: &[&str]) {
    message(out, b'v', |out| {
        out.put_u32(PROTOCOL_3_0);
        out.put_u32(unknown.len() as u32);
        unknown.iter().for_each(|name| text(out, name));
    });
}

pub fn notice(out: &mut BytesMut, notice: &ServerMessage) {
    fields(out, b'N', notice);
}

/// Why there is no session: PostgreSQL's own words where they are, else the error's, under a SQLSTATE that fits.
pub fn refusal(out: &mut BytesMut, error: &Error) {
    if let Some(server) = error.server() {
        let hint = server.hint.clone().or_else(|| error.hint().map(str::to_owned));
        return fields(out, b'E', &ServerMessage { hint, ..server.clone() });
    }
    let code = match (error.kind(), error.code()) {
        (_, Some(code)) if code.len() == 5 && code.starts_with(|first: char| first.is_ascii_digit()) => code,
        (Kind::Authentication | Kind::Credential, _) => "28000",
        (Kind::Protocol, _) => "08P01",
        _ => "08006",
    };
    let message = ServerMessage {
        severity: Some("FATAL".into()),
        fatal: true,
        code: Some(code.into()),
        message: error.message().to_owned(),
        hint: error.hint().map(str::to_owned),
        ..ServerMessage::default()
    };
    fields(out, b'E', &message);
}

fn fields(out: &mut BytesMut, tag: u8, server: &ServerMessage) {
    let severity = server.severity.as_deref().unwrap_or(if tag == b'E' { "FATAL" } else { "NOTICE" });
    let present = [
        (b'S', Some(severity)),
        (b'V', Some(if server.fatal { "FATAL" } else { severity })),
        (b'C', server.code.as_deref()),
        (b'M', Some(server.message.as_str())),
        (b'D', server.detail.as_deref()),
        (b'H', server.hint.as_deref()),
        (b'W', server.context.as_deref()),
    ];
    message(out, tag, |out| {
        for (field, value) in present {
            if let Some(value) = value {
                out.put_u8(field);
                text(out, value);
            }
        }
        out.put_u8(0);
    });
}

#[cfg(test)]
mod tests {
    use fallible_iterator::FallibleIterator;
    use postgres_protocol::message::backend::Message;

    use super::*;

    fn fields_of(mut bytes: BytesMut) -> Vec<(u8, String)> {
        match Message::parse(&mut bytes).unwrap().unwrap() {
            Message::ErrorResponse(body) => {
                body.fields().map(|field| Ok((field.type_(), String::from_utf8_lossy(field.value_bytes()).into_owned()))).collect().unwrap()
            }
            _ => panic!("no ErrorResponse"),
        }
    }

    #[test]
    fn an_error_without_a_sqlstate_gets_one() {
        let mut out = BytesMut::new();
        let error = Error::new(Kind::Connection, "connect ECONNREFUSED").with_code("ECONNREFUSED").with_hint("check the host");
        refusal(&mut out, &error);
        let fields = fields_of(out);
        assert!(fields.contains(&(b'C', "08006".into())) && fields.contains(&(b'V', "FATAL".into())));
        assert!(fields.contains(&(b'M', "connect ECONNREFUSED".into())) && fields.contains(&(b'H', "check the host".into())));
    }

    #[test]
    fn the_servers_own_words_are_kept() {
        let mut out = BytesMut::new();
        let server = ServerMessage {
            severity: Some("FATAL".into()),
            code: Some("3D000".into()),
            message: "database \"a\0b\" does not exist".into(),
            detail: Some("more".into()),
            ..ServerMessage::default()
        };
        refusal(&mut out, &Error::database(server));
        let fields = fields_of(out);
        assert!(fields.contains(&(b'C', "3D000".into())) && fields.contains(&(b'D', "more".into())));
        assert!(fields.contains(&(b'M', "database \"ab\" does not exist".into())));
    }
}
