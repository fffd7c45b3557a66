//! When it is certain that the server ran nothing of a request whose connection has ended. docs/delivery.md has the rule as a table.
//!
//! What says so must be PostgreSQL itself. A pooler or a proxy speaks for a server that may have run the request before it was lost; only the
//! server's own messages carry the source file, line and routine they come from. Class 08, unknown codes and the end of the stream prove
//! nothing.

use tokio_postgres::error::SqlState;

use crate::error::ServerMessage;

/// The server was told to end the session, or to let nobody in: shut down by an administrator, after a crash, not ready yet.
static SHUT_DOWN: [SqlState; 3] = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
/// The session was idle for too long. PostgreSQL looks for this only while it waits for the next message, and before it acts on it.
static IDLE_TOO_LONG: [SqlState; 2] = [SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, SqlState::IDLE_SESSION_TIMEOUT];

/// Whether `last` ended the session in an orderly way, so that nothing behind the request at the head was read.
pub(super) fn ends_session(last: &ServerMessage) -> bool {
    let from_server = last.file.is_some() && last.line.is_some() && last.routine.is_some();
    last.fatal && from_server && (last.is_any(&SHUT_DOWN) || last.is_any(&IDLE_TOO_LONG))
}

/// Whether `last`, which came before anything else of the answer to the request at the head, shows that this was not run either.
///
/// The answers to Parse and Bind are sent ahead of the error, so that without them Execute was not reached. Nothing comes ahead of what a
/// simple query runs: it may have been running when the server was shut down.
pub(super) fn refuses(last: &ServerMessage, simple: bool) -> bool {
    ends_session(last) && !(simple && last.is_any(&SHUT_DOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fatal(code: &str) -> ServerMessage {
        ServerMessage {
            fatal: true,
            code: Some(code.into()),
            file: Some("postgres.c".into()),
            line: Some("3301".into()),
            routine: Some("ProcessInterrupts".into()),
            ..ServerMessage::default()
        }
    }

    #[test]
    fn the_servers_own_word_on_the_end_of_the_session_is_a_proof() {
        for code in ["57P01", "57P02", "57P03"] {
            assert!(ends_session(&fatal(code)) && refuses(&fatal(code), false), "{code}");
            assert!(!refuses(&fatal(code), true), "{code}: a simple query may have been running");
        }
        for code in ["25P03", "57P05"] {
            assert!(ends_session(&fatal(code)) && refuses(&fatal(code), false) && refuses(&fatal(code), true), "{code}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for code in ["08P01", "08006", "08003", "XX000", "53300", "28P01", "57014", "57P04", "58030", ""] {
            assert!(!ends_session(&fatal(code)), "{code}");
        }
        let pooler = ServerMessage { file: None, line: None, routine: None, ..fatal("57P01") };
        assert!(!ends_session(&pooler));
        assert!(!ends_session(&ServerMessage { routine: None, ..fatal("57P01") }));
        assert!(!ends_session(&ServerMessage { fatal: false, ..fatal("57P01") }));
        assert!(!ends_session(&ServerMessage { code: None, ..fatal("57P01") }));
    }
}
