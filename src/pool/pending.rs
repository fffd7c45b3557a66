//! Callers who wait for a connection, first come, first served.

use std::sync::Arc;

use tokio::time::Instant;

use super::checkout::Checkout;
use super::hedged_read::HedgedRead;
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::wire::{Outcome, Query, Response};

/// Called once with what became of a `pool.query()`.
pub type QueryReply = Box<dyn FnOnce(Result<Response, Error>) + Send>;

/// Called once with the connection of a `pool.connect()`.
pub type CheckoutReply = Box<dyn FnOnce(Result<Checkout, Error>) + Send>;

pub(super) enum Work {
    /// Run this on any connection.
    Query(Job),
    /// Run a read that is stuck on one connection on another.
    HedgedRead(Arc<HedgedRead>),
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
    /// It may share one, and is no plain read (`pipelineWrites`).
    pub writes: bool,
    /// Connections that ended before it ran.
    pub tries: u32,
    pub reply: QueryReply,
}

pub(super) struct PendingRequest {
    pub work: Work,
    pub deadline: Option<Instant>,
}

impl PendingRequest {
    pub fn needs_own_connection(&self) -> bool {
        !matches!(self.work, Work::Query(Job { pipelined: true, .. }))
    }

    /// It was on a connection before: one that ended before it ran, or one on which it is stuck.
    pub fn was_sent(&self) -> bool {
        matches!(self.work, Work::Query(Job { tries: 1.., .. }) | Work::HedgedRead(_))
    }

    /// The statement of a query that may share a connection, and whether it is no plain read.
    pub fn shareable(&self) -> Option<(Fingerprint, bool)> {
        match &self.work {
            Work::Query(Job { statement, pipelined: true, writes, .. }) => Some((*statement, *writes)),
            _ => None,
        }
    }

    /// A query that may share a connection, and may be asked twice.
    pub fn is_plain_read(&self) -> bool {
        matches!(&self.work, Work::Query(Job { pipelined: true, writes: false, .. }))
    }

    pub fn fail(self, error: Error) {
        match self.work {
            Work::Query(Job { reply, .. }) => reply(Err(error)),
            Work::HedgedRead(hedged) => hedged.answer(Outcome::Completed(Err(error))),
            Work::Checkout(reply) => reply(Err(error)),
        }
    }
}

/// The connection made for a caller was lost before it could be handed over. Text as in node-postgres.
pub(super) fn lost() -> Error {
    Error::connection_lost()
}

/// Text as in pg-pool.
pub(super) fn pool_ended() -> Error {
    Error::pool_ended()
}
