//! What a session is known by, and what the server says as it begins.

use std::time::Duration;

use crate::error::ServerMessage;

/// Identifies a connection in this process; never used twice.
pub type ConnectionId = u32;

/// What the server said at startup.
#[derive(Clone, Debug, Default)]
pub struct Session {
    pub process_id: i32,
    pub secret_key: i32,
    /// ParameterStatus values: server_version, TimeZone, DateStyle, …
    pub parameters: Vec<(String, String)>,
    /// What the server had to say on the way: a login trigger's notices, for example.
    pub notices: Vec<ServerMessage>,
    /// How long the last round trip of the startup took: the link's latency, roughly.
    pub round_trip: Duration,
    /// How long the way there and back takes without the server's part: the TCP handshake.
    pub link: Duration,
}
