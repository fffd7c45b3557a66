//! The pool: who gets which connection, when, and for how long it lives.
//!
//! bb8 holds the connections, their number and their order; what it has no notion of is here: queries that share a connection ([`queue`],
//! [`lane`]), connections made for one caller and errors that reach whoever waits ([`opening`]), bounds per connection ([`member`],
//! [`reaper`]), and making a connection while its password is still being fetched ([`establish`]).

mod checkout;
mod dispatcher;
mod establish;
#[cfg(test)]
mod fake_server;
mod idle;
mod lane;
mod login;
mod maker;
mod manager;
mod member;
mod opening;
mod pace;
mod queue;
mod reaper;
mod retry;
mod second_try;
#[cfg(test)]
mod tests;
mod waiter;
mod watch;

pub use checkout::Checkout;
pub use dispatcher::{Counts, Pool};
pub use establish::{begin_session, establish};
pub use login::{AskPassword, Login};
pub use maker::Purpose;
pub use waiter::{CheckoutReply, QueryReply};

use std::future::Future;
use std::pin::Pin;

use crate::error::{Error, ServerMessage};
use crate::wire::{Connection, ConnectionId};

/// What a pool tells its owner. Called on the runtime thread; must not block.
pub trait Events: Send + Sync {
    /// A connection was made. It goes into service when the future is done, and is closed when that is an error: the time for session
    /// settings of the owner's own, unless its `purpose` is one caller's.
    fn connected(&self, connection: &Connection, purpose: Purpose) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
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
