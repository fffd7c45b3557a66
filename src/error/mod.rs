//! Every error of the core: typed once here, crossed to JavaScript once by the bridge.

mod own;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use tokio_postgres::error::SqlState;

pub use own::PASSWORD_ASKED_AGAIN;

/// What kind of thing went wrong; the JavaScript class is chosen by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Options or environment variables are wrong; lists every problem. `ConfigurationError`
    Configuration,
    /// The workspace or PostgreSQL rejected who we are. `AuthenticationError`
    Authentication,
    /// The workspace could not give us a token or a database credential. `CredentialError`
    Credential,
    /// The connection could not be made. `ConnectionError`
    Connection,
    /// The connection has ended, and with it what ran on it. `ConnectionError`
    ConnectionLost,
    /// A bound set by an option has passed. `TimeoutError`
    Timeout,
    /// `connectionTimeoutMillis` have passed in the queue of the pool. `TimeoutError`
    CheckoutTimeout,
    /// PostgreSQL answered with an error. `DatabaseError`, with pg's fields
    Database,
    /// The server's bytes do not follow the protocol. `ProtocolError`
    Protocol,
    /// The query ran, and its result cannot be given to JavaScript. `ResultError`
    Result,
    /// A call that cannot be served as it stands (a closed pool, a bad statement name). `Error`
    Usage,
    /// A function of the caller's has thrown: its error stayed in JavaScript, under a number. That error
    Caller,
    /// A defect in this package. `InternalError`
    Internal,
}

#[cfg(test)]
impl Kind {
    pub const ALL: [Self; 13] = [
        Self::Configuration,
        Self::Authentication,
        Self::Credential,
        Self::Connection,
        Self::ConnectionLost,
        Self::Timeout,
        Self::CheckoutTimeout,
        Self::Database,
        Self::Protocol,
        Self::Result,
        Self::Usage,
        Self::Caller,
        Self::Internal,
    ];
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The option of `createLakebasePool()`, for example `max`.
    pub option: Option<String>,
    /// The environment variable that gave the value or could give it, for example `PGPORT`.
    pub variable: Option<String>,
    /// What was found, already safe to show: secrets are described ("a string of 36 characters"), never quoted.
    pub found: Option<String>,
    /// What would be right.
    pub expected: String,
}

/// The fields of PostgreSQL's ErrorResponse and NoticeResponse.
///
/// Source: PostgreSQL documentation, "Error and Notice Message Fields"; names as in node-postgres.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerMessage {
    pub severity: Option<String>,
    /// SQLSTATE, five characters.
    pub code: Option<String>,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub position: Option<String>,
    pub internal_position: Option<String>,
    pub internal_query: Option<String>,
    #[serde(rename = "where")]
    pub context: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub data_type: Option<String>,
    pub constraint: Option<String>,
    pub file: Option<String>,
    pub line: Option<String>,
    pub routine: Option<String>,
    /// Bytes of the message on the wire, header excluded: pg's `length`.
    pub length: u32,
    /// The non-localized severity (`V` field): decides whether the session is over.
    #[serde(skip)]
    pub fatal: bool,
    /// The transaction's state behind the failed request, as ReadyForQuery said; 0 where none came.
    #[serde(skip)]
    pub transaction_status: u8,
}

fn is_any(code: Option<&str>, states: &[SqlState]) -> bool {
    code.is_some_and(|code| states.iter().any(|state| state.code() == code))
}

impl ServerMessage {
    /// Whether its code is one of these.
    pub fn is_any(&self, states: &[SqlState]) -> bool {
        is_any(self.code.as_deref(), states)
    }

    /// The same, each of its texts changed.
    pub fn map(mut self, change: impl Fn(&str) -> String) -> Self {
        self.message = change(&self.message);
        let others = [
            &mut self.severity,
            &mut self.code,
            &mut self.detail,
            &mut self.hint,
            &mut self.position,
            &mut self.internal_position,
            &mut self.internal_query,
            &mut self.context,
            &mut self.schema,
            &mut self.table,
            &mut self.column,
            &mut self.data_type,
            &mut self.constraint,
            &mut self.file,
            &mut self.line,
            &mut self.routine,
        ];
        others.into_iter().flatten().for_each(|text| *text = change(text));
        self
    }
}

/// What the operating system said about one attempt, with the names that Node.js gives these facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SystemFailure {
    /// `connect`, `read`, `write`, `getaddrinfo`
    pub syscall: &'static str,
    /// `ECONNREFUSED`, …
    pub code: String,
    /// The system's number of the error, where it has one.
    pub errno: Option<i32>,
    /// The address that was tried: of a host, or the path of a socket.
    pub address: Option<String>,
    pub port: Option<u16>,
}

