//! The pool: who gets which connection, when, and for how long it lives.
//!
//! bb8 holds the connections, their number and their order. This module does what bb8 cannot: queries share a connection ([`scheduler`],
//! [`shared`]), a failed attempt to connect is told to the caller it was made for ([`growth`]), each connection has limits of its own
//! ([`connection`], [`idle`]), and a connection is made while its password is still being fetched ([`connect`]).

mod checkout;
mod connect;
mod connection;
#[cfg(test)]
mod fake_server;
mod growth;
mod hedged_read;
mod idle;
mod latency;
mod ledger;
mod login;
mod observer;
mod pending;
#[allow(clippy::module_inception, reason = "the file of the type Pool")]
mod pool;
mod retry;
mod scheduler;
mod shared;
#[cfg(test)]
mod tests;

pub use checkout::Checkout;
pub use connect::{Purpose, begin_session, connect};
pub use ledger::{Ledger, Phase};
pub use login::{AskPassword, Login};
pub use pending::{CheckoutReply, QueryReply};
pub use pool::{Counts, Pool};
pub use retry::{MAX_PREPARATIONS, MAX_QUERY_TRIES};

use std::future::Future;
use std::pin::Pin;

use crate::error::{Error, ServerMessage};
use crate::wire::{Connection, ConnectionId};

/// What a pool tells its owner. Called on the runtime thread; must not block.
pub trait Events: Send + Sync {
    /// A connection was made. It goes into service when the future is done, and is closed when that is an error: the time for session
    /// settings of the owner's own, unless its `purpose` is one caller's.
    fn connected(&self, connection: &Connection, purpose: Purpose) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
    /// Whether the owner wants to know of the attempts to connect that are made for the queue.
    fn is_observed(&self) -> bool {
        false
    }
    fn connecting(&self, _attempt: u32) {}
    fn connect_ended(&self, _attempt: u32, _outcome: Result<ConnectionId, &Error>) {}
    /// Whether the owner does anything with a new connection before its first query.
    fn prepares(&self) -> bool;
    /// A connection takes no more queries: one of them has failed. It ends when those that share it are done.
    fn retired(&self, connection: ConnectionId);
    /// A connection has ended and is no longer the pool's; an error when nobody had asked for it and no query of `Pool::query` was told.
    fn removed(&self, connection: ConnectionId, error: Option<Error>);
    /// A connection reported an error that belongs to no query; it takes no more.
    fn error(&self, connection: ConnectionId, error: Error);
    fn notice(&self, connection: ConnectionId, notice: ServerMessage);
    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str);
}
