//! A server on the loopback address for local tools (psql, DBeaver, drizzle-kit). They speak plain PostgreSQL to it, with a password of
//! their own or none; for each it logs in to the database, with a token that is fetched and renewed as a pool's is, and then passes bytes
//! in both directions unread.

mod client;
mod listener;
mod message;
mod relay;
mod request;
mod scram;
mod sessions;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::error::Error;
use crate::secret::Secret;

pub use listener::Proxy;

/// Clients at the same time. The next one is refused with 53300, as by PostgreSQL.
pub const MAX_CLIENTS: usize = 1_000;

/// How long a client may take from its connection to the end of its authentication; PostgreSQL's `authentication_timeout`.
pub const AUTHENTICATION_BOUND: Duration = Duration::from_secs(60);

/// Where the proxy listens and whom it lets in.
pub struct Settings {
    /// A loopback address; any other is refused.
    pub address: IpAddr,
    /// 0: any free port.
    pub port: u16,
    /// What clients have to know (SCRAM-SHA-256). `None`: whoever reaches the port may log in.
    pub password: Option<Secret>,
}

/// What a client asked for; its own words, so to be shown with care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub user: String,
    pub database: String,
    pub application_name: Option<String>,
}

/// What happens, told on the runtime thread. `client` numbers the proxy's clients from 1.
pub trait Events: Send + Sync {
    /// A client has a session; `process_id` is PostgreSQL's. `login`: how long the login to the database took.
    fn opened(&self, client: u64, peer: SocketAddr, asked: &Asked, process_id: i32, login: Duration);
    /// A client got no session.
    fn refused(&self, client: u64, peer: SocketAddr, asked: &Asked, error: &Error);
    /// A session is over. `sent` and `received` are bytes, from the client's side.
    fn closed(&self, client: u64, lasted: Duration, sent: u64, received: u64);
    /// A cancel request for the session of `client` was passed on, or why it was not; `None`: it names no session.
    fn canceled(&self, client: Option<u64>, error: Option<&Error>);
}
