//! Statements that the server no longer has, or that no longer fit: what is sent again, how, in which order, and what is not.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::handle::Connection;
use super::pooler::Pooler;
use super::request::{Outcome, Query};
use super::scripted_server::{SOON, Setup, connect, connect_with, hear, heard, message, ready, send, send_alone, show_that_names_are_kept};

const READ: &str = "select a from t where b = $1";

fn error(severity: &str, code: &str, text: &str, of_server: bool) -> Vec<u8> {
    let source = if of_server { "Fpostgres.c\0L3301\0RProcessInterrupts\0" } else { "" };
    message(b'E', format!("S{severity}\0V{severity}\0C{code}\0M{text}\0{source}\0").as_bytes())
}

fn failure(code: &str, text: &str) -> Vec<u8> {
    [error("ERROR", code, text, true), ready(b'I')].concat()
}

/// The answer to a query that gives one row with this text.
fn row(parsed: Parsed, text: &str) -> Vec<u8> {
    let columns = message(b'T', b"\0\x01a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0");
    let types = message(b't', &[0, 0]);
    let (complete, bound) = (message(b'1', b""), message(b'2', b""));
    let mut body = vec![0, 1];
    body.extend((text.len() as u32).to_be_bytes());
    body.extend(text.as_bytes());
    let rest = [message(b'D', &body), message(b'C', b"SELECT 1\0"), ready(b'I')].concat();
    match parsed {
        Parsed::Named => [complete, types, columns, bound, rest].concat(),
        Parsed::Unnamed => [complete, bound, columns, rest].concat(),
        Parsed::Before => [bound, rest].concat(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parsed {
    Named,
    Unnamed,
    Before,
}

/// The next query of the client: how it was sent, and the name of its statement.
async fn next_query(server: &mut DuplexStream) -> (Parsed, String) {
    let (mut parsed, mut name) = (Parsed::Before, String::new());
    loop {
        let (tag, body) = hear(server).await;
        let strings: Vec<_> = body.split(|&byte| byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        match tag {
            b'P' => parsed = if strings[0].is_empty() { Parsed::Unnamed } else { Parsed::Named },
            // The portal's name comes first.
            b'B' => name.clone_from(&strings[1]),
            b'S' => return (parsed, name),
            _ => {}
        }
    }
}

fn ask(connection: &Connection, text: &str) -> oneshot::Receiver<Outcome> {
    send(connection, Query::extended(text, Vec::new()))
}

/// The text in the row, or the error's code.
async fn told(outcome: oneshot::Receiver<Outcome>) -> String {
    match timeout(SOON, outcome).await.expect("every query is answered").expect("once") {
        Outcome::Completed(Ok(response)) => {
            let mut cursor = response.results[0].rows.cursor();
            cursor.start_row();
            String::from_utf8(cursor.next_cell().unwrap().unwrap().to_vec()).unwrap()
        }
        Outcome::Completed(Err(error)) => error.code().unwrap_or_default().to_owned(),
        Outcome::NeverRan { refused, .. } => (if refused { "refused" } else { "unread" }).to_owned(),
        Outcome::ReadLost { .. } => "read lost".to_owned(),
    }
}

async fn answer(server: &mut DuplexStream, bytes: &[u8]) {
    server.write_all(bytes).await.unwrap();
}

/// A connection that has prepared `READ`, and the name of that.
async fn prepared(in_order: bool, pooler: Pooler) -> (Setup, String) {
    let mut setup = connect_with(in_order, pooler);
    show_that_names_are_kept(&setup.connection, &mut setup.server).await;
    let outcome = ask(&setup.connection, READ);
    let (parsed, name) = next_query(&mut setup.server).await;
    assert_eq!(parsed, Parsed::Named);
    answer(&mut setup.server, &row(Parsed::Named, "first")).await;
    assert_eq!(told(outcome).await, "first");
    (setup, name)
}

#[tokio::test]
async fn no_two_connections_give_their_statements_the_same_names() {
    let (_one, first) = prepared(false, Pooler::default()).await;
    let (_other, second) = prepared(false, Pooler::default()).await;
    assert_ne!(first, second);
    assert!(first.starts_with("lakebase_") && first.len() >= 26 && first.len() < 63, "{first}");
}

#[tokio::test]
async fn nothing_is_prepared_where_statements_get_other_names() {
    let pooler = Pooler::default();
    let Setup { connection, mut server, .. } = connect_with(false, pooler.clone());
    for asks in [false, true, false] {
        let outcome = ask(&connection, READ);
        assert_eq!(next_query(&mut server).await, (Parsed::Unnamed, String::new()));
        answer(&mut server, &row(Parsed::Unnamed, "right")).await;
        assert_eq!(told(outcome).await, "right", "nobody waits for the question");
        if asks {
            assert_eq!(heard(&mut server, b'S').await, b"PBECS");
            let none = message(b'D', b"\0\x01\0\0\0\x031 0");
            answer(&mut server, &[message(b'1', b""), message(b'2', b""), none, message(b'C', b"SELECT 1\0"), ready(b'I')].concat()).await;
        }
    }
    assert!(pooler.loses_statements());
}

#[tokio::test]
async fn a_statement_that_is_gone_is_sent_again_without_a_name_and_nothing_is_cached_any_more() {
    for (code, text) in [("26000", "prepared statement \"NAME\" does not exist"), ("08P01", "prepared statement \"NAME\" not found")] {
        let pooler = Pooler::default();
        let (Setup { connection, mut server, .. }, name) = prepared(false, pooler.clone()).await;
        let (other, _) = prepared(false, pooler.clone()).await;
        let outcome = ask(&connection, READ);
        assert_eq!(next_query(&mut server).await, (Parsed::Before, name.clone()));
        answer(&mut server, &failure(code, &text.replace("NAME", &name))).await;
        assert_eq!(next_query(&mut server).await, (Parsed::Unnamed, String::new()));
        answer(&mut server, &row(Parsed::Unnamed, "right")).await;
        assert_eq!(told(outcome).await, "right");
        assert!(pooler.loses_statements());
        // Of all connections to there.
        let Setup { connection, mut server, .. } = other;
        let outcome = ask(&connection, READ);
        assert_eq!(next_query(&mut server).await, (Parsed::Unnamed, String::new()));
        answer(&mut server, &row(Parsed::Unnamed, "right")).await;
        assert_eq!(told(outcome).await, "right");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_given_up() {
    let Setup { connection, mut server, .. } = connect();
    show_that_names_are_kept(&connection, &mut server).await;
    let outcome = ask(&connection, READ);
    let (parsed, name) = next_query(&mut server).await;
    assert_eq!(parsed, Parsed::Named);
    answer(&mut server, &failure("42P05", &format!("prepared statement \"{name}\" already exists"))).await;
    assert_eq!(next_query(&mut server).await, (Parsed::Unnamed, String::new()));
    answer(&mut server, &row(Parsed::Unnamed, "right")).await;
    assert_eq!(told(outcome).await, "right");
}

#[tokio::test]
async fn a_query_that_fails_while_it_runs_is_not_sent_again() {
    let (Setup { connection, mut server, .. }, _) = prepared(false, Pooler::default()).await;
    for code in ["26000", "22P02", "0A000"] {
        let outcome = ask(&connection, READ);
        assert_eq!(next_query(&mut server).await.0, Parsed::Before);
        answer(&mut server, &[message(b'2', b""), failure(code, "within")].concat()).await;
        assert_eq!(told(outcome).await, code);
    }
}

#[tokio::test]
async fn what_was_cancelled_or_had_no_lock_is_not_tried_again() {
    let (Setup { connection, mut server, .. }, _) = prepared(false, Pooler::default()).await;
    for code in ["57014", "55P03", "40P01", "53200"] {
        let outcome = ask(&connection, READ);
        assert_eq!(next_query(&mut server).await.0, Parsed::Before);
        answer(&mut server, &failure(code, "at this moment")).await;
        assert_eq!(told(outcome).await, code);
    }
}

#[tokio::test]
async fn queries_with_values_that_do_not_fit_share_one_parse_and_one_round_trip() {
    for in_order in [false, true] {
        let (Setup { connection, mut server, .. }, name) = prepared(in_order, Pooler::default()).await;
        let outcomes: Vec<_> = (0..64).map(|_| ask(&connection, READ)).collect();
        for _ in 0..64 {
            assert_eq!(next_query(&mut server).await, (Parsed::Before, name.clone()));
        }
        answer(&mut server, &failure("22P02", "invalid input syntax").repeat(64)).await;
        // All of them are on the wire again before any is answered.
        let again = [next_query(&mut server).await, next_query(&mut server).await];
        assert_eq!(again[0].0, Parsed::Named);
        assert_ne!(again[0].1, name);
        assert_eq!(again[1], (Parsed::Before, again[0].1.clone()));
        for _ in 2..64 {
            assert_eq!(next_query(&mut server).await, again[1]);
        }
        answer(&mut server, &failure("22P02", "invalid input syntax").repeat(64)).await;
        for outcome in outcomes {
            assert_eq!(told(outcome).await, "22P02");
        }
    }
}

#[tokio::test]
async fn a_stale_statement_is_parsed_again_once_for_all_who_used_it_in_their_order() {
    let (Setup { connection, mut server, .. }, name) = prepared(false, Pooler::default()).await;
    let outcomes: Vec<_> = (0..8).map(|_| ask(&connection, READ)).collect();
    for _ in 0..8 {
        next_query(&mut server).await;
    }
    answer(&mut server, &failure("0A000", "cached plan must not change result type").repeat(8)).await;
    for number in 0..8 {
        let (parsed, other) = next_query(&mut server).await;
        assert_eq!(parsed, if number == 0 { Parsed::Named } else { Parsed::Before });
        assert_ne!(other, name);
        answer(&mut server, &row(parsed, &number.to_string())).await;
    }
    for (number, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(told(outcome).await, number.to_string());
    }
}

#[tokio::test]
async fn in_order_a_write_waits_for_reads_that_may_be_sent_again() {
    let (Setup { connection, mut server, .. }, _) = prepared(true, Pooler::default()).await;
    let read = ask(&connection, READ);
    let write = send_alone(&connection, Query::simple("insert into t values (1)"));
    assert_eq!(next_query(&mut server).await.0, Parsed::Before);
    answer(&mut server, &failure("0A000", "cached plan must not change result type")).await;
    assert_eq!(next_query(&mut server).await.0, Parsed::Named, "the read comes first");
    answer(&mut server, &row(Parsed::Named, "before")).await;
    assert_eq!(told(read).await, "before");
    assert_eq!(hear(&mut server).await.0, b'Q');
    drop(write);
}

#[tokio::test]
async fn in_order_reads_that_ran_before_a_stale_one_run_again_after_it() {
    let (Setup { connection, mut server, .. }, _) = prepared(true, Pooler::default()).await;
    let (stale, other, later) =
        (ask(&connection, READ), ask(&connection, "select b from t"), send_alone(&connection, Query::simple("delete from t")));
    assert_eq!(next_query(&mut server).await.0, Parsed::Before);
    assert_eq!(next_query(&mut server).await.0, Parsed::Named);
    answer(&mut server, &[failure("0A000", "cached plan must not change result type"), row(Parsed::Named, "too early")].concat()).await;
    assert_eq!(next_query(&mut server).await.0, Parsed::Named);
    answer(&mut server, &row(Parsed::Named, "one")).await;
    assert_eq!(next_query(&mut server).await.0, Parsed::Before);
    answer(&mut server, &row(Parsed::Before, "two")).await;
    assert_eq!((told(stale).await, told(other).await), ("one".to_owned(), "two".to_owned()));
    assert_eq!(hear(&mut server).await.0, b'Q');
    drop(later);
}

#[tokio::test]
async fn in_order_reads_behind_a_value_that_does_not_fit_keep_their_answers() {
    let (Setup { connection, mut server, .. }, _) = prepared(true, Pooler::default()).await;
    let (failed, other) = (ask(&connection, READ), ask(&connection, "select b from t"));
    next_query(&mut server).await;
    next_query(&mut server).await;
    answer(&mut server, &[failure("22P02", "invalid input syntax"), row(Parsed::Named, "kept")].concat()).await;
    assert_eq!(next_query(&mut server).await.0, Parsed::Named);
    answer(&mut server, &failure("22P02", "invalid input syntax")).await;
    assert_eq!((told(failed).await, told(other).await), ("22P02".to_owned(), "kept".to_owned()));
}

/// What becomes of two requests on the wire, the first one at its head, when the server says `last` and the stream ends.
async fn lost(texts: [&str; 2], last: &[u8]) -> [String; 2] {
    let Setup { connection, mut server, .. } = connect();
    let outcomes = texts.map(|text| send(&connection, Query::extended(text, Vec::new())));
    for _ in 0..texts.len() {
        heard(&mut server, b'S').await;
    }
    answer(&mut server, last).await;
    drop(server);
    let [first, second] = outcomes;
    [told(first).await, told(second).await]
}

const WRITES: [&str; 2] = ["insert into t values ($1)", "update t set a = $1"];

#[tokio::test]
async fn only_the_servers_own_word_before_any_other_shows_that_nothing_ran() {
    for code in ["57P01", "57P02", "57P03", "25P03", "57P05"] {
        assert_eq!(lost(WRITES, &error("FATAL", code, "over", true)).await, ["refused", "unread"], "{code}");
        let acknowledged = [message(b'1', b""), error("FATAL", code, "over", true)].concat();
        assert_eq!(lost(WRITES, &acknowledged).await, [code, "unread"], "{code}");
        assert_eq!(lost(WRITES, &error("FATAL", code, "over", false)).await, [code, code], "not the server's own {code}");
    }
    for code in ["08P01", "08006", "XX000", "53300", "58000"] {
        assert_eq!(lost(WRITES, &error("FATAL", code, "over", true)).await, [code, code], "{code}");
    }
    assert_eq!(lost(WRITES, b"").await, ["CONNECTION_LOST", "CONNECTION_LOST"]);
}

#[tokio::test]
async fn a_plain_read_behind_another_is_asked_elsewhere_whatever_became_of_the_connection() {
    let reads = ["select 1 where $1", "select 2 where $1"];
    assert_eq!(lost(reads, b"").await, ["CONNECTION_LOST", "read lost"]);
    assert_eq!(lost(reads, &error("FATAL", "08P01", "server conn crashed?", false)).await, ["08P01", "read lost"]);
    assert_eq!(lost(["select f($1)", "select f($1)"], b"").await, ["CONNECTION_LOST", "CONNECTION_LOST"]);
}

#[tokio::test]
async fn a_simple_query_may_have_been_running_when_the_server_was_shut_down() {
    for (code, expected) in [("57P01", "57P01"), ("57P05", "refused")] {
        let Setup { connection, mut server, .. } = connect();
        let outcome = send(&connection, Query::simple("insert into t values (1)"));
        heard(&mut server, b'Q').await;
        answer(&mut server, &error("FATAL", code, "over", true)).await;
        assert_eq!(told(outcome).await, expected);
    }
}

#[tokio::test]
async fn what_was_not_written_never_ran() {
    let Setup { connection, mut server, .. } = connect();
    // More than the socket takes: the server reads the first part of it.
    let large = "x".repeat(4 * super::scripted_server::SOCKET);
    let begun = send(&connection, Query::simple(format!("insert into t values ('{large}')")));
    let behind = send(&connection, Query::extended("insert into t values ($1)", Vec::new()));
    server.read_u8().await.unwrap();
    drop(server);
    let begun = told(begun).await;
    assert!(["EPIPE", "CONNECTION_LOST", "ECONNRESET"].contains(&begun.as_str()), "{begun}");
    assert_eq!(told(behind).await, "unread");
}

#[tokio::test]
async fn a_ready_for_query_without_a_result_acknowledges_nothing() {
    let ready = message(b'Z', b"I");
    // As from a server that never saw the request, with and without what the lost one said before.
    for last in [ready.clone(), [message(b'1', b""), message(b'2', b""), ready].concat()] {
        assert_eq!(lost(WRITES, &last).await, ["PROTOCOL_VIOLATION", "PROTOCOL_VIOLATION"]);
    }
}
