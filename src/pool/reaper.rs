//! Closes connections that have been idle for too long.
//!
//! bb8's own reaper does not know pg-pool's `min`, and only looks from time to time.

use std::sync::{Arc, Weak};
use std::time::Instant;

use super::dispatcher::Inner;

/// Runs while the pool lives; wakes when the next bound passes or the set of idle connections changes.
pub(super) async fn run(pool: Weak<Inner>, changed: Arc<tokio::sync::Notify>) {
    loop {
        let Some(next) = pool.upgrade().map(|pool| pool.sweep()) else { return };
        match next {
            Some(next) => {
                tokio::select! {
                    () = tokio::time::sleep_until(next.into()) => {}
                    () = changed.notified() => {}
                }
            }
            None => changed.notified().await,
        }
    }
}

impl Inner {
    /// Retires what is past its bounds; returns when the next bound passes.
    pub(super) fn sweep(&self) -> Option<Instant> {
        let _runtime = self.runtime.enter();
        let state = self.state.lock();
        let config = &self.config;
        let mut members = self.take_idle();
        let mut total = self.connections.state().connections;
        let mut next: Option<Instant> = None;
        // The least recently used come last, and go first.
        for member in members.iter_mut().rev() {
            let idle_until = config.idle_timeout.map(|bound| member.idle_since + bound);
            let too_idle = total > config.min && idle_until.is_some_and(|until| until <= Instant::now());
            if state.ending || too_idle || member.is_spent() {
                member.retire(false);
                total = total.saturating_sub(1);
            } else {
                let idle_until = if total > config.min { idle_until } else { None };
                next = [next, idle_until].into_iter().flatten().min();
            }
        }
        self.put_idle(members);
        next
    }
}
