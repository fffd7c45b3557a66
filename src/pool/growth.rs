//! New connections: made for the queue or for one caller, then handed to bb8.

use std::sync::Arc;

use futures_util::FutureExt;

use super::connect::Purpose;
use super::connection::{ConnectionGuard, PooledConnection};
use super::ledger::{Entry, Phase};
use super::pending::{CheckoutReply, PendingRequest, Work, lost};
use super::pool::{Inner, Pool, State};
use crate::error::Error;

impl Inner {
    /// Whether one more connection may be made.
    pub(super) fn has_room(&self) -> bool {
        self.ledger.occupied() < self.config.max as usize
    }

    /// Starts to make a connection for the request that is at the front of the queue when it is ready.
    pub(super) fn grow(self: &Arc<Self>) {
        let mut entry = Entry::new(&self.ledger, Phase::Opening);
        let pool = self.clone();
        self.runtime.spawn(async move {
            let outcome = pool.connector.prepared(&pool, Purpose::Queue, &mut entry).await;
            pool.on_made(outcome, entry);
        });
    }

    fn on_made(self: &Arc<Self>, outcome: Result<PooledConnection, Error>, entry: Arc<Entry>) {
        let mut state = self.state.lock();
        // Under the lock: the place of a failed attempt is free when its request is taken from the queue.
        drop(entry);
        let failed = match outcome {
            Ok(connection) => {
                if let Some(connection) = self.attach(connection) {
                    self.serve(&mut state, connection);
                }
                None
            }
            Err(error) => Some((self.take_failed(&mut state), error)),
        };
        self.pump(&mut state);
        drop(state);
        // Outside the lock: a caller may call in again.
        if let Some((pending, error)) = failed {
            pending.into_iter().for_each(|request| request.fail(error.clone()));
        }
        self.finish_if_ended();
    }

    /// Takes the requests that fail with a failed attempt to connect.
    fn take_failed(&self, state: &mut State) -> Vec<PendingRequest> {
        // As in pg-pool each attempt is one caller's. An attempt that was retried until its time was up fails everybody, unless there is a
        // connection left that may still serve them.
        let everybody = self.config.retry_connect && self.ledger.serving() == 0;
        let count = if everybody { state.pending.len() } else { state.pending.len().min(1) };
        (0..count).filter_map(|_| state.remove_pending(0)).collect()
    }

    /// Makes a connection for one caller, who gets this one and no other; in a full pool, the next one that is free.
    pub(super) fn open_for(self: &Arc<Self>, reply: CheckoutReply) {
        let state = self.state.lock();
        if state.ending || !self.has_room() {
            drop(state);
            return self.enqueue(Work::Checkout(reply), false);
        }
        let mut entry = Entry::new(&self.ledger, Phase::OpeningForCaller);
        drop(state);
        let pool = self.clone();
        self.runtime.spawn(async move {
            let outcome = pool.connector.prepared(&pool, Purpose::Caller, &mut entry).await;
            pool.on_made_for(outcome, entry, reply);
        });
    }

    fn on_made_for(self: &Arc<Self>, outcome: Result<PooledConnection, Error>, entry: Arc<Entry>, reply: CheckoutReply) {
        let mut state = self.state.lock();
        drop(entry);
        let outcome = outcome.and_then(|connection| self.attach(connection).ok_or_else(lost)).map(|mut connection| {
            connection.count_use();
            Pool::lend(self, connection)
        });
        self.pump(&mut state);
        drop(state);
        reply(outcome);
        self.finish_if_ended();
    }

    /// Hands a new connection to bb8 and takes it out again, so that it counts; `None` if it is already lost.
    fn attach(&self, connection: PooledConnection) -> Option<ConnectionGuard> {
        let _runtime = self.runtime.enter();
        self.latency.note_link(connection.wire.session().link);
        self.connections.add(connection).ok()?;
        // The last one in is the first one out, and nobody else takes any: the caller holds the state's lock.
        self.connections.get_owned().now_or_never()?.ok()
    }

    /// Pings a connection that may be dead, then serves a request with it, or drops it and gets another.
    pub(super) fn check(self: &Arc<Self>, mut connection: ConnectionGuard) {
        connection.enter(Phase::Reserved);
        let pool = self.clone();
        self.runtime.spawn(async move {
            let alive = connection.wire.ping(connection.ping_bound()).await;
            {
                let mut state = pool.state.lock();
                if alive && !connection.is_spent() {
                    connection.start_idling();
                    pool.serve(&mut state, connection);
                } else {
                    connection.retire(true);
                    pool.put(connection);
                }
                pool.pump(&mut state);
            }
            pool.finish_if_ended();
        });
    }
}
