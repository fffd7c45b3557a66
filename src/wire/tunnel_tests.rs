//! The connection's task with a tunnel, driven over an in-memory socket whose other end is the test.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::handle::Connection;
use super::request::{Outcome, Query};
use super::scripted_server::{SOCKET, SOON, Setup, connect, heard, message, ready, send, show_that_names_are_kept};
use super::tunnel::TunnelEnd;

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Received(Vec<u8>),
    Sent(usize),
    Ended,
}

struct End(mpsc::UnboundedSender<Told>);

impl TunnelEnd for End {
    fn receive(&mut self, messages: &[u8]) {
        let _ = self.0.send(Told::Received(messages.to_vec()));
    }

    fn sent(&mut self, bytes: usize) {
        let _ = self.0.send(Told::Sent(bytes));
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.0.send(Told::Ended);
    }
}

fn tunnel(connection: &Connection) -> mpsc::UnboundedReceiver<Told> {
    let (sender, told) = mpsc::unbounded_channel();
    connection.tunnel(Box::new(End(sender)));
    told
}

async fn next(told: &mut mpsc::UnboundedReceiver<Told>) -> Told {
    timeout(SOON, told.recv()).await.expect("the tunnel says something").expect("the tunnel has not ended")
}

/// Lets the other tasks run until none of them has anything to do.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn messages_pass_both_ways_untouched_and_are_acknowledged() {
    let Setup { connection, mut server, .. } = connect();
    let mut told = tunnel(&connection);
    let query = message(b'Q', b"select 1\0");
    connection.tunnel_write(query.clone());
    let mut said = vec![0; query.len()];
    server.read_exact(&mut said).await.unwrap();
    assert_eq!(said, query);
    assert_eq!(next(&mut told).await, Told::Sent(query.len()));

    let answer = [message(b'C', b"SELECT 1\0"), ready(b'T')].concat();
    server.write_all(&answer).await.unwrap();
    assert_eq!(next(&mut told).await, Told::Received(answer));
    assert_eq!(connection.transaction_status(), b'T');
    assert_eq!(connection.outstanding(), 1);
    connection.tunnel_end(Vec::new());
    assert_eq!(next(&mut told).await, Told::Ended);
    assert_eq!(connection.outstanding(), 0);
}

