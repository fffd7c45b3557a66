//! Connections that are running `pool.query()` calls, and which of them may take one more.

use std::time::{Duration, Instant};

use bb8::PooledConnection;

use super::manager::Manager;
use super::pace::{Clock, Pace, UNKNOWN};
use crate::fingerprint::{Fingerprint, fingerprint};
use crate::wire::ConnectionId;

/// How long the query at the head may have run, beyond a few round trips, before nothing more is put behind it.
const HEAD_BOUND: Duration = Duration::from_millis(5);
/// What a statement may take beyond the way there and back, and still be called tiny. Most of it is what it takes to wake up everybody.
const TINY_BOUND: Duration = Duration::from_micros(100);

pub(super) struct Lane {
    pub member: PooledConnection<'static, Manager>,
    /// It runs a query that must not share the connection.
    pub exclusive: bool,
    /// The statement at its end: those before it are known to be quick.
    pub last: Fingerprint,
    /// All its statements are known to be tiny.
    pub tiny: bool,
}

impl Lane {
    /// For a connection that comes with something to do, of which nothing is known.
    pub fn unknown(member: PooledConnection<'static, Manager>) -> Self {
        Self { member, exclusive: false, last: UNKNOWN, tiny: false }
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

    /// Clocks the first statement on it, which has the connection for itself.
    pub fn clock(&self, pace: &Pace) -> Clock {
        Clock { statement: self.last, since: Instant::now(), quick: self.quick_bound(), tiny: TINY_BOUND + pace.link() }
    }

    /// `text` is sent behind the others.
    pub fn note_last(&mut self, text: &str, pace: &Pace) {
        self.last = fingerprint(text);
        self.tiny &= pace.is_tiny(self.last);
    }

    pub fn has_room(&self, limit: usize, pace: Option<&Pace>) -> bool {
        let connection = &self.member.connection;
        // A lane may be waiting for a statement that left a transaction open (`pool.query('BEGIN')`): not the place for other callers.
        !self.exclusive
            && connection.outstanding() < limit
            && !self.member.is_spent()
            && connection.transaction_status() == b'I'
            && connection.head_age() < self.quick_bound()
            && pace.is_none_or(|pace| pace.is_quick(self.last))
    }
}

/// The least loaded lane that may take one more query; the `reserved` least loaded ones are left to drain, for callers who wait for a
/// connection of their own.
pub(super) fn with_room<'a>(lanes: &'a mut [Lane], limit: usize, reserved: usize, pace: Option<&Pace>) -> Option<&'a mut Lane> {
    if reserved > 0 {
        lanes.sort_by_key(Lane::outstanding);
    }
    lanes.iter_mut().skip(reserved).filter(|lane| lane.has_room(limit, pace)).min_by_key(|lane| lane.outstanding())
}
