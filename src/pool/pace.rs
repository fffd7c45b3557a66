//! Which statements have turned out to be quick: only behind those may another caller's query wait on the wire.
//!
//! Once written, a query cannot be taken back, so what is put behind a slow one is as late as it. The age of the query at the head shows
//! that too late. A statement is known by a fingerprint of its text; two that share one cost at most a needless wait.

use std::sync::atomic::{AtomicU64, Ordering};

const SLOTS: usize = 1024;

/// Remembers the statements that were quick when they last had a connection for themselves. Each slot holds one; new ones make room.
pub(super) struct Pace(Box<[AtomicU64]>);

/// Stands for a statement's text; [`UNKNOWN`] for one that was never looked at.
pub(super) type Fingerprint = u64;

pub(super) const UNKNOWN: Fingerprint = 0;

impl Pace {
    pub fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU64::new(UNKNOWN)).collect())
    }

    pub fn is_quick(&self, statement: Fingerprint) -> bool {
        statement != UNKNOWN && self.slot(statement).load(Ordering::Relaxed) == statement
    }

    pub fn note(&self, statement: Fingerprint, quick: bool) {
        let slot = self.slot(statement);
        if quick {
            slot.store(statement, Ordering::Relaxed);
        } else {
            // Another statement's slot is none of its business, and then this changes nothing.
            let _ = slot.compare_exchange(statement, UNKNOWN, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn slot(&self, statement: Fingerprint) -> &AtomicU64 {
        &self.0[statement as usize % SLOTS]
    }
}

/// Eight bytes at a time: this runs for every query, on the caller's thread. Not for keys that an attacker may choose.
pub(super) fn fingerprint(text: &str) -> Fingerprint {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(29);
    let mut chunks = text.as_bytes().chunks_exact(8);
    let hash = chunks.by_ref().fold(text.len() as u64, |hash, chunk| mix(hash, u64::from_le_bytes(chunk.try_into().expect("eight bytes"))));
    let hash = chunks.remainder().iter().fold(hash, |hash, &byte| mix(hash, u64::from(byte)));
    (hash ^ hash >> 32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_quick_until_it_is_slow() {
        let pace = Pace::new();
        let (one, other) = (fingerprint("select 1"), fingerprint("select pg_sleep(1)"));
        assert!(!pace.is_quick(one) && !pace.is_quick(UNKNOWN));
        pace.note(one, true);
        assert!(pace.is_quick(one) && !pace.is_quick(other));
        pace.note(one, false);
        assert!(!pace.is_quick(one));
    }

    #[test]
    fn texts_that_differ_anywhere_have_different_fingerprints() {
        let texts =
            ["", "a", "b", "select 1", "select 2", "select 1 ", "select $1::int as a", "select $1::int as b", "select $2::int as a"];
        for (i, one) in texts.iter().enumerate() {
            for other in &texts[i + 1..] {
                assert_ne!(fingerprint(one), fingerprint(other), "{one:?} {other:?}");
            }
        }
    }
}
