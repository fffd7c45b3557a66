//! Callers who wait for a connection, first come, first served.

use tokio::time::Instant;

use super::checkout::Checkout;
use crate::error::{Error, Kind};
use crate::wire::{Query, Response};

/// Called once with what became of a `pool.query()`.
pub type QueryReply = Box<dyn FnOnce(Result<Response, Error>) + Send>;

/// Called once with the connection of a `pool.connect()`.
pub type CheckoutReply = Box<dyn FnOnce(Result<Checkout, Error>) + Send>;

pub(super) enum Wish {
    /// Run this on any connection; `pipelined` when it may share one. `tries` counts connections that ended before it ran.
    Query { query: Query, pipelined: bool, tries: u32, reply: QueryReply },
    /// A connection of one's own.
    Checkout(CheckoutReply),
}

pub(super) struct Waiter {
    pub wish: Wish,
    pub deadline: Option<Instant>,
}

impl Waiter {
    pub fn needs_own_connection(&self) -> bool {
        !matches!(self.wish, Wish::Query { pipelined: true, .. })
    }

    /// It was on a connection that ended before it ran.
    pub fn was_sent(&self) -> bool {
        matches!(self.wish, Wish::Query { tries, .. } if tries > 0)
    }

    /// The statement of a query that may share a connection.
    pub fn text(&self) -> Option<&str> {
        match &self.wish {
            Wish::Query { query, pipelined: true, .. } => Some(&query.text),
            _ => None,
        }
    }

    pub fn fail(self, error: Error) {
        match self.wish {
            Wish::Query { reply, .. } => reply(Err(error)),
            Wish::Checkout(reply) => reply(Err(error)),
        }
    }
}

/// The bound of `connectionTimeoutMillis` has passed for a waiter. Text as in pg-pool.
pub(super) fn timed_out() -> Error {
    Error::new(Kind::Timeout, "timeout exceeded when trying to connect")
        .with_code("CONNECTION_TIMEOUT")
        .with_hint("all connections were busy for connectionTimeoutMillis: raise max, or look for clients that are not released")
}

/// The connection made for a caller was lost before it could be handed over. Text as in node-postgres.
pub(super) fn lost() -> Error {
    Error::new(Kind::Connection, "Connection terminated unexpectedly").with_code("CONNECTION_LOST")
}

/// Text as in pg-pool.
pub(super) fn pool_ended() -> Error {
    Error::new(Kind::Usage, "Cannot use a pool after calling end on the pool").with_code("POOL_ENDED")
}
