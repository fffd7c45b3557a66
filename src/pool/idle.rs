//! Idle connections: bb8 keeps them, most recently used first; what is idle for too long is closed.

use std::sync::{Arc, Weak};
use std::time::Instant;

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::checkout::Checkout;
use super::connection::ConnectionGuard;
use super::ledger::Phase;
use super::pool::{Inner, Pool, State};
use super::shared::SharedConnection;
use crate::wire::ConnectionId;

/// Closes connections that have been idle for too long. Runs while the pool lives; wakes when the next bound passes or the set of idle
/// connections changes. bb8's own reaper does not know pg-pool's `min`, and only looks from time to time.
pub(super) async fn close_idle(pool: Weak<Inner>, changed: Arc<Notify>) {
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
    /// An idle connection that is fit for use, if there is one.
    pub(super) fn take_one_idle(&self, state: &mut State) -> Option<ConnectionGuard> {
        let _runtime = self.runtime.enter();
        self.reclaim(state);
        while self.ledger.count(Phase::Idle) > 0 {
            // Ready at once: only we take idle connections, under the state's lock.
            let connection = self.connections.get_owned().now_or_never()?.ok()?;
            if connection.is_spent() {
                continue;
            }
            if connection.wire.outstanding() > 0 {
                // The caller that released it has left a query running.
                state.shared.push(SharedConnection::unknown(connection));
                continue;
            }
            return Some(connection);
        }
        None
    }

    /// Puts back the connections whose queries are all answered. A caller may have its answer, and call again, before the connection's task
    /// reports its progress.
    pub(super) fn reclaim(&self, state: &mut State) {
        // One that has ended is left for `on_closed`, which has to know that its callers were told.
        let is_done = |shared: &SharedConnection| shared.is_done() && !shared.connection.wire.is_closed();
        while let Some(position) = state.shared.iter().position(is_done) {
            let mut shared = state.shared.swap_remove(position);
            // A failed transaction that nobody holds: `pool.query('BEGIN')` and then an error. pg-pool closes such a connection too.
            let abandoned = shared.connection.wire.transaction_status() == b'E';
            if abandoned || (state.ending && state.pending.is_empty()) {
                shared.connection.retire(false);
            }
            self.put(shared.connection);
        }
    }

    /// All idle connections, most recently used first, whatever their state. Give them back with [`Self::put_idle`].
    pub(super) fn take_idle(&self) -> Vec<ConnectionGuard> {
        let count = self.ledger.count(Phase::Idle);
        (0..count).map_while(|_| self.connections.get_owned().now_or_never()?.ok()).collect()
    }

    /// Puts back what [`Self::take_idle`] took, in its order.
    pub(super) fn put_idle(&self, mut connections: Vec<ConnectionGuard>) {
        // Each goes to the front: the last taken first.
        while let Some(connection) = connections.pop() {
            drop(connection);
        }
    }

    /// Gives a connection back to bb8, which drops it when it is spent. False if it was.
    pub(super) fn put(&self, mut connection: ConnectionGuard) -> bool {
        let _runtime = self.runtime.enter();
        connection.start_idling();
        let kept = !connection.is_spent();
        if kept {
            connection.enter(Phase::Idle);
        }
        drop(connection);
        self.idle_changed.notify_one();
        kept
    }

    /// Lends the connection that was used last, if one is idle and need not be pinged first.
    pub(super) fn lend_idle(self: &Arc<Self>) -> Option<Checkout> {
        let mut state = self.state.lock();
        // Those in the queue came first.
        if state.ending || !state.pending.is_empty() {
            return None;
        }
        let mut connection = self.take_one_idle(&mut state)?;
        if connection.is_suspect() {
            let _runtime = self.runtime.enter();
            drop(connection);
            return None;
        }
        connection.count_use();
        Some(Pool::lend(self, connection))
    }

    /// A connection has reached the end of its life: lends it if it is idle; otherwise it takes nothing new and ends with what it runs.
    pub(super) fn expire(self: &Arc<Self>, connection: ConnectionId) -> Option<Checkout> {
        let _runtime = self.runtime.enter();
        let mut state = self.state.lock();
        if let Some(shared) = state.shared.iter_mut().find(|shared| shared.id() == connection) {
            shared.connection.retire(false);
            return None;
        }
        let mut connections = self.take_idle();
        let found = connections.iter().position(|idle| idle.wire.id() == connection);
        let found = found.map(|position| connections.remove(position));
        self.put_idle(connections);
        found.map(|connection| Pool::lend(self, connection))
    }

    /// Retires what is past its bounds; returns when the next bound passes.
    pub(super) fn sweep(&self) -> Option<Instant> {
        let _runtime = self.runtime.enter();
        let state = self.state.lock();
        let config = &self.config;
        let mut connections = self.take_idle();
        let mut total = self.ledger.total();
        let mut next: Option<Instant> = None;
        // The least recently used come last, and go first.
        for connection in connections.iter_mut().rev() {
            let idle_until = config.idle_timeout.map(|bound| connection.idle_since + bound);
            let too_idle = total > config.min as usize && idle_until.is_some_and(|until| until <= Instant::now());
            if state.ending || too_idle || connection.is_spent() {
                connection.retire(false);
                total = total.saturating_sub(1);
            } else {
                let idle_until = if total > config.min as usize { idle_until } else { None };
                next = [next, idle_until].into_iter().flatten().min();
            }
        }
        self.put_idle(connections);
        next
    }
}
