//! The errors of our own: one constructor for each code. Errors with a code of somebody else's (PostgreSQL's SQLSTATE, the system's errno, an
//! HTTP status, a verdict on a certificate) are made where it is read.

use super::{Error, Kind};

/// The code of [`Error::password_asked_again`].
pub const PASSWORD_ASKED_AGAIN: &str = "PASSWORD_ASKED_AGAIN";

impl Error {
    fn coded(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(kind, message).with_code(code)
    }

    // Configuration.

    /// `CONFIGURATION_ERROR`: a setting that is found wrong when it is used. [`Error::configuration`] lists those found before.
    pub fn unusable_setting(message: impl Into<String>) -> Self {
        Self::coded(Kind::Configuration, "CONFIGURATION_ERROR", message)
    }

    // Authenticating with the workspace.

    /// `AUTHENTICATION_FAILED`: no way to authenticate has worked.
    pub fn authentication_failed(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "AUTHENTICATION_FAILED", message)
    }

    /// `PROFILE_UNUSABLE`: the profile in `.databrickscfg` is not what it was.
    pub fn profile_unusable(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "PROFILE_UNUSABLE", message)
    }

    /// `PROGRAM_FAILED`: a program that gives tokens (`az`, `databricks`) is missing or has failed.
    pub fn program_failed(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "PROGRAM_FAILED", message)
    }

    /// `NO_ID_TOKEN`: the identity provider gave no token to exchange.
    pub fn no_id_token(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "NO_ID_TOKEN", message)
    }

    /// `GOOGLE_CREDENTIALS_UNUSABLE`: `googleCredentials` or the application default credentials cannot be used.
    pub fn google_credentials_unusable(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "GOOGLE_CREDENTIALS_UNUSABLE", message)
    }

    /// `NO_TENANT`: the workspace does not tell which directory of Entra it belongs to.
    pub fn no_tenant(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "NO_TENANT", message)
    }

    /// `INVALID_TOKEN`: something that is no token, or that no HTTP header can carry.
    pub fn invalid_token(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "INVALID_TOKEN", message)
    }

    /// The JavaScript thread has ended before its function answered: nobody sees this error, and it has no code.
    pub fn function_not_answered() -> Self {
        Self::new(Kind::Authentication, "the caller's function was not answered")
    }

    // What the workspace answers.

    /// `INVALID_RESPONSE`: an answer that cannot be read.
    pub fn invalid_response(message: impl Into<String>) -> Self {
        Self::coded(Kind::Credential, "INVALID_RESPONSE", message)
    }

    /// `LOOKUP_FAILED`: the workspace does not tell host, database or user.
    pub fn lookup_failed(message: impl Into<String>) -> Self {
        Self::coded(Kind::Credential, "LOOKUP_FAILED", message)
    }

    /// `TOKEN_EXPIRED`: a new credential has already expired by this machine's clock.
    pub fn token_expired(message: impl Into<String>) -> Self {
        Self::coded(Kind::Credential, "TOKEN_EXPIRED", message)
    }

    /// `NOT_READY`: the database instance has not started.
    pub fn not_ready(message: impl Into<String>) -> Self {
        Self::coded(Kind::Connection, "NOT_READY", message)
    }

    /// `ETIMEDOUT`: a call to the workspace was not answered in time.
    pub fn not_answered(message: impl Into<String>) -> Self {
        Self::coded(Kind::Connection, "ETIMEDOUT", message)
    }

    /// `ETIMEDOUT`: no token came in time.
    pub fn timed_out(message: impl Into<String>) -> Self {
        Self::coded(Kind::Timeout, "ETIMEDOUT", message)
    }

    // Connecting to the database.

    /// `CONNECTION_TIMEOUT`: `connectionTimeoutMillis` have passed while connecting.
    pub fn connection_timeout(message: impl Into<String>) -> Self {
        Self::coded(Kind::Timeout, "CONNECTION_TIMEOUT", message)
    }

    /// `CONNECTION_TIMEOUT`: they have passed in the queue of the pool; text as in pg-pool.
    pub fn checkout_timeout() -> Self {
        Self::coded(Kind::CheckoutTimeout, "CONNECTION_TIMEOUT", "timeout exceeded when trying to connect")
            .with_hint("all connections were busy for connectionTimeoutMillis: raise max, or look for clients that are not released")
    }

    /// `TLS_NOT_SUPPORTED`: the server has no TLS.
    pub fn tls_not_supported(message: impl Into<String>) -> Self {
        Self::coded(Kind::Connection, "TLS_NOT_SUPPORTED", message)
    }

    /// `TLS_REFUSED`: the server answers a request for TLS with an error.
    pub fn tls_refused(message: impl Into<String>) -> Self {
        Self::coded(Kind::Connection, "TLS_REFUSED", message)
    }

    /// `AUTHENTICATION_NOT_SUPPORTED`: the server asks for a method that we do not have.
    pub fn authentication_not_supported(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "AUTHENTICATION_NOT_SUPPORTED", message)
    }

    /// `SCRAM_FAILED`: the server has not proved that it knows the password.
    pub fn scram_failed(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "SCRAM_FAILED", message)
    }

    /// `CLEARTEXT_REFUSED`: the server asks for the password in clear text without TLS.
    pub fn cleartext_refused(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "CLEARTEXT_REFUSED", message)
    }

    /// `PASSWORD_MISSING`: the server asks for a password, and there is none.
    pub fn password_missing(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "PASSWORD_MISSING", message)
    }

    /// `PASSWORD_INVALID`: PostgreSQL cannot take the password.
    pub fn password_invalid(message: impl Into<String>) -> Self {
        Self::coded(Kind::Authentication, "PASSWORD_INVALID", message)
    }

    /// `PASSWORD_ASKED_AGAIN`: a login that failed because a query was sent with the password. The next attempt sends none.
    pub fn password_asked_again() -> Self {
        Self::coded(Kind::Protocol, PASSWORD_ASKED_AGAIN, "the server asked for the password a second time")
    }

    // The proxy for local tools.

    /// `PROXY_ADDRESS`: the proxy cannot or must not listen there.
    pub fn proxy_address(message: impl Into<String>) -> Self {
        Self::coded(Kind::Configuration, "PROXY_ADDRESS", message)
    }

    /// `PROXY_PASSWORD`: a password that its clients could not send.
    pub fn proxy_password(message: impl Into<String>) -> Self {
        Self::coded(Kind::Configuration, "PROXY_PASSWORD", message)
    }

    // A connection and what runs on it.

    /// `CONNECTION_LOST`: the connection has ended; text as in node-postgres.
    pub fn connection_lost() -> Self {
        Self::lost("Connection terminated unexpectedly")
    }

    /// `CONNECTION_LOST`: we have closed the connection; text as in node-postgres.
    pub fn connection_terminated() -> Self {
        Self::lost("Connection terminated")
    }

    /// `CONNECTION_LOST`: for a call to a connection that has ended; text as in node-postgres.
    pub fn not_queryable() -> Self {
        Self::lost("Client has encountered a connection error and is not queryable")
    }

    fn lost(message: &str) -> Self {
        Self::coded(Kind::ConnectionLost, "CONNECTION_LOST", message)
    }

    /// `PROTOCOL_VIOLATION`: the server does not follow PostgreSQL's protocol.
    pub fn protocol_violation(message: impl Into<String>) -> Self {
        Self::coded(Kind::Protocol, "PROTOCOL_VIOLATION", message)
    }

    /// `OUT_OF_MEMORY`: there is no memory for a message of the server.
    pub fn out_of_memory_for_message(message: impl Into<String>) -> Self {
        Self::out_of_memory(Kind::Connection, message)
    }

    /// `OUT_OF_MEMORY`: there is no memory for what a query returned.
    pub fn out_of_memory_for_result(message: impl Into<String>) -> Self {
        Self::out_of_memory(Kind::Result, message)
    }

    fn out_of_memory(kind: Kind, message: impl Into<String>) -> Self {
        Self::coded(kind, "OUT_OF_MEMORY", message)
    }

    /// `RESULT_TOO_LARGE`: a value is longer than JavaScript's longest string.
    pub fn result_too_large(message: impl Into<String>) -> Self {
        Self::coded(Kind::Result, "RESULT_TOO_LARGE", message)
    }

    /// `INVALID_QUERY`: PostgreSQL's messages cannot hold this query.
    pub fn invalid_query(message: impl Into<String>) -> Self {
        Self::coded(Kind::Usage, "INVALID_QUERY", message)
    }

    /// `REPLICATION_NOT_SUPPORTED`: the server has begun a replication stream.
    pub fn replication_not_supported(message: impl Into<String>) -> Self {
        Self::coded(Kind::Usage, "REPLICATION_NOT_SUPPORTED", message)
    }

    /// `POOL_ENDED`; text as in pg-pool.
    pub fn pool_ended() -> Self {
        Self::coded(Kind::Usage, "POOL_ENDED", "Cannot use a pool after calling end on the pool")
    }

    /// A call that cannot be served; node-postgres has a text for it and no code.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// `INTERNAL_ERROR`: a defect of this package.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::coded(Kind::Internal, "INTERNAL_ERROR", message)
    }
}
