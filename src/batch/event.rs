//! What crosses to JavaScript besides answers to queries. `ts/events.ts` declares the same as a discriminated union; the contract
//! (`ts/contract.ts`) holds the two together.

use serde::Serialize;
use serde_json::Value;

use crate::error::ServerMessage;
use crate::wire::ConnectionId;

/// Something that happened, or an answer that is no response to a query. `pool` is the number that JavaScript gave a pool, or a client of its own.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event<'a> {
    /// The columns of results to come.
    Shape {
        shape: i32,
        fields: Value,
        kinds: Vec<u8>,
    },
    /// All shapes so far are forgotten.
    ForgetShapes,

    /// A connection is there. `own`: it was made for one caller, who asked for it. `awaited`: Rust waits for `prepared()`.
    Connect {
        pool: u32,
        connection: ConnectionId,
        own: bool,
        awaited: bool,
        process_id: i32,
        secret_key: i32,
        parameters: &'a [(String, String)],
        notices: &'a [ServerMessage],
    },
    /// An attempt to connect begins, where that is observed. `attempt` numbers it.
    Connecting {
        pool: u32,
        attempt: u32,
    },
    /// It has ended: with a connection or with an error.
    ConnectEnded {
        pool: u32,
        attempt: u32,
        connection: Option<ConnectionId>,
        error: Option<Value>,
    },
    /// A connection has ended; without an error because we closed it.
    End {
        pool: u32,
        connection: ConnectionId,
        error: Option<Value>,
    },
    /// The server has reported an error that belongs to no query.
    Error {
        pool: u32,
        connection: ConnectionId,
        error: Value,
    },
    Notice {
        pool: u32,
        connection: ConnectionId,
        notice: &'a ServerMessage,
    },
    Notification {
        pool: u32,
        connection: ConnectionId,
        process_id: i32,
        channel: &'a str,
        payload: &'a str,
    },
    /// The pool gives a connection up: it has been idle, or used, for long enough.
    Retire {
        pool: u32,
        connection: ConnectionId,
    },

    /// The server wants the password that a function of the caller's gives. Answered by `answer()`, as all questions are.
    Password {
        pool: u32,
        question: u32,
    },
    /// Whether these certificates, in base64, belong to the server `name`.
    Identity {
        pool: u32,
        question: u32,
        name: &'a str,
        certificates: Vec<String>,
    },
    /// `authProvider`, by its number.
    AskProvider {
        question: u32,
        function: &'a str,
    },
    /// `oidcToken`, by its number.
    AskIdToken {
        question: u32,
        function: &'a str,
        audience: &'a str,
    },
    /// The environment variable as it is now.
    AskVariable {
        question: u32,
        name: &'a str,
    },
    /// To be shown once.
    Warning {
        message: &'a str,
    },
    /// A credential is being fetched for a pool, where that is observed.
    Fetching {
        pool: u32,
    },
    /// It could not be fetched, where that is observed.
    FetchFailed {
        pool: u32,
        error: Value,
    },
    /// A credential was fetched for a pool. Milliseconds since 1970.
    Fetched {
        pool: u32,
        method: &'static str,
        expires_at: u64,
    },
    /// What the workspace told of where the pool is.
    Located {
        pool: u32,
        host: &'a str,
        user: &'a str,
        database: &'a str,
        schema: Option<String>,
    },

    // A proxy for local tools; `pool` is its number. Of clients: ts/proxy.ts says what each part means.
    Opened {
        pool: u32,
        client: u64,
        peer: String,
        user: &'a str,
        database: &'a str,
        application_name: Option<&'a str>,
        process_id: i32,
        login_millis: f64,
    },
    Refused {
        pool: u32,
        client: u64,
        peer: String,
        user: &'a str,
        database: &'a str,
        application_name: Option<&'a str>,
        error: Value,
    },
    Closed {
        pool: u32,
        client: u64,
        lasted_millis: f64,
        sent: u64,
        received: u64,
    },
    Canceled {
        pool: u32,
        client: Option<u64>,
        error: Option<Value>,
    },

    // Answers to requests.
    /// A proxy listens at this address.
    Listening {
        host: String,
        port: u16,
        database: &'a str,
        user: &'a str,
        server: &'a str,
        verified: bool,
    },
    /// The workspace's answer to a call. The token is secret, and there where it was asked for.
    Workspace {
        body: &'a Value,
        date: Option<u64>,
        method: &'static str,
        expires_at: Option<u64>,
        token: Option<&'a str>,
    },
    /// A connection for the caller.
    Checkout {
        connection: ConnectionId,
    },
    Done,
    /// A credential. Secret.
    Token {
        token: &'a str,
        expires_at: u64,
    },
    /// The name of the identity that asks the workspace for tokens.
    User {
        user: &'a str,
    },
    /// A connection string with its password. Secret.
    Url {
        url: &'a str,
    },
}

