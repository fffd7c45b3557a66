//! One connection of a pool, with the limits on its life; and what bb8, which keeps the idle ones, asks about it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::ledger::{Entry, Phase};
use crate::config::PoolConfig;
use crate::error::Error;
use crate::wire::Connection;

/// A connection that was idle for longer is pinged before it is used: routers and proxies forget quiet connections.
const LONG_IDLE: Duration = Duration::from_secs(15);
/// A larger difference between the wall clock and the monotonic clock means that the machine slept, was frozen, or had its clock set.
const CLOCK_GAP: Duration = Duration::from_secs(1);
/// Shortest and longest wait for the answer to a ping.
const PING_BOUNDS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

pub struct PooledConnection {
    pub(super) wire: Connection,
    entry: Arc<Entry>,
    /// `maxUses` less the uses so far.
    uses_left: Option<u64>,
    pub(super) idle_since: Instant,
    idle_since_wall: SystemTime,
    retired: bool,
}

impl PooledConnection {
    pub(super) fn new(wire: Connection, entry: Arc<Entry>, config: &PoolConfig) -> Self {
        let now = Instant::now();
        let uses_left = config.max_uses;
        Self { wire, entry, uses_left, idle_since: now, idle_since_wall: SystemTime::now(), retired: false }
    }

    pub(super) fn count_use(&mut self) {
        self.uses_left = self.uses_left.map(|left| left.saturating_sub(1));
    }

    pub(super) fn start_idling(&mut self) {
        self.idle_since = Instant::now();
        self.idle_since_wall = SystemTime::now();
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.entry.set(phase);
    }

    /// Takes it out of service: bb8 drops it when it comes back.
    pub(super) fn retire(&mut self, at_once: bool) {
        self.retired = true;
        self.entry.set(Phase::Retired);
        self.wire.close(at_once);
    }

    /// No longer fit for another use.
    pub(super) fn is_spent(&self) -> bool {
        self.retired || self.wire.is_closed() || self.is_used_up()
    }

    /// `maxUses` are used up: it is closed when its last use ends.
    pub(super) fn is_used_up(&self) -> bool {
        self.uses_left == Some(0)
    }

    /// Whether the peer may have forgotten this connection while it was idle.
    pub(super) fn is_suspect(&self) -> bool {
        let idle = self.idle_since.elapsed();
        // A wall clock that was set back counts as such a difference.
        let gap = self.idle_since_wall.elapsed().map_or(Duration::MAX, |wall| wall.abs_diff(idle));
        idle >= LONG_IDLE || gap >= CLOCK_GAP
    }

    /// How long to wait for the answer to a ping: a few round trips of this link.
    pub(super) fn ping_bound(&self) -> Duration {
        (self.wire.session().round_trip * 4).clamp(PING_BOUNDS.0, PING_BOUNDS.1)
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        self.entry.set(Phase::Closing);
        self.wire.close(false);
    }
}

pub struct Manager;

/// A connection that was taken out of bb8, which gets it back when this is dropped.
pub(super) type ConnectionGuard = bb8::PooledConnection<'static, Manager>;

impl bb8::ManageConnection for Manager {
    type Connection = PooledConnection;
    type Error = Error;

    /// Never called: bb8 gives errors of failed attempts to nobody in particular, so [`super::growth`] makes the
    /// connections, tells the caller of each about its failure, and adds them to bb8.
    async fn connect(&self) -> Result<PooledConnection, Error> {
        Err(Error::internal("bb8 was asked for a connection it does not have"))
    }

    /// Never called: the pool itself pings a connection before a checkout when that is necessary.
    async fn is_valid(&self, _: &mut PooledConnection) -> Result<(), Error> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut PooledConnection) -> bool {
        let spent = connection.is_spent();
        if spent {
            connection.retire(false);
        }
        spent
    }
}
