//! The pool's ledger: the phase of each connection. Every count of connections derives from it.
//!
//! The counts are in memory that JavaScript reads, too, so that it needs no call for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

/// What a connection of the pool is doing; its number is its place among the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Being made for the queue.
    Opening,
    /// Being made for one caller, who is not in the queue.
    OpeningForCaller,
    /// Made for the queue, and being prepared before its first use.
    Preparing,
    Idle,
    /// On its way to the queue: just prepared, or pinged because it was idle for long.
    Reserved,
    /// Checked out by a caller.
    Leased,
    /// Running queries of `Pool::query`.
    Shared,
    /// Takes nothing new, and closes when what it is running is done.
    Retired,
    /// No longer the pool's; its socket is being closed.
    Closing,
}

const PHASES: usize = Phase::Closing as usize + 1;
/// The place behind the phases: connections begun for the queue, ever, less those that failed.
const BEGUN: usize = PHASES;

#[derive(Debug, Default)]
pub struct Ledger {
    counts: [AtomicI32; BEGUN + 1],
}

impl Ledger {
    /// Connections in the phases from `first` to `last`.
    fn sum(&self, first: Phase, last: Phase) -> usize {
        let counts = &self.counts[first as usize..=last as usize];
        counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<i32>().try_into().unwrap_or(0)
    }

    pub fn count(&self, phase: Phase) -> usize {
        self.sum(phase, phase)
    }

    /// Connections as pg-pool counts them: those that are or will be there for use.
    pub fn total(&self) -> usize {
        self.sum(Phase::Opening, Phase::Shared)
    }

    /// Connections that take a place in the pool: `max` limits them.
    pub fn occupied(&self) -> usize {
        self.sum(Phase::Opening, Phase::Retired)
    }

    /// Connections that will be there for the queue in a moment.
    pub fn expected(&self) -> usize {
        self.count(Phase::Opening) + self.count(Phase::Preparing) + self.count(Phase::Reserved)
    }

    /// Connections that are there for use, now or later.
    pub fn serving(&self) -> usize {
        self.sum(Phase::Idle, Phase::Shared)
    }

    /// Connections begun for the queue, ever, less those that failed.
    pub fn begun(&self) -> i32 {
        self.counts[BEGUN].load(Ordering::Relaxed)
    }

    /// No connection is left, not even one that is being closed.
    pub fn is_empty(&self) -> bool {
        self.sum(Phase::Opening, Phase::Closing) == 0
    }

    /// Where the counts are, for as long as the ledger lives: `i32`s to be read only, in the order of [`Phase`], then the connections begun
    /// for the queue, ever, less those that failed.
    pub fn memory(&self) -> (*mut i32, usize) {
        (self.counts[0].as_ptr(), self.counts.len())
    }

    fn add(&self, place: usize, change: i32) {
        self.counts[place].fetch_add(change, Ordering::Relaxed);
    }
}

/// A connection's line in the ledger, from the first attempt to make it until its socket is closed.
#[derive(Debug)]
pub(super) struct Entry {
    ledger: Arc<Ledger>,
    phase: AtomicU8,
}

impl Entry {
    pub fn new(ledger: &Arc<Ledger>, phase: Phase) -> Arc<Self> {
        ledger.add(phase as usize, 1);
        ledger.add(BEGUN, i32::from(phase == Phase::Opening));
        Arc::new(Self { ledger: ledger.clone(), phase: AtomicU8::new(phase as u8) })
    }

    pub fn set(&self, phase: Phase) {
        let before = self.phase.swap(phase as u8, Ordering::Relaxed);
        if before == phase as u8 {
            return;
        }
        self.ledger.add(phase as usize, 1);
        self.ledger.add(before as usize, -1);
        if phase as u8 >= Phase::Retired as u8 {
            self.note_failure(before);
        }
    }

    /// One that was made for the queue ends before it was there.
    fn note_failure(&self, phase: u8) {
        if phase == Phase::Opening as u8 || phase == Phase::Preparing as u8 {
            self.ledger.add(BEGUN, -1);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let phase = *self.phase.get_mut();
        self.ledger.add(phase as usize, -1);
        self.note_failure(phase);
    }
}
