//! Which statements have turned out to be quick: only behind those may another caller's query wait on the wire.
//!
//! Once written, a query cannot be taken back, so what is put behind a slow one is as late as it. The age of the query at the head shows
//! that too late. The quickest are tiny: more of them are done when fewer connections run them (see `join` in queue.rs). A statement is known
//! by a fingerprint of its text; two that share one cost at most a needless wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::fingerprint::Fingerprint;

const SLOTS: usize = 1024;
/// For how many runs a statement that was tiny once counts as tiny, slower runs counting for more: on a busy machine most say more about the
/// queue for its cores. Also the bits of a slot that hold what is left of it; the others are the statement's.
const CREDIT: u64 = 0xFF;

/// Remembers the statements that were quick when they last had a connection for themselves.
pub(super) struct Pace {
    /// Each holds one statement; new ones make room.
    slots: Box<[AtomicU64]>,
    /// The shortest way to the server and back that was seen, in microseconds.
    link: AtomicU64,
}

/// Stands for a statement that was never looked at.
pub(super) const UNKNOWN: Fingerprint = 0;

/// How long the server was at a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speed {
    Slow,
    /// Another may wait behind it when all connections are busy. It took so many times what is tiny.
    Quick(u64),
    /// Another had better wait behind it than wake an idle session.
    Tiny,
}

/// Runs while a statement has a connection for itself.
pub(super) struct Clock {
    pub statement: Fingerprint,
    pub since: Instant,
    /// Within what time it is quick, and tiny: the way there and back included.
    pub quick: Duration,
    pub tiny: Duration,
}

impl Clock {
    fn speed(&self) -> Speed {
        match self.since.elapsed() {
            took if took < self.tiny => Speed::Tiny,
            took if took < self.quick => Speed::Quick((took.as_nanos() / self.tiny.as_nanos().max(1)) as u64),
            _ => Speed::Slow,
        }
    }
}

impl Pace {
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
        statement != UNKNOWN && self.slot(statement).load(Ordering::Relaxed) & !CREDIT == statement
    }

    pub fn is_tiny(&self, statement: Fingerprint) -> bool {
        let known = self.slot(statement).load(Ordering::Relaxed);
        statement != UNKNOWN && known & !CREDIT == statement && known & CREDIT > 0
    }

    /// The statement is answered.
    pub fn stop(&self, clock: &Clock) {
        self.note(clock.statement, clock.speed());
    }

    pub(super) fn note(&self, statement: Fingerprint, speed: Speed) {
        let slot = self.slot(statement);
        let known = slot.load(Ordering::Relaxed);
        let is_known = known & !CREDIT == statement;
        match speed {
            Speed::Tiny => slot.store(statement | CREDIT, Ordering::Relaxed),
            Speed::Quick(times) if is_known => slot.store(statement | (known & CREDIT).saturating_sub(times), Ordering::Relaxed),
            Speed::Quick(_) => slot.store(statement, Ordering::Relaxed),
            Speed::Slow if is_known => slot.store(UNKNOWN, Ordering::Relaxed),
            // Another statement's slot is none of its business.
            Speed::Slow => {}
        }
    }

    fn slot(&self, statement: Fingerprint) -> &AtomicU64 {
        &self.slots[(statement / (CREDIT + 1)) as usize % SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::fingerprint;

    #[test]
    fn a_statement_is_quick_until_it_is_slow() {
        let pace = Pace::new();
        let (one, other) = (fingerprint("select 1"), fingerprint("select pg_sleep(1)"));
        assert!(!pace.is_quick(one) && !pace.is_quick(UNKNOWN));
        pace.note(one, Speed::Quick(2));
        assert!(pace.is_quick(one) && !pace.is_tiny(one) && !pace.is_quick(other));
        pace.note(one, Speed::Slow);
        assert!(!pace.is_quick(one));
    }

    #[test]
    fn a_statement_is_tiny_until_it_has_not_been_for_a_while() {
        let pace = Pace::new();
        let one = fingerprint("select 1");
        pace.note(one, Speed::Tiny);
        for _ in 0..127 {
            pace.note(one, Speed::Quick(2));
        }
        assert!(pace.is_quick(one) && pace.is_tiny(one));
        pace.note(one, Speed::Quick(2));
        assert!(pace.is_quick(one) && !pace.is_tiny(one));
        pace.note(one, Speed::Tiny);
        pace.note(one, Speed::Slow);
        assert!(!pace.is_quick(one) && !pace.is_tiny(one));
    }
}