#[cfg(test)]
impl Event<'_> {
    /// One of each, for the contract.
    pub fn samples() -> Vec<Event<'static>> {
        let error = || Value::Null;
        static NOTICE: std::sync::LazyLock<ServerMessage> = std::sync::LazyLock::new(ServerMessage::default);
        let samples = vec![
            Event::Shape { shape: 0, fields: Value::Null, kinds: Vec::new() },
            Event::ForgetShapes,
            Event::Connect {
                pool: 0,
                connection: 0,
                own: false,
                awaited: false,
                process_id: 0,
                secret_key: 0,
                parameters: &[],
                notices: &[],
            },
            Event::Connecting { pool: 0, attempt: 0 },
            Event::ConnectEnded { pool: 0, attempt: 0, connection: None, error: None },
            Event::End { pool: 0, connection: 0, error: None },
            Event::Error { pool: 0, connection: 0, error: error() },
            Event::Notice { pool: 0, connection: 0, notice: &NOTICE },
            Event::Notification { pool: 0, connection: 0, process_id: 0, channel: "", payload: "" },
            Event::Retire { pool: 0, connection: 0 },
            Event::Password { pool: 0, question: 0 },
            Event::Identity { pool: 0, question: 0, name: "", certificates: Vec::new() },
            Event::AskProvider { question: 0, function: "" },
            Event::AskIdToken { question: 0, function: "", audience: "" },
            Event::AskVariable { question: 0, name: "" },
            Event::Warning { message: "" },
            Event::Fetching { pool: 0 },
            Event::FetchFailed { pool: 0, error: error() },
            Event::Fetched { pool: 0, method: "", expires_at: 0 },
            Event::Located { pool: 0, host: "", user: "", database: "", schema: None },
            Event::Opened {
                pool: 0,
                client: 0,
                peer: String::new(),
                user: "",
                database: "",
                application_name: None,
                process_id: 0,
                login_millis: 0.0,
            },
            Event::Refused { pool: 0, client: 0, peer: String::new(), user: "", database: "", application_name: None, error: error() },
            Event::Closed { pool: 0, client: 0, lasted_millis: 0.0, sent: 0, received: 0 },
            Event::Canceled { pool: 0, client: None, error: None },
            Event::Listening { host: String::new(), port: 0, database: "", user: "", server: "", verified: false },
            Event::Workspace { body: &Value::Null, date: None, method: "", expires_at: None, token: None },
            Event::Checkout { connection: 0 },
            Event::Done,
            Event::Token { token: "", expires_at: 0 },
            Event::User { user: "" },
            Event::Url { url: "" },
        ];
        // A new variant does not compile before it has an arm here, and a sample above.
        for sample in &samples {
            match sample {
                Event::Shape { .. } | Event::ForgetShapes | Event::Connect { .. } | Event::End { .. } | Event::Error { .. } => {}
                Event::Notice { .. } | Event::Notification { .. } | Event::Retire { .. } | Event::Password { .. } => {}
                Event::Identity { .. } | Event::AskProvider { .. } | Event::AskIdToken { .. } | Event::AskVariable { .. } => {}
                Event::Warning { .. } | Event::Fetched { .. } | Event::Located { .. } | Event::Checkout { .. } | Event::Done => {}
                Event::Connecting { .. } | Event::ConnectEnded { .. } | Event::Fetching { .. } | Event::FetchFailed { .. } => {}
                Event::Opened { .. } | Event::Refused { .. } | Event::Closed { .. } | Event::Canceled { .. } => {}
                Event::Listening { .. } | Event::Workspace { .. } | Event::Token { .. } | Event::Url { .. } | Event::User { .. } => {}
            }
        }
        samples
    }
}
