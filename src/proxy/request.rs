//! What a client says before it has a session: requests for encryption, a cancel request, or a startup message.
//! Source: PostgreSQL documentation, "Message Flow: Start-up"; src/backend/tcop/backend_startup.c.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Asked;
use super::message::PROTOCOL_3_0;
use crate::error::{Error, Kind};

/// PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
const MAX_PACKET: u32 = 10_000;
/// The longest message of an authentication.
const MAX_ANSWER: u32 = 10_000;

const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;

#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Cancel { process_id: i32, secret_key: i32 },
    Start(Startup),
}

/// A StartupMessage of protocol 3.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Startup {
    /// In the client's order, without `_pq_.` options.
    pub parameters: Vec<(String, String)>,
    /// `_pq_.` options, none of which is known here.
    pub unknown: Vec<String>,
    /// The client would rather speak a newer version of the protocol.
    pub newer: bool,
}

impl Startup {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub fn asked(&self) -> Asked {
        let user = self.parameter("user").unwrap_or_default().to_owned();
        // The protocol's default.
        let database = self.parameter("database").filter(|name| !name.is_empty()).unwrap_or(&user).to_owned();
        Asked { database, user, application_name: self.parameter("application_name").map(str::to_owned) }
    }
}

/// Reads until the client says what it wants; declines encryption on the way. `Ok(None)`: it went away, or talks something else.
pub async fn read<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<Option<Result<Request, Error>>> {
    // As PostgreSQL: one request for each kind of encryption.
    let (mut tls, mut gss) = (false, false);
    loop {
        let Some(packet) = packet(stream).await? else { return Ok(None) };
        match (packet.code, packet.body.as_slice()) {
            (SSL_REQUEST, []) if !tls => tls = true,
            (GSSENC_REQUEST, []) if !gss => gss = true,
            (CANCEL_REQUEST, &[a, b, c, d, e, f, g, h]) => {
                let (process_id, secret_key) = (i32::from_be_bytes([a, b, c, d]), i32::from_be_bytes([e, f, g, h]));
                return Ok(Some(Ok(Request::Cancel { process_id, secret_key })));
            }
            (CANCEL_REQUEST | SSL_REQUEST | GSSENC_REQUEST, _) => return Ok(None),
            (code, body) => return Ok(Some(startup(code, body).map(Request::Start))),
        }
        stream.write_all(b"N").await?;
        stream.flush().await?;
    }
}

struct Packet {
    code: u32,
    body: Vec<u8>,
}

/// `None` when the stream ends or begins with a length that no startup packet has: another protocol.
async fn packet<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Packet>> {
    let mut head = [0; 8];
    if !fill(stream, &mut head).await? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h] = head;
    let length = u32::from_be_bytes([a, b, c, d]);
    if !(8..=MAX_PACKET).contains(&length) {
        return Ok(None);
    }
    let mut body = vec![0; length as usize - 8];
    Ok(fill(stream, &mut body).await?.then(|| Packet { code: u32::from_be_bytes([e, f, g, h]), body }))
}

/// The body of the next message, which has to be a client's answer in an authentication. `None`: it is not, or the client went away.
pub async fn answer<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 5];
    if !fill(stream, &mut head).await? {
        return Ok(None);
    }
    let [tag, a, b, c, d] = head;
    let length = u32::from_be_bytes([a, b, c, d]);
    if tag != b'p' || !(4..=MAX_ANSWER).contains(&length) {
        return Ok(None);
    }
    let mut body = vec![0; length as usize - 4];
    Ok(fill(stream, &mut body).await?.then_some(body))
}