struct Inner {
    kind: Kind,
    message: String,
    code: Option<String>,
    hint: Option<String>,
    http_status: Option<u16>,
    problems: Vec<Problem>,
    server: Option<ServerMessage>,
    system: Vec<SystemFailure>,
    /// Of [`Kind::Caller`]: the number under which JavaScript keeps the error.
    caller: Option<u32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// An error of the core. Cheap to clone: one failed connection attempt may reach many waiting callers.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

impl Error {
    #[cold]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            code: None,
            hint: None,
            http_status: None,
            problems: Vec::new(),
            server: None,
            system: Vec::new(),
            caller: None,
            source: None,
        }))
    }

    /// The error of a function of the caller's, which JavaScript keeps under this number.
    pub fn caller(number: u32) -> Self {
        let mut error = Self::new(Kind::Caller, "a function of the caller's has thrown");
        error.inner_mut().caller = Some(number);
        error
    }

    /// An error whose message and code come from PostgreSQL.
    #[cold]
    pub fn database(server: ServerMessage) -> Self {
        let mut error = Self::new(Kind::Database, server.message.clone());
        let inner = error.inner_mut();
        inner.code.clone_from(&server.code);
        inner.server = Some(server);
        error
    }

    /// One error for all configuration problems.
    pub fn configuration(problems: Vec<Problem>) -> Self {
        let mut message = String::from("the configuration is not usable:");
        for problem in &problems {
            message.push_str("\n  - ");
            message.push_str(&problem.to_string());
        }
        let mut error = Self::new(Kind::Configuration, message);
        let inner = error.inner_mut();
        inner.code = Some("CONFIGURATION_ERROR".into());
        inner.problems = problems;
        error
    }

    // Builders run before the error is shared, so the Arc is unique.
    fn inner_mut(&mut self) -> &mut Inner {
        Arc::get_mut(&mut self.0).expect("an error is only built before it is cloned")
    }

    /// A machine-readable code: an errno name (`ECONNREFUSED`), a SQLSTATE, or one of ours.
    #[cold]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.inner_mut().code = Some(code.into());
        self
    }

    /// A copy with a note behind its hint. What a function of the caller's threw stays as it is.
    pub fn with_note(&self, note: &str) -> Self {
        if self.kind() == Kind::Caller {
            return self.clone();
        }
        let hint = self.hint().map_or_else(|| note.to_owned(), |hint| format!("{hint}; {note}"));
        let copy = Self::new(self.kind(), self.message()).with_hint(hint);
        let mut copy = copy.with_source(self.clone());
        let inner = copy.inner_mut();
        inner.code.clone_from(&self.0.code);
        inner.http_status = self.0.http_status;
        copy
    }

    /// The same error with who it is from in front of its message; not what a function of the caller's threw.
    pub fn prefixed(self, prefix: &str) -> Self {
        if self.kind() == Kind::Caller {
            return self;
        }
        let message = format!("{prefix}: {}", self.0.message);
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self(Arc::new(Inner { message, ..inner })),
            // Shared already: told as it was.
            Err(shared) => Self(shared),
        }
    }

    /// What the reader should do next, as one sentence.
    #[cold]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner_mut().hint = Some(hint.into());
        self
    }

    /// The HTTP status of the workspace's answer.
    #[cold]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.inner_mut().http_status = Some(status);
        self
    }

    #[cold]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner_mut().source = Some(source.into());
        self
    }

    /// The server's own fields, kept when an error of another kind was caused by one.
    #[cold]
    pub fn with_server(mut self, server: ServerMessage) -> Self {
        self.inner_mut().server = Some(server);
        self
    }

    /// The attempts that failed, one per address.
    #[cold]
    pub fn with_system(mut self, system: Vec<SystemFailure>) -> Self {
        self.inner_mut().system = system;
        self
    }

    /// The same error, told of all attempts instead of its own.
    pub fn with_attempts(self, system: Vec<SystemFailure>) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self(Arc::new(Inner { system, ..inner })),
            // Shared already: told as it was.
            Err(shared) => Self(shared),
        }
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Whether its code is one of these SQLSTATEs.
    pub fn is_any(&self, states: &[SqlState]) -> bool {
        is_any(self.code(), states)
    }

    /// Of [`Kind::Caller`]: the number under which JavaScript keeps the error.
    pub fn caller_number(&self) -> Option<u32> {
        self.0.caller
    }

    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    pub fn server(&self) -> Option<&ServerMessage> {
        self.0.server.as_ref()
    }

    pub fn system(&self) -> &[SystemFailure] {
        &self.0.system
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.option, &self.variable) {
            (Some(option), Some(variable)) => write!(f, "{option} ({variable})")?,
            (Some(name), None) | (None, Some(name)) => f.write_str(name)?,
            (None, None) => f.write_str("options")?,
        }
        if let Some(found) = &self.found {
            write!(f, ": found {found}")?;
        }
        write!(f, ": expected {}", self.expected)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("code", &self.0.code)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
