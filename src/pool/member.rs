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
    /// `maxLifetimeSeconds`, shortened by up to a tenth at random so that a pool's connections do not all end together.
    pub(super) expires: Option<Instant>,
    /// `maxUses` less the uses so far.
    uses_left: Option<u64>,
    pub(super) idle_since: Instant,
    idle_since_wall: SystemTime,
    retired: bool,
    /// Nobody has taken it yet.
    fresh: bool,
}

impl Member {
    pub(super) fn new(connection: Connection, config: &PoolConfig) -> Self {
        let now = Instant::now();
        let expires = config.max_lifetime.map(|lifetime| now + lifetime.mul_f64(1.0 - fastrand::f64() / 10.0));
        let uses_left = config.max_uses;
        Self { connection, expires, uses_left, idle_since: now, idle_since_wall: SystemTime::now(), retired: false, fresh: true }
    }

    /// True the first time it is asked: the connection has just been made.
    pub(super) fn is_first_use(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
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

    pub(super) fn is_expired(&self) -> bool {
        self.uses_left == Some(0) || self.expires.is_some_and(|expires| Instant::now() >= expires)
    }

    /// No longer fit for another use.
    pub(super) fn is_spent(&self) -> bool {
        self.retired || self.connection.is_closed() || self.is_expired()
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