/// False when the stream ended before.
async fn fill<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut [u8]) -> io::Result<bool> {
    match stream.read_exact(buffer).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn startup(code: u32, body: &[u8]) -> Result<Startup, Error> {
    if code >> 16 != PROTOCOL_3_0 >> 16 {
        let message = format!("unsupported frontend protocol {}.{}: server supports 3.0 to 3.0", code >> 16, code & 0xffff);
        return Err(Error::new(Kind::Usage, message).with_code("0A000"));
    }
    let invalid = |what: &str| Error::new(Kind::Protocol, format!("invalid startup packet: {what}")).with_code("08P01");
    let body = std::str::from_utf8(body).map_err(|_| invalid("it is not UTF-8"))?;
    // `name NUL value NUL … NUL`
    let pairs = body.strip_suffix('\0').filter(|pairs| pairs.is_empty() || pairs.ends_with('\0'));
    let pairs = pairs.ok_or_else(|| invalid("it has no end"))?;
    let mut texts = pairs.split_terminator('\0');
    let mut startup = Startup { newer: code != PROTOCOL_3_0, ..Startup::default() };
    while let Some(name) = texts.next() {
        let value = texts.next().filter(|_| !name.is_empty()).ok_or_else(|| invalid("its parameters are no pairs"))?;
        if name.starts_with("_pq_.") {
            startup.unknown.push(name.to_owned());
        } else {
            startup.parameters.push((name.to_owned(), value.to_owned()));
        }
    }
    if startup.parameter("user").is_none_or(str::is_empty) {
        return Err(Error::new(Kind::Authentication, "no PostgreSQL user name specified in startup packet").with_code("28000"));
    }
    Ok(startup)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::duplex;

    use super::*;

    fn bytes(code: u32, body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes(), &code.to_be_bytes(), body].concat()
    }

    async fn said(bytes: Vec<u8>) -> (Option<Result<Request, Error>>, Vec<u8>) {
        let (mut ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(&bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        let read = read(&mut ours).await.unwrap();
        drop(ours);
        let mut answers = Vec::new();
        theirs.read_to_end(&mut answers).await.unwrap();
        (read, answers)
    }

    #[tokio::test]
    async fn encryption_is_declined_before_the_startup_message() {
        let start = bytes(PROTOCOL_3_0, b"user\0me\0database\0db\0application_name\0psql\0\0");
        let all = [bytes(GSSENC_REQUEST, b""), bytes(SSL_REQUEST, b""), start].concat();
        let (request, answers) = said(all).await;
        let Some(Ok(Request::Start(startup))) = request else { panic!("{request:?}") };
        assert_eq!(startup.asked(), Asked { user: "me".into(), database: "db".into(), application_name: Some("psql".into()) });
        assert_eq!(answers, b"NN");
    }

    #[tokio::test]
    async fn encryption_is_asked_for_once() {
        let (request, answers) = said([bytes(SSL_REQUEST, b""), bytes(SSL_REQUEST, b"")].concat()).await;
        assert!(request.is_none());
        assert_eq!(answers, b"N");
    }

    #[tokio::test]
    async fn a_cancel_request_is_read() {
        let (request, _) = said(bytes(CANCEL_REQUEST, &[0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff])).await;
        assert_eq!(request.unwrap().unwrap(), Request::Cancel { process_id: 7, secret_key: -1 });
    }

    #[tokio::test]
    async fn what_is_not_postgresql_is_left() {
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00\x01", &[0xff; 8], &[0; 8], b"\0\0\0\x09\0\x03"] {
            assert!(said(garbage.to_vec()).await.0.is_none(), "{garbage:?}");
        }
    }

    #[tokio::test]
    async fn impossible_startup_messages_are_refused() {
        for body in [&b"user\0me\0"[..], b"user\0me\0database\0\0", b"user\0\xff\0\0", b"database\0db\0\0", b"", b"\0"] {
            let (request, _) = said(bytes(PROTOCOL_3_0, body)).await;
            assert!(matches!(request, Some(Err(_))), "{body:?}: {request:?}");
        }
        assert_eq!(said(bytes(2 << 16, b"")).await.0.unwrap().unwrap_err().code(), Some("0A000"));
    }

    #[tokio::test]
    async fn a_newer_protocol_and_its_options_are_noticed() {
        let (request, _) = said(bytes(PROTOCOL_3_0 + 2, b"user\0me\0_pq_.x\0yes\0\0")).await;
        let Some(Ok(Request::Start(startup))) = request else { panic!("{request:?}") };
        assert!(startup.newer);
        assert_eq!((startup.unknown, startup.parameters), (vec!["_pq_.x".into()], vec![("user".into(), "me".into())]));
    }

    proptest! {
        #[test]
        fn any_startup_body_is_read_or_refused(body: Vec<u8>) {
            let _ = startup(PROTOCOL_3_0, &body);
        }
    }
}
