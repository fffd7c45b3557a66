//! The request that goes out with the password, when the login does not go on as it should.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;

use super::*;
use crate::config::resolve_client;
use crate::error::PASSWORD_ASKED_AGAIN;
use crate::wire::request::Query;
use crate::wire::scripted_server::{hear, message};

struct Known;

impl Password for Known {
    fn password(&mut self) -> PasswordFuture<'_> {
        Box::pin(async { Ok(Some(Secret::new("password".to_owned()))) })
    }
}

/// Gives one request after another, and counts them.
#[derive(Default)]
struct Requests(Mutex<Vec<oneshot::Receiver<Outcome>>>);

impl FirstQuery for Requests {
    fn take(&self) -> Option<Request> {
        let (sender, outcome) = oneshot::channel();
        self.0.lock().unwrap().push(outcome);
        Some(Request { query: Query::simple("select 1"), pipelined: true, reply: Box::new(|outcome| _ = sender.send(outcome)) })
    }

    fn is_awaited(&self) -> bool {
        true
    }
}

const ASKS: [u8; 4] = [0, 0, 0, 3];

/// The login's error, and what the requests were told, when the server does what `server` does after the startup message.
async fn login<F: Future<Output = ()>>(server: impl FnOnce(DuplexStream) -> F) -> (Error, Vec<Outcome>) {
    let (socket, mut other) = duplex(1 << 16);
    let options = serde_json::json!({ "host": "localhost", "user": "tester", "database": "tester", "password": "password" });
    let target = Target::new(resolve_client(&options.as_object().unwrap().clone(), &Default::default()).unwrap().connect);
    let requests = Requests::default();
    let channel = Channel { encrypted: true, local: false, binding: None };
    let mut exchange = Exchange::new(socket, &target);
    let mut encoder = Encoder::new(16, false, SchemaGeneration::default(), Pooler::default());
    let mut unconfirmed = UnconfirmedQuery { request: None, target: &target };
    let client = async {
        let error =
            exchange.run(&channel, &mut Known, &mut encoder, Some(&requests), &mut unconfirmed).await.expect_err("there is no session");
        unconfirmed.lose(&error);
        error
    };
    let server = async {
        let length = other.read_u32().await.unwrap();
        let mut startup = vec![0; length as usize - 4];
        other.read_exact(&mut startup).await.unwrap();
        server(other).await;
    };
    let (error, ()) = tokio::join!(client, server);
    let mut told = Vec::new();
    for outcome in requests.0.into_inner().unwrap() {
        told.push(outcome.await.expect("every request is answered"));
    }
    (error, told)
}

#[tokio::test]
async fn a_server_that_asks_for_the_password_twice_gets_one_request_which_goes_elsewhere() {
    let (error, told) = login(|mut server| async move {
        server.write_all(&message(b'R', &ASKS)).await.unwrap();
        assert_eq!((hear(&mut server).await.0, hear(&mut server).await.0), (b'p', b'Q'));
        server.write_all(&message(b'R', &ASKS)).await.unwrap();
    })
    .await;
    assert_eq!(error.code(), Some(PASSWORD_ASKED_AGAIN));
    assert!(matches!(&told[..], [Outcome::ReadLost { .. }]));
}

#[tokio::test]
async fn a_read_whose_login_fails_goes_elsewhere() {
    let (_, told) = login(|mut server| async move {
        server.write_all(&message(b'R', &ASKS)).await.unwrap();
        assert_eq!((hear(&mut server).await.0, hear(&mut server).await.0), (b'p', b'Q'));
    })
    .await;
    assert!(matches!(&told[..], [Outcome::ReadLost { .. }]));
}
