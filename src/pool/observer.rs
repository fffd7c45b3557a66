//! What the pool does when a connection reports something.

use std::sync::{Arc, Weak};

use super::ledger::Entry;
use super::pool::{Inner, Mutex};
use crate::error::{Error, ServerMessage};
use crate::trace;
use crate::wire::{ConnectionId, Observer};

/// The observer of one connection.
pub(super) struct PoolObserver {
    /// A connection must not keep its pool alive.
    pool: Weak<Inner>,
    /// There until the connection has ended.
    entry: Mutex<Option<Arc<Entry>>>,
}

impl PoolObserver {
    pub fn new(pool: &Arc<Inner>, entry: Arc<Entry>) -> Self {
        Self { pool: Arc::downgrade(pool), entry: Mutex::new(Some(entry)) }
    }
}

impl Observer for PoolObserver {
    fn progress(&self, _: ConnectionId) {
        if let Some(pool) = self.pool.upgrade() {
            pool.on_progress();
        }
    }

    fn notice(&self, connection: ConnectionId, notice: ServerMessage) {
        if let Some(pool) = self.pool.upgrade() {
            pool.connector.events.notice(connection, notice);
        }
    }

    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        if let Some(pool) = self.pool.upgrade() {
            pool.connector.events.notification(connection, process_id, channel, payload);
        }
    }

    fn error(&self, connection: ConnectionId, error: Error) {
        if let Some(pool) = self.pool.upgrade() {
            pool.close_after_error(connection);
            pool.connector.events.error(connection, error);
        }
    }

    fn closed(&self, connection: ConnectionId, error: Option<Error>) {
        if let Some(pool) = self.pool.upgrade() {
            pool.on_closed(connection, error, self.entry.lock().take());
        }
    }
}

impl Inner {
    /// A connection has finished requests.
    fn on_progress(self: &Arc<Self>) {
        let mut state = self.state.lock();
        self.reclaim(&mut state);
        self.pump(&mut state);
        let is_ending = state.ending;
        drop(state);
        if is_ending {
            self.finish_if_ended();
        }
    }

    /// A query of `pool.query()` has failed on `connection`. pg-pool then closes it; here, after the queries that share it.
    pub(super) fn close_after_error(&self, connection: ConnectionId) {
        {
            let mut state = self.state.lock();
            let Some(shared) = state.shared.iter_mut().find(|shared| shared.id() == connection && !shared.connection.is_spent()) else {
                return;
            };
            shared.connection.retire(false);
        }
        self.connector.events.retired(connection);
    }

    /// A connection has ended.
    fn on_closed(self: &Arc<Self>, connection: ConnectionId, error: Option<Error>, entry: Option<Arc<Entry>>) {
        let mut state = self.state.lock();
        let shared = state.shared.iter().position(|shared| shared.id() == connection).map(|position| state.shared.swap_remove(position));
        // The callers of the queries that were lost with it have been told.
        let error = if shared.is_some() { None } else { error };
        if let Some(shared) = shared {
            self.put(shared.connection);
        }
        drop(state);
        // An idle one is dropped from bb8 here.
        self.sweep();
        trace::connection_closed(connection, error.as_ref());
        self.connector.events.removed(connection, error);
        // After the event: an `end()` that another thread calls meanwhile must report the last connection's end before the pool's.
        drop(entry);
        self.pump(&mut self.state.lock());
        self.finish_if_ended();
    }
}
