//! One connection of a pool, with the bounds on its life.

use std::time::{Duration, Instant, SystemTime};

use crate::config::PoolConfig;
use crate::wire::Connection;

/// A connection that has lain idle longer is asked for a sign of life before it is used: routers and proxies forget quiet connections.
const LONG_IDLE: Duration = Duration::from_secs(15);
/// The wall clock and the monotonic clock part by more than this only when the machine slept, or was frozen, or somebody set the clock.
const CLOCK_GAP: Duration = Duration::from_secs(1);
/// Shortest and longest wait for the sign of life.
const PING_BOUNDS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

pub struct Member {
    pub(super) connection: Connection,
    /// `maxUses` less the uses so far.
    uses_left: Option<u64>,
    pub(super) idle_since: Instant,
    idle_since_wall: SystemTime,
    retired: bool,
}

impl Member {
    pub(super) fn new(connection: Connection, config: &PoolConfig) -> Self {
        let now = Instant::now();
        let uses_left = config.max_uses;
        Self { connection, uses_left, idle_since: now, idle_since_wall: SystemTime::now(), retired: false }
    }

    pub(super) fn count_use(&mut self) {
        self.uses_left = self.uses_left.map(|left| left.saturating_sub(1));
    }

    pub(super) fn start_idling(&mut self) {
        self.idle_since = Instant::now();
        self.idle_since_wall = SystemTime::now();
    }

    /// Takes it out of service: bb8 drops it when it comes back.
    pub(super) fn retire(&mut self, at_once: bool) {
        self.retired = true;
        self.connection.close(at_once);
    }

    /// No longer fit for another use.
    pub(super) fn is_spent(&self) -> bool {
        self.retired || self.connection.is_closed() || self.uses_left == Some(0)
    }

    /// Whether the peer may have forgotten this connection while it lay idle.
    pub(super) fn is_suspect(&self) -> bool {
        let idle = self.idle_since.elapsed();
        // A wall clock that was set back says nothing about the time in between: treated like a gap.
        let gap = self.idle_since_wall.elapsed().map_or(Duration::MAX, |wall| wall.abs_diff(idle));
        idle >= LONG_IDLE || gap >= CLOCK_GAP
    }

    /// How long to wait for a sign of life: a few round trips of this link.
    pub(super) fn ping_bound(&self) -> Duration {
        (self.connection.session().round_trip * 4).clamp(PING_BOUNDS.0, PING_BOUNDS.1)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.connection.close(false);
    }
}
