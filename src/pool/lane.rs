//! Connections that are running `pool.query()` calls, and which of them may take one more.

use std::time::{Duration, Instant};

use bb8::PooledConnection;

use super::manager::Manager;
use super::pace::{Clock, Pace, UNKNOWN};
use super::waiter::Job;
use crate::fingerprint::Fingerprint;
use crate::wire::ConnectionId;

/// How long the query at the head may have run, beyond a few round trips, before nothing more is put behind it.
const HEAD_BOUND: Duration = Duration::from_millis(5);
/// How long it may have run, beyond a few round trips, before those behind it are asked again elsewhere. On a busy machine most statements take
/// longer now and then than [`HEAD_BOUND`].
const STALL_BOUND: Duration = Duration::from_millis(20);
/// What a statement may take beyond the way there and back, and still be called tiny. Most of it is what it takes to wake up everybody.
const TINY_BOUND: Duration = Duration::from_micros(100);

pub(super) struct Lane {
    pub member: PooledConnection<'static, Manager>,
    /// It runs something that nothing may be put behind.
    pub exclusive: bool,
    /// The number of the request that was last seen to hold up those behind it, and whether it was seen to twice.
    pub stuck: (u64, bool),
    /// Its user has more to ask: it is not free when all is answered.
    pub held: bool,
    /// The statement at its end: those before it are known to be quick.
    pub last: Fingerprint,
    /// All its statements are known to be tiny.
    pub tiny: bool,
}

impl Lane {
    /// For a connection that comes with something to do, of which nothing is known.
    pub fn unknown(member: PooledConnection<'static, Manager>) -> Self {
        Self { member, exclusive: true, stuck: (0, false), held: false, last: UNKNOWN, tiny: false }
    }

    /// For a query with the connection for itself.
    pub fn alone(member: PooledConnection<'static, Manager>, job: &Job, pace: &Pace) -> Self {
        let exclusive = !job.pipelined || !member.connection.may_share(job.writes);
        Self { member, exclusive, stuck: (0, false), held: false, last: job.statement, tiny: pace.is_tiny(job.statement) }
    }

    /// For several queries of one user.
    pub fn held(member: PooledConnection<'static, Manager>) -> Self {
        Self { held: true, ..Self::unknown(member) }
    }

    /// Nobody uses it any more.
    pub fn is_done(&self) -> bool {
        !self.held && self.outstanding() == 0
    }

    pub fn id(&self) -> ConnectionId {
        self.member.connection.id()
    }

    pub fn outstanding(&self) -> usize {
        self.member.connection.outstanding()
    }

    /// How long a query may take, including the way there and back, and still be called quick.
    fn quick_bound(&self) -> Duration {
        HEAD_BOUND + self.member.connection.session().round_trip * 3
    }

    /// How long a query at the head may take before those behind it are asked again elsewhere.
    pub fn stall_bound(&self) -> Duration {
        STALL_BOUND + self.member.connection.session().round_trip * 3
    }

    pub fn head_age(&self) -> Duration {
        self.member.connection.head_age()
    }

    /// It runs a query that has the connection for itself, and not for long.
    fn is_soon_free(&self) -> bool {
        self.exclusive && !self.held && self.head_age() < self.quick_bound()
    }

    /// Clocks the first statement on it, which has the connection for itself.
    pub fn clock(&self, pace: &Pace) -> Clock {
        Clock { statement: self.last, since: Instant::now(), quick: self.quick_bound(), tiny: TINY_BOUND + pace.link() }
    }

    /// `statement` is sent behind the others.
    pub fn note_last(&mut self, statement: Fingerprint, pace: &Pace) {
        self.last = statement;
        self.tiny &= pace.is_tiny(self.last);
    }

    pub fn has_room(&self, limit: usize, writes: bool, pace: Option<&Pace>) -> bool {
        let connection = &self.member.connection;
        // A lane may be waiting for a statement that left a transaction open (`pool.query('BEGIN')`): not the place for other callers.
        !self.exclusive
            && connection.outstanding() < limit
            && connection.may_share(writes)
            && !self.member.is_spent()
            && connection.transaction_status() == b'I'
            && self.head_age() < self.quick_bound()
            && pace.is_none_or(|pace| pace.is_quick(self.last))
    }
}

/// The least loaded lane that may take one more query. When `waiting` callers need a connection of their own, the least loaded ones are left to
/// drain, up to half of all; those that will be free soon anyway count.
pub(super) fn with_room(lanes: &mut [Lane], waiting: usize, has_room: impl Fn(&Lane) -> bool) -> Option<&mut Lane> {
    let mut reserved = waiting.min(lanes.len().div_ceil(2));
    if reserved > 0 {
        reserved = reserved.saturating_sub(lanes.iter().filter(|lane| lane.is_soon_free()).count());
        lanes.sort_by_key(Lane::outstanding);
    }
    lanes.iter_mut().filter(|lane| has_room(lane)).skip(reserved).min_by_key(|lane| lane.outstanding())
}
