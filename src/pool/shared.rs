//! Connections that are running `pool.query()` calls, and which of them may take one more.

use std::time::{Duration, Instant};

use super::connection::ConnectionGuard;
use super::latency::{LatencyTimer, StatementLatency, UNKNOWN};
use super::ledger::Phase;
use super::pending::Job;
use crate::fingerprint::Fingerprint;
use crate::wire::ConnectionId;

/// How long the query at the head may have run, beyond a few round trips, before nothing more is put behind it.
const HEAD_BOUND: Duration = Duration::from_millis(5);
/// How long it may have run, beyond a few round trips, before those behind it run again on another connection. On a busy machine most
/// statements take longer than [`HEAD_BOUND`] now and then.
const STALL_BOUND: Duration = Duration::from_millis(20);
/// What a statement may take beyond the way there and back, and still be called negligible. Most of that is the time to wake the processes.
const NEGLIGIBLE_BOUND: Duration = Duration::from_micros(100);

pub(super) struct SharedConnection {
    pub connection: ConnectionGuard,
    /// It runs something that nothing may be put behind.
    pub exclusive: bool,
    /// The number of the request that was last seen to hold up those behind it, and whether it was seen to twice.
    pub stuck: (u64, bool),
    /// Its user will send more: it is not free when everything is answered.
    pub held: bool,
    /// The statement at its end: those before it are known to be quick.
    pub last: Fingerprint,
    /// All its statements are known to be negligible.
    pub negligible: bool,
}

impl SharedConnection {
    /// For a connection that is running statements of which nothing is known.
    pub fn unknown(connection: ConnectionGuard) -> Self {
        connection.enter(Phase::Shared);
        Self { connection, exclusive: true, stuck: (0, false), held: false, last: UNKNOWN, negligible: false }
    }

    /// For a query with the connection for itself.
    pub fn alone(connection: ConnectionGuard, job: &Job, latency: &StatementLatency) -> Self {
        let exclusive = !job.pipelined || !connection.wire.may_share(job.writes);
        connection.enter(Phase::Shared);
        Self {
            connection,
            exclusive,
            stuck: (0, false),
            held: false,
            last: job.statement,
            negligible: latency.is_negligible(job.statement),
        }
    }

    /// For several queries of one user.
    pub fn held(connection: ConnectionGuard) -> Self {
        Self { held: true, ..Self::unknown(connection) }
    }

    /// It runs nothing, and its user will send nothing more.
    pub fn is_done(&self) -> bool {
        !self.held && self.outstanding() == 0
    }

    pub fn id(&self) -> ConnectionId {
        self.connection.wire.id()
    }

    pub fn outstanding(&self) -> usize {
        self.connection.wire.outstanding()
    }

    /// How long a query may take, including the way there and back, and still be called quick.
    fn quick_bound(&self) -> Duration {
        HEAD_BOUND + self.connection.wire.session().round_trip * 3
    }

    /// How long a query at the head may take before those behind it run again on another connection.
    pub fn stall_bound(&self) -> Duration {
        STALL_BOUND + self.connection.wire.session().round_trip * 3
    }

    pub fn head_age(&self) -> Duration {
        self.connection.wire.head_age()
    }

    /// It runs a query that has the connection for itself, and not for long.
    fn is_soon_free(&self) -> bool {
        self.exclusive && !self.held && self.head_age() < self.quick_bound()
    }

    /// Times the first statement on it, which has the connection for itself.
    pub fn timer(&self, latency: &StatementLatency) -> LatencyTimer {
        LatencyTimer {
            statement: self.last,
            since: Instant::now(),
            quick: self.quick_bound(),
            negligible: NEGLIGIBLE_BOUND + latency.link(),
        }
    }

    /// `statement` is sent behind the others.
    pub fn note_last(&mut self, statement: Fingerprint, latency: &StatementLatency) {
        self.last = statement;
        self.negligible &= latency.is_negligible(self.last);
    }

    pub fn has_room(&self, limit: usize, writes: bool, latency: Option<&StatementLatency>) -> bool {
        let connection = &self.connection.wire;
        // The statement at the end may have opened a transaction (`pool.query('BEGIN')`), which no other caller's query may run in.
        !self.exclusive
            && connection.outstanding() < limit
            && connection.may_share(writes)
            && !self.connection.is_spent()
            && connection.transaction_status() == b'I'
            && self.head_age() < self.quick_bound()
            && latency.is_none_or(|latency| latency.is_quick(self.last))
    }
}

/// The least loaded connection that may take one more query. When `waiting` requests need a connection of their own, the least loaded ones,
/// up to half of all, get nothing new so that they become free; those that will be free soon anyway count.
pub(super) fn with_room(
    shared: &mut [SharedConnection],
    waiting: usize,
    has_room: impl Fn(&SharedConnection) -> bool,
) -> Option<&mut SharedConnection> {
    let mut reserved = waiting.min(shared.len().div_ceil(2));
    if reserved > 0 {
        reserved = reserved.saturating_sub(shared.iter().filter(|shared| shared.is_soon_free()).count());
        shared.sort_by_key(SharedConnection::outstanding);
    }
    shared.iter_mut().filter(|shared| has_room(shared)).skip(reserved).min_by_key(|shared| shared.outstanding())
}
