//! Which failures to connect pass by themselves, and how long to wait for that.
//!
//! Sources: PostgreSQL's SQLSTATE classes; texts of the open-source Neon proxy (`proxy/src`), which Lakebase's is built on and which sends
//! its own errors as XX000.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::error::{Error, Kind, PASSWORD_ASKED_AGAIN};

/// On how many connections, one after another, a query is tried that has not run on any of them.
pub const MAX_QUERY_TRIES: u32 = 20;
/// How many connections, one after another, may be lost while they are being prepared, before that is an error.
pub const MAX_PREPARATIONS: u32 = 5;

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Shutting down, not ready yet, connection failures, too many connections.
static NOT_READY: [SqlState; 8] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::CONNECTION_EXCEPTION,
    SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
    SqlState::CONNECTION_DOES_NOT_EXIST,
    SqlState::CONNECTION_FAILURE,
    SqlState::TOO_MANY_CONNECTIONS,
];

/// Texts of errors that no retry mends, whatever their code.
const FINAL: [&str; 6] = [
    "endpoint cannot be found",
    "endpoint is disabled",
    "Check your quotas",
    "is not allowed to connect",
    "Endpoint ID is not specified",
    "VPC endpoint",
];

/// Texts under XX000 that mean "not yet".
const TRANSIENT: [&str; 5] = [
    "Couldn't connect to compute node",
    "Control plane request failed",
    "Failed to acquire permit to connect to the database",
    "Too many connections attempts",
    "Too many connections to this endpoint",
];

/// The server or the network may do better in a moment, and nothing has run.
pub(super) fn is_transient(error: &Error) -> bool {
    if FINAL.iter().any(|text| error.message().contains(text)) {
        return false;
    }
    if error.is_any(&NOT_READY) {
        return true;
    }
    match error.code() {
        Some("ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "EPIPE" | "EHOSTUNREACH" | "ENETUNREACH") => error.kind() == Kind::Connection,
        Some(PASSWORD_ASKED_AGAIN) => true,
        _ => error.is_any(&[SqlState::INTERNAL_ERROR]) && TRANSIENT.iter().any(|text| error.message().contains(text)),
    }
}

/// The server refused the password: a token may have been revoked or have expired on the way.
pub(super) fn is_refused_login(error: &Error) -> bool {
    error.is_any(&[SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION])
        || (error.is_any(&[SqlState::INTERNAL_ERROR]) && error.message().contains("password authentication failed"))
}

/// The wait before try number `tries` + 1: doubling, capped, and random so that the callers of a restarted server do not come back in step.
pub(super) fn backoff(tries: u32) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(1 << tries.min(8)).min(LONGEST_WAIT);
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerMessage;

    fn server(code: &str, message: &str) -> Error {
        Error::database(ServerMessage { code: Some(code.into()), message: message.into(), ..ServerMessage::default() })
    }

    #[test]
    fn a_starting_server_is_worth_waiting_for() {
        assert!(is_transient(&server("57P03", "the database system is starting up")));
        assert!(is_transient(&server("XX000", "Couldn't connect to compute node")));
        assert!(is_transient(&Error::password_asked_again()));
        assert!(is_transient(&Error::new(Kind::Connection, "connect ECONNREFUSED").with_code("ECONNREFUSED")));
    }

    #[test]
    fn what_no_retry_mends_fails_at_once() {
        assert!(!is_transient(&server("XX000", "The requested endpoint cannot be found, or you don't have access")));
        assert!(!is_transient(&server("3D000", "database \"x\" does not exist")));
        assert!(!is_transient(&server("08006", "endpoint is disabled")));
        assert!(!is_transient(&Error::new(Kind::Connection, "getaddrinfo ENOTFOUND x").with_code("ENOTFOUND")));
        // The workspace's own refusals were already retried by the token source.
        assert!(!is_transient(&Error::new(Kind::Credential, "no answer").with_code("ECONNREFUSED")));
    }

    #[test]
    fn a_refused_login_is_known_by_code_or_text() {
        assert!(is_refused_login(&server("28P01", "password authentication failed for user \"a\"")));
        assert!(is_refused_login(&server("XX000", "password authentication failed for user 'a'")));
        assert!(!is_refused_login(&server("XX000", "Couldn't connect to compute node")));
    }

    #[test]
    fn backoff_grows_and_stays_bounded() {
        for tries in 0..40 {
            let wait = backoff(tries);
            assert!(wait >= FIRST_WAIT / 2 && wait <= LONGEST_WAIT, "{tries}: {wait:?}");
        }
    }
}