#[tokio::test]
async fn a_caller_that_is_behind_holds_the_server_up_until_it_has_caught_up() {
    let Setup { connection, mut server, .. } = connect();
    let mut told = tunnel(&connection);
    let row = message(b'd', &[b'x'; 1019]);
    let rows = 4096;
    let server = tokio::spawn(async move {
        for _ in 0..rows {
            server.write_all(&row).await?;
        }
        server.write_all(&ready(b'I')).await.map(|()| server)
    });
    settle().await;
    let (mut received, mut taken) = (0, 0);
    loop {
        while let Ok(Told::Received(bytes)) = told.try_recv() {
            received += bytes.len();
        }
        // Windows, a read and what the kernel would buffer: far less than the whole.
        assert!(received - taken < 512 * 1024, "{} bytes came to somebody who took none", received - taken);
        if received > rows * 1024 {
            break;
        }
        assert!(!server.is_finished() || received - taken > 0, "the server was never held up");
        assert!(received > taken, "nothing came although everything was taken");
        connection.tunnel_taken(received - taken);
        taken = received;
        settle().await;
    }
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_tunnel_that_ends_while_its_caller_is_behind_does_not_hold_up_what_follows() {
    let Setup { connection, mut server, .. } = connect();
    let mut told = tunnel(&connection);
    let answer = [message(b'd', &vec![0; 300 * 1024]), ready(b'I')].concat();
    server.write_all(&answer).await.unwrap();
    assert_eq!(next(&mut told).await, Told::Received(answer));
    let outcome = send(&connection, Query::simple("select 1"));
    connection.tunnel_end(Vec::new());
    heard(&mut server, b'Q').await;
    server.write_all(&[message(b'C', b"SELECT 1\0"), ready(b'I')].concat()).await.unwrap();
    assert!(matches!(timeout(SOON, outcome).await, Ok(Ok(Outcome::Completed(Ok(_))))));
}

#[tokio::test]
async fn what_the_server_does_not_take_is_not_acknowledged() {
    let Setup { connection, mut server, .. } = connect();
    let mut told = tunnel(&connection);
    let data = message(b'd', &vec![0; 4 * SOCKET]);
    connection.tunnel_write(data.clone());
    settle().await;
    assert!(told.try_recv().is_err(), "nothing has left whole");
    let mut said = vec![0; data.len()];
    timeout(SOON, server.read_exact(&mut said)).await.unwrap().unwrap();
    assert_eq!(next(&mut told).await, Told::Sent(data.len()));
}

#[tokio::test]
async fn a_tunnel_ends_with_its_connection_after_all_that_came_before() {
    let Setup { connection, mut server, .. } = connect();
    let mut told = tunnel(&connection);
    let waiting = send(&connection, Query::simple("select 1"));
    settle().await;
    let last = message(b'E', b"SFATAL\0VFATAL\0C57P01\0Mterminating\0\0");
    server.write_all(&last).await.unwrap();
    drop(server);
    assert_eq!(next(&mut told).await, Told::Received(last));
    assert_eq!(next(&mut told).await, Told::Ended);
    assert!(matches!(timeout(SOON, waiting).await, Ok(Ok(Outcome::NeverRan { .. }))));
    settle().await;
    assert!(connection.is_closed());
    assert_eq!(connection.outstanding(), 0);
    // Whoever still speaks into it disturbs nobody.
    connection.tunnel_write(vec![0]);
    connection.tunnel_taken(1);
    connection.tunnel_end(Vec::new());
}

#[tokio::test]
async fn a_tunnel_to_a_connection_that_has_ended_ends_at_once() {
    let Setup { connection, server, .. } = connect();
    drop(server);
    settle().await;
    assert!(connection.is_closed());
    let mut told = tunnel(&connection);
    assert_eq!(next(&mut told).await, Told::Ended);
    assert_eq!(connection.outstanding(), 0);
}

#[tokio::test]
async fn requests_and_a_second_tunnel_wait_for_the_first_to_end() {
    let Setup { connection, mut server, .. } = connect();
    let mut first = tunnel(&connection);
    let outcome = send(&connection, Query::simple("select 1"));
    connection.tunnel_write(message(b'S', b""));
    assert_eq!(heard(&mut server, b'S').await, b"S");
    let sent = next(&mut first).await;
    assert_eq!(sent, Told::Sent(5));
    server.write_all(&ready(b'I')).await.unwrap();
    next(&mut first).await;
    settle().await;
    connection.tunnel_end(Vec::new());
    let mut second = tunnel(&connection);
    connection.tunnel_write(message(b'H', b""));
    assert_eq!(heard(&mut server, b'Q').await, b"Q", "nothing of the second tunnel comes before the request");
    server.write_all(&[message(b'C', b"SELECT 1\0"), ready(b'I')].concat()).await.unwrap();
    assert!(matches!(timeout(SOON, outcome).await, Ok(Ok(Outcome::Completed(Ok(_))))));
    assert_eq!(heard(&mut server, b'H').await, b"H");
    assert_eq!(next(&mut second).await, Told::Sent(5));
}

/// Runs a cached query and answers it; the tags of its messages.
async fn run_cached(connection: &Connection, server: &mut DuplexStream) -> Vec<u8> {
    let outcome = send(connection, Query::extended("delete from t", Vec::new()));
    let tags = heard(server, b'S').await;
    let parsed = tags.contains(&b'P');
    let mut answer = Vec::new();
    if parsed {
        answer.extend([message(b'1', b""), message(b't', &[0, 0]), message(b'n', b"")].concat());
    }
    answer.extend([message(b'2', b""), message(b'C', b"DELETE 0\0"), ready(b'I')].concat());
    server.write_all(&answer).await.unwrap();
    assert!(matches!(timeout(SOON, outcome).await, Ok(Ok(Outcome::Completed(Ok(_))))));
    tags
}

/// Sends `query` through a tunnel, which is answered with `tag`.
async fn run_through_tunnel(connection: &Connection, server: &mut DuplexStream, query: &[u8], tag: &[u8]) {
    let mut told = tunnel(connection);
    connection.tunnel_write(message(b'Q', query));
    heard(server, b'Q').await;
    server.write_all(&[message(b'C', tag), ready(b'I')].concat()).await.unwrap();
    while !matches!(next(&mut told).await, Told::Received(_)) {}
    connection.tunnel_end(Vec::new());
    assert_eq!(next(&mut told).await, Told::Ended);
}

#[tokio::test]
async fn a_schema_change_through_a_tunnel_makes_cached_statements_stale() {
    let Setup { connection, mut server, generation } = connect();
    show_that_names_are_kept(&connection, &mut server).await;
    assert_eq!(run_cached(&connection, &mut server).await, b"PDBES");
    assert_eq!(run_cached(&connection, &mut server).await, b"BES");
    run_through_tunnel(&connection, &mut server, b"select 1\0", b"SELECT 1\0").await;
    assert_eq!(run_cached(&connection, &mut server).await, b"BES", "a plain query changes nothing");
    // Known by its tag, by its text, and for all connections of the pool.
    for (query, tag) in [(&b"call p()\0"[..], &b"ALTER TABLE\0"[..]), (b"create table u as select 1\0", b"SELECT 1\0")] {
        let before = generation.load(Ordering::Relaxed);
        run_through_tunnel(&connection, &mut server, query, tag).await;
        assert!(generation.load(Ordering::Relaxed) > before);
        // The stale statement is closed, the new one parsed.
        assert_eq!(run_cached(&connection, &mut server).await, b"CPDBES");
        assert_eq!(run_cached(&connection, &mut server).await, b"BES");
    }
}

#[tokio::test]
async fn statements_deallocated_through_a_tunnel_are_parsed_again() {
    let Setup { connection, mut server, .. } = connect();
    show_that_names_are_kept(&connection, &mut server).await;
    run_cached(&connection, &mut server).await;
    run_through_tunnel(&connection, &mut server, b"discard all\0", b"DISCARD ALL\0").await;
    assert!(run_cached(&connection, &mut server).await.contains(&b'P'));
}
