//! The pool's ear on its connections.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::dispatcher::Inner;
use crate::error::{Error, ServerMessage};
use crate::wire::{ConnectionId, Observer};

/// Weak: a connection must not keep its pool alive.
pub(super) struct Watch(pub Weak<Inner>);

impl Observer for Watch {
    fn opened(&self, _: ConnectionId) {
        if let Some(pool) = self.0.upgrade() {
            pool.open.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn progress(&self, _: ConnectionId) {
        if let Some(pool) = self.0.upgrade() {
            pool.progress();
        }
    }

    fn notice(&self, connection: ConnectionId, notice: ServerMessage) {
        if let Some(pool) = self.0.upgrade() {
            pool.maker.events.notice(connection, notice);
        }
    }

    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        if let Some(pool) = self.0.upgrade() {
            pool.maker.events.notification(connection, process_id, channel, payload);
        }
    }

    fn error(&self, connection: ConnectionId, error: Error) {
        if let Some(pool) = self.0.upgrade() {
            pool.close_after_error(connection);
            pool.maker.events.error(connection, error);
        }
    }

    fn closed(&self, connection: ConnectionId, error: Option<Error>) {
        if let Some(pool) = self.0.upgrade() {
            pool.closed(connection, error);
        }
    }
}

impl Inner {
    /// A connection has finished requests.
    fn progress(self: &Arc<Self>) {
        let mut state = self.state.lock();
        self.reclaim(&mut state);
        self.pump(&mut state);
        drop(state);
        self.finish_if_ended();
    }

    /// A query of `pool.query()` has failed on `connection`. pg-pool then closes it; here, after the queries that share it.
    pub(super) fn close_after_error(&self, connection: ConnectionId) {
        {
            let mut state = self.state.lock();
            let Some(lane) = state.lanes.iter_mut().find(|lane| lane.id() == connection && !lane.member.is_spent()) else { return };
            lane.member.retire(false);
        }
        self.maker.events.retired(connection);
    }

    /// A connection has ended.
    fn closed(self: &Arc<Self>, connection: ConnectionId, error: Option<Error>) {
        let mut state = self.state.lock();
        let lane = state.lanes.iter().position(|lane| lane.id() == connection).map(|position| state.lanes.swap_remove(position));
        // Callers whose queries it took along have heard of it.
        let error = if lane.is_some() { None } else { error };
        if let Some(lane) = lane {
            self.put(lane.member);
        }
        drop(state);
        // An idle one is dropped from bb8 here.
        self.sweep();
        self.maker.events.removed(connection, error);
        // Not before: who calls end() meanwhile, on another thread, hears of the last connection's end before the pool's.
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.pump(&mut self.state.lock());
        self.finish_if_ended();
    }
}
