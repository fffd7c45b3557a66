//! Entrances of the fuzz targets (`fuzz/`): what a server says, read by what reads it. Not part of a build.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use serde_json::{Map, json};
use tokio::io::{AsyncWriteExt, duplex};

use super::connection::open;
use super::encoder::{Encoder, SchemaGeneration};
use super::handle::Observer;
use super::pooler::Pooler;
use super::request::{Execution, Fetch, Outcome, Query, Request};
use super::result::{Field, Response, RowDescription, StatementResult};
use super::session::Session;
use super::startup::{self, Password, PasswordFuture, Started};
use super::target::Target;
use super::tunnel::{self, TunnelEnd};
use crate::config::resolve_client;
use crate::secret::Secret;

struct Nobody;

impl Observer for Nobody {}

impl TunnelEnd for Nobody {
    fn receive(&mut self, _messages: &[u8]) {}
    fn sent(&mut self, _bytes: usize) {}
}

impl Password for Nobody {
    fn password(&mut self) -> PasswordFuture<'_> {
        Box::pin(async { Ok(Some(Secret::new("password".to_owned()))) })
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
}

/// A server that says `bytes` and hangs up.
async fn server(bytes: &[u8]) -> tokio::io::DuplexStream {
    let (client, mut server) = duplex(1 << 20);
    let bytes = bytes.to_vec();
    tokio::spawn(async move {
        let _ = server.write_all(&bytes).await;
        let _ = server.shutdown().await;
        let _ = tokio::io::copy(&mut server, &mut tokio::io::sink()).await;
    });
    client
}

/// The answers of a server to whatever `wanted` asks of it, one request for each two bits; every answer that came whole.
pub fn session(wanted: u16, bytes: &[u8]) -> Vec<Response> {
    block_on(async {
        let encoder = Encoder::new(2, false, SchemaGeneration::default(), Pooler::default());
        let socket = server(bytes).await;
        let connection = open(
            Started { socket, session: Session::default(), unread: BytesMut::new(), encoder, in_order: false, first_query: None },
            Arc::new(Nobody),
        );
        let (answered, answers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let mut asked = 0;
        for shift in (0..16).step_by(2) {
            let query = match wanted >> shift & 3 {
                0 => Query::simple("select 1"),
                1 => Query::extended("select $1", Vec::new()),
                2 => {
                    let open = Fetch::Open { params: Vec::new(), rows: 1 };
                    Query { text: "select 2".to_owned(), execution: Execution::Portal(open) }
                }
                _ => {
                    connection.tunnel(Box::new(Nobody));
                    connection.tunnel_write(b"Q\0\0\0\x0ddrop t\0\0".to_vec());
                    connection.tunnel_end(vec![("name".to_owned(), "text".to_owned())]);
                    continue;
                }
            };
            let pipelined = query.can_pipeline(true);
            let (answered, answers) = (answered.clone(), answers.clone());
            asked += 1;
            connection.send(Request {
                query,
                pipelined,
                reply: Box::new(move |outcome| {
                    *answers.lock().expect("no panic") += 1;
                    if let Outcome::Completed(Ok(response)) = outcome {
                        answered.lock().expect("no panic").push(response);
                    }
                }),
            });
        }
        while !connection.is_closed() {
            tokio::task::yield_now().await;
        }
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(*answers.lock().expect("no panic"), asked, "every request is answered once");
        assert_eq!(connection.outstanding(), 0);
        std::mem::take(&mut *answered.lock().expect("no panic"))
    })
}

/// A login at a server that says these bytes.
pub fn login(encrypted: bool, bytes: &[u8]) {
    let options = Map::from_iter([("host".to_owned(), json!("localhost")), ("user".to_owned(), json!("user"))]);
    let target = Target::new(resolve_client(&options, &HashMap::new()).expect("options").connect);
    block_on(async {
        let socket = server(bytes).await;
        let _ = startup::fuzz(socket, &target, &mut Nobody, encrypted).await;
    });
}

/// What is inspected of a tunnel's messages, of both sides.
pub fn inspect(bytes: &[u8]) {
    tunnel::fuzz(bytes);
}

/// A result of columns of these types, with these bodies of DataRow messages.
pub fn response(types: &[(u32, bool)], bodies: &[&[u8]]) -> Response {
    let fields = types
        .iter()
        .map(|&(type_id, binary)| Field {
            name: "column".to_owned(),
            table_id: 0,
            column_id: 0,
            type_id,
            type_size: -1,
            type_modifier: -1,
            binary,
        })
        .collect();
    let wire =
        types.iter().flat_map(|(type_id, binary)| [type_id.to_be_bytes().as_slice(), &[u8::from(*binary)]].concat()).collect::<Bytes>();
    let mut result = StatementResult { columns: Some(Arc::new(RowDescription { wire, fields })), ..StatementResult::default() };
    bodies.iter().for_each(|body| result.rows.push(body));
    Response { results: vec![result], transaction_status: b'I', connection: 1 }
}
