//! Callers who wait for a connection, first come, first served.

use std::sync::Arc;

use tokio::time::Instant;

use super::checkout::Checkout;
use super::second_try::SecondTry;
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::wire::{Outcome, Query, Response};

/// Called once with what became of a `pool.query()`.
pub type QueryReply = Box<dyn FnOnce(Result<Response, Error>) + Send>;

/// Called once with the connection of a `pool.connect()`.
pub type CheckoutReply = Box<dyn FnOnce(Result<Checkout, Error>) + Send>;

pub(super) enum Wish {
    /// Run this on any connection.
    Query(Job),
    /// Run a read that is stuck on one connection on another.
    SecondTry(Arc<SecondTry>),
    /// A connection of one's own.
    Checkout(CheckoutReply),
}

/// A `pool.query()`.
pub(super) struct Job {
    pub query: Query,
    /// The fingerprint of its text.
    pub statement: Fingerprint,
    /// It may share a connection.
    pub pipelined: bool,
    /// Connections that ended before it ran.
    pub tries: u32,
    pub reply: QueryReply,
}

pub(super) struct Waiter {
    pub wish: Wish,
    pub deadline: Option<Instant>,
}

impl Waiter {
    pub fn needs_own_connection(&self) -> bool {
        !matches!(self.wish, Wish::Query(Job { pipelined: true, .. }))
    }

    /// It was on a connection before: one that ended before it ran, or one on which it is stuck.
    pub fn was_sent(&self) -> bool {
        matches!(self.wish, Wish::Query(Job { tries: 1.., .. }) | Wish::SecondTry(_))
    }

    /// The statement of a query that may share a connection.
    pub fn shareable(&self) -> Option<Fingerprint> {
        match &self.wish {
            Wish::Query(Job { statement, pipelined: true, .. }) => Some(*statement),
            _ => None,
        }
    }

    /// A query that may share a connection, and may be asked twice.
    pub fn is_plain_read(&self) -> bool {
        matches!(&self.wish, Wish::Query(Job { query, pipelined: true, .. }) if query.can_pipeline(false))
    }

    pub fn fail(self, error: Error) {
        match self.wish {
            Wish::Query(Job { reply, .. }) => reply(Err(error)),
            Wish::SecondTry(second) => second.answer(Outcome::Completed(Err(error))),
            Wish::Checkout(reply) => reply(Err(error)),
        }
    }
}

/// The bound of `connectionTimeoutMillis` has passed for a waiter. Text as in pg-pool.
pub(super) fn timed_out() -> Error {
    Error::connection_timeout("timeout exceeded when trying to connect")
        .with_hint("all connections were busy for connectionTimeoutMillis: raise max, or look for clients that are not released")
}

/// The connection made for a caller was lost before it could be handed over. Text as in node-postgres.
pub(super) fn lost() -> Error {
    Error::connection_lost()
}

/// Text as in pg-pool.
pub(super) fn pool_ended() -> Error {
    Error::pool_ended()
}
