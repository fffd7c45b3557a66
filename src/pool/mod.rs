//! The pool: who gets which connection, when, and for how long it lives.
//!
//! bb8 holds the connections, their number and their order; what it has no notion of is here: queries that share a connection
//! ([`dispatcher`]), errors that reach the caller who waits, bounds per connection ([`member`], [`reaper`]), and making a connection while
//! its password is still being fetched ([`establish`]).

mod checkout;
mod dispatcher;
mod establish;
mod lane;
mod login;
mod manager;
mod member;
mod reaper;
mod retry;
mod waiter;

pub use checkout::Checkout;
pub use dispatcher::{Counts, Pool};
pub use establish::establish;
pub use login::{AskPassword, Login};
pub use waiter::{CheckoutReply, QueryReply};

use std::future::Future;
use std::pin::Pin;

use crate::error::{Error, ServerMessage};
use crate::wire::{Connection, ConnectionId};

/// What a pool tells its owner. Called on the runtime thread; must not block.
pub trait Events: Send + Sync {
    /// A connection was made. It goes into service when the future is done, and is closed when that is an error: the time for session
    /// settings of the owner's own.
    fn connected(&self, connection: &Connection) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
    /// Whether the owner does anything with a new connection before its first query.
    fn prepares(&self) -> bool;
    /// A connection has ended and is no longer the pool's; an error when nobody had asked for it.
    fn removed(&self, connection: ConnectionId, error: Option<Error>);
    fn notice(&self, connection: ConnectionId, notice: ServerMessage);
    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str);
}
