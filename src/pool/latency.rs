//! Which statements have turned out to be quick: only behind those may another caller's query wait on the wire.
//!
//! Once written, a query cannot be taken back, so what is put behind a slow one is as late as it. The age of the query at the head shows
//! that too late. The quickest are negligible: more of them are done when fewer connections run them (see `join_busy` in scheduler.rs). A
//! statement is known by a fingerprint of its text; two that share one cost at most a needless wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::fingerprint::Fingerprint;

const SLOTS: usize = 1024;
/// For how many runs a statement that was negligible once counts as negligible. A slower run counts for more than one: on a busy machine it
/// mostly shows how long the processes waited for a core. These bits of a slot hold the runs that are left, the others the statement.
const REMEMBERED_RUNS: u64 = 0xFF;

/// Remembers the statements that were quick when they last had a connection for themselves.
pub(super) struct StatementLatency {
    /// Each holds one statement; new ones make room.
    slots: Box<[AtomicU64]>,
    /// The shortest way to the server and back that was seen, in microseconds.
    link: AtomicU64,
}

/// Stands for a statement that was never looked at.
pub(super) const UNKNOWN: Fingerprint = 0;

/// How long the server was at a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Latency {
    Slow,
    /// Another may wait behind it when all connections are busy. It took so many times what is negligible.
    Quick(u64),
    /// Another had better wait behind it than wake an idle session.
    Negligible,
}

/// Runs while a statement has a connection for itself.
pub(super) struct LatencyTimer {
    pub statement: Fingerprint,
    pub since: Instant,
    /// Within what time it is quick, and negligible: the way there and back included.
    pub quick: Duration,
    pub negligible: Duration,
}

impl LatencyTimer {
    fn latency(&self) -> Latency {
        match self.since.elapsed() {
            took if took < self.negligible => Latency::Negligible,
            took if took < self.quick => Latency::Quick((took.as_nanos() / self.negligible.as_nanos().max(1)) as u64),
            _ => Latency::Slow,
        }
    }
}

impl StatementLatency {
    pub fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(UNKNOWN)).collect(), link: AtomicU64::new(u64::MAX) }
    }

    /// A connection to the server has taken so long for its first packet, there and back.
    pub fn note_link(&self, round_trip: Duration) {
        self.link.fetch_min(round_trip.as_micros() as u64, Ordering::Relaxed);
    }

    /// The shortest of those.
    pub fn link(&self) -> Duration {
        Duration::from_micros(self.link.load(Ordering::Relaxed))
    }

    pub fn is_quick(&self, statement: Fingerprint) -> bool {
        statement != UNKNOWN && self.slot(statement).load(Ordering::Relaxed) & !REMEMBERED_RUNS == statement
    }

    pub fn is_negligible(&self, statement: Fingerprint) -> bool {
        let known = self.slot(statement).load(Ordering::Relaxed);
        statement != UNKNOWN && known & !REMEMBERED_RUNS == statement && known & REMEMBERED_RUNS > 0
    }

    /// The statement is answered.
    pub fn stop(&self, timer: &LatencyTimer) {
        self.note(timer.statement, timer.latency());
    }

    pub(super) fn note(&self, statement: Fingerprint, latency: Latency) {
        let slot = self.slot(statement);
        let known = slot.load(Ordering::Relaxed);
        let is_known = known & !REMEMBERED_RUNS == statement;
        match latency {
            Latency::Negligible => slot.store(statement | REMEMBERED_RUNS, Ordering::Relaxed),
            Latency::Quick(times) if is_known => slot.store(statement | (known & REMEMBERED_RUNS).saturating_sub(times), Ordering::Relaxed),
            Latency::Quick(_) => slot.store(statement, Ordering::Relaxed),
            Latency::Slow if is_known => slot.store(UNKNOWN, Ordering::Relaxed),
            // Another statement's slot is none of its business.
            Latency::Slow => {}
        }
    }

    fn slot(&self, statement: Fingerprint) -> &AtomicU64 {
        &self.slots[(statement / (REMEMBERED_RUNS + 1)) as usize % SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::fingerprint;

    #[test]
    fn a_statement_is_quick_until_it_is_slow() {
        let latency = StatementLatency::new();
        let (one, other) = (fingerprint("select 1"), fingerprint("select pg_sleep(1)"));
        assert!(!latency.is_quick(one) && !latency.is_quick(UNKNOWN));
        latency.note(one, Latency::Quick(2));
        assert!(latency.is_quick(one) && !latency.is_negligible(one) && !latency.is_quick(other));
        latency.note(one, Latency::Slow);
        assert!(!latency.is_quick(one));
    }

    #[test]
    fn a_statement_is_tiny_until_it_has_not_been_for_a_while() {
        let latency = StatementLatency::new();
        let one = fingerprint("select 1");
        latency.note(one, Latency::Negligible);
        for _ in 0..127 {
            latency.note(one, Latency::Quick(2));
        }
        assert!(latency.is_quick(one) && latency.is_negligible(one));
        latency.note(one, Latency::Quick(2));
        assert!(latency.is_quick(one) && !latency.is_negligible(one));
        latency.note(one, Latency::Negligible);
        latency.note(one, Latency::Slow);
        assert!(!latency.is_quick(one) && !latency.is_negligible(one));
    }
}
