//! A connection over an in-memory socket whose other end is the test.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::open;
use super::encoder::{Encoder, SchemaGeneration};
use super::handle::{Connection, Observer};
use super::pooler::Pooler;
use super::request::{Outcome, Query, Request};
use super::session::{ConnectionId, Session};
use super::startup::Started;
use crate::error::Error;

/// What the kernel would buffer between client and server.
pub const SOCKET: usize = 64 * 1024;

/// A bound on what must happen; nothing waits for it to pass.
pub const SOON: Duration = Duration::from_secs(10);

struct Silent;

impl Observer for Silent {
    fn closed(&self, _connection: ConnectionId, _error: Option<Error>) {}
}

pub struct Setup {
    pub connection: Connection,
    pub server: DuplexStream,
    pub generation: SchemaGeneration,
}

/// A connection that knows nothing of its server yet.
pub fn connect_with(in_order: bool, pooler: Pooler) -> Setup {
    let (socket, server) = duplex(SOCKET);
    let generation = SchemaGeneration::default();
    let encoder = Encoder::new(16, false, generation.clone(), pooler);
    let started = Started { socket, session: Session::default(), unread: BytesMut::new(), encoder, in_order, first_query: None };
    Setup { connection: open(started, Arc::new(Silent)), server, generation }
}

pub fn connect() -> Setup {
    connect_with(false, Pooler::default())
}

/// Lets the connection find out that the server keeps the names of statements: from then on it caches.
pub async fn show_that_names_are_kept(connection: &Connection, server: &mut DuplexStream) {
    for syncs in [1, 2] {
        let outcome = send(connection, Query::extended("select", Vec::new()));
        for _ in 0..syncs {
            heard(server, b'S').await;
        }
        let answer = [message(b'1', b""), message(b'2', b""), message(b'n', b""), message(b'C', b"SELECT 0\0"), ready(b'I')].concat();
        server.write_all(&answer).await.unwrap();
        assert!(matches!(timeout(SOON, outcome).await, Ok(Ok(Outcome::Completed(Ok(_))))));
    }
    let row = message(b'D', b"\0\x01\0\0\0\x031 1");
    let answer = [message(b'1', b""), message(b'2', b""), row, message(b'C', b"SELECT 1\0"), message(b'3', b""), ready(b'I')].concat();
    server.write_all(&answer).await.unwrap();
}

pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![tag];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

pub fn ready(status: u8) -> Vec<u8> {
    message(b'Z', &[status])
}

/// One message of the client: its tag and its body.
pub async fn hear(server: &mut DuplexStream) -> (u8, Vec<u8>) {
    let tag = timeout(SOON, server.read_u8()).await.expect("the client says more").expect("the connection is open");
    let length = server.read_u32().await.expect("a length");
    let mut body = vec![0; length as usize - 4];
    server.read_exact(&mut body).await.expect("a body");
    (tag, body)
}

/// The tags of everything the client says up to a message with this one.
pub async fn heard(server: &mut DuplexStream, until: u8) -> Vec<u8> {
    let mut tags = Vec::new();
    while tags.last() != Some(&until) {
        tags.push(hear(server).await.0);
    }
    tags
}

pub fn send(connection: &Connection, query: Query) -> oneshot::Receiver<Outcome> {
    dispatch(connection, query, true)
}

/// One that must not share the wire.
pub fn send_alone(connection: &Connection, query: Query) -> oneshot::Receiver<Outcome> {
    dispatch(connection, query, false)
}

fn dispatch(connection: &Connection, query: Query, pipelined: bool) -> oneshot::Receiver<Outcome> {
    let (sender, outcome) = oneshot::channel();
    let reply = Box::new(|outcome| _ = sender.send(outcome));
    connection.send(Request { query, pipelined, reply });
    outcome
}
