//! The pool: its state, and what its owner can ask of it.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};

use bb8::QueueStrategy;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::checkout::Checkout;
use super::connect::Connector;
use super::connection::{ConnectionGuard, Manager};
use super::latency::StatementLatency;
use super::ledger::{Ledger, Phase};
use super::login::Login;
use super::pending::{CheckoutReply, Job, PendingRequest, QueryReply, Work};
use super::shared::SharedConnection;
use super::{Events, idle};
use crate::config::PoolConfig;
use crate::fingerprint::fingerprint;
use crate::trace::{self, Timer};
use crate::wire::{ConnectionId, Query, SchemaGeneration, Target};

/// A pool. Clones share it. Its methods may be called from any thread.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Inner>);

/// How many connections and callers a pool has at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Open connections and those being made.
    pub total: usize,
    /// Open connections that nobody uses.
    pub idle: usize,
    /// Callers in the queue, also those for whom a connection is being made.
    pub waiting: usize,
}

pub(super) struct Inner {
    pub runtime: Handle,
    pub config: PoolConfig,
    pub connector: Connector,
    pub connections: bb8::Pool<Manager>,
    pub state: Mutex<State>,
    pub latency: StatementLatency,
    pub ledger: Arc<Ledger>,
    pub idle_changed: Arc<Notify>,
}

/// A mutex whose data stay usable after a panic: every critical section leaves them consistent.
pub(super) struct Mutex<T>(StdMutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(StdMutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replies to callers are never called while this is locked: a caller may call in again.
#[derive(Default)]
pub(super) struct State {
    pub shared: Vec<SharedConnection>,
    pub pending: VecDeque<PendingRequest>,
    /// Pending requests that need a connection of their own.
    pub own: usize,
    /// Those of them that are hedged reads.
    pub hedged_reads: usize,
    /// The task that looks for stuck queries is running.
    pub watching: bool,
    /// When more queries were in flight than there may be connections, last.
    pub crowded: Option<Instant>,
    pub ending: bool,
    pub end_replies: Vec<Box<dyn FnOnce() + Send>>,
    /// The task that times pending requests out is running.
    pub timing: bool,
}

impl State {
    /// Puts a request into the queue at `position`.
    pub fn insert_pending(&mut self, position: usize, request: PendingRequest) {
        self.count(&request, 1);
        self.pending.insert(position, request);
    }

    /// Takes a request out of the queue.
    pub fn remove_pending(&mut self, position: usize) -> Option<PendingRequest> {
        let request = self.pending.remove(position)?;
        self.count(&request, -1);
        Some(request)
    }

    /// Takes out those for whom `unwanted` says so, in their order.
    pub fn take_pending(&mut self, unwanted: impl Fn(&PendingRequest) -> bool) -> Vec<PendingRequest> {
        let (taken, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending).into_iter().partition(unwanted);
        self.pending = kept.into();
        taken.iter().for_each(|request| self.count(request, -1));
        taken
    }

    /// Drops the hedged reads that are answered, or no longer behind the statement they were stuck behind.
    pub fn drop_unneeded(&mut self) {
        if self.hedged_reads > 0 {
            let heads: Vec<_> = self.shared.iter().map(|shared| (shared.id(), shared.connection.wire.head())).collect();
            self.take_pending(|request| matches!(&request.work, Work::HedgedRead(hedged) if !hedged.is_needed(&heads)));
        }
    }

    fn count(&mut self, request: &PendingRequest, by: isize) {
        let by = |counts: bool| if counts { by } else { 0 };
        self.own = self.own.wrapping_add_signed(by(request.needs_own_connection()));
        self.hedged_reads = self.hedged_reads.wrapping_add_signed(by(matches!(request.work, Work::HedgedRead(_))));
    }
}

impl Pool {
    /// Makes a pool; no connection is opened before one is needed. `runtime` runs its tasks.
    pub fn new(
        config: PoolConfig,
        target: Arc<Target>,
        login: Login,
        events: Arc<dyn Events>,
        ledger: Arc<Ledger>,
        runtime: Handle,
    ) -> Self {
        let _runtime = runtime.enter();
        let connections = bb8::Pool::builder()
            .max_size(config.max)
            .queue_strategy(QueueStrategy::Lifo)
            // Tests, bounds and retries are ours: see PooledConnection::is_suspect, idle.rs, connect.rs.
            .test_on_check_out(false)
            .retry_connection(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .build_unchecked(Manager);
        let idle_changed = Arc::new(Notify::new());
        let inner = Arc::new(Inner {
            runtime: runtime.clone(),
            config,
            connector: Connector { target, login, events, schema_generation: SchemaGeneration::default(), attempts: AtomicU32::new(0) },
            connections,
            state: Mutex::new(State::default()),
            latency: StatementLatency::new(),
            ledger,
            idle_changed: idle_changed.clone(),
        });
        runtime.spawn(idle::close_idle(Arc::downgrade(&inner), idle_changed));
        Self(inner)
    }

    /// Runs `query` on any connection. With `grow` one more is made, if there is room, even though one may be idle by now: the caller has
    /// decided so by what it knew, as pg-pool would.
    pub fn query(&self, query: Query, grow: bool, reply: QueryReply) {
        let PoolConfig { max_pipeline, pipeline_writes, .. } = self.0.config;
        let pipelined = max_pipeline > 1 && query.can_pipeline(pipeline_writes);
        let writes = pipelined && pipeline_writes && !query.can_pipeline(false);
        let statement = fingerprint(&query.text);
        self.0.enqueue(Work::Query(Job { query, statement, pipelined, writes, tries: 0, reply }), grow);
    }

    /// Gives the caller a connection of its own as soon as there is one. Without a timeout: the caller has one.
    pub fn checkout(&self, reply: CheckoutReply) {
        self.0.enqueue(Work::Checkout(traced(reply)), false);
    }

    /// Makes a connection for this caller and no other; in a full pool, the same as [`checkout`](Self::checkout).
    pub fn open(&self, reply: CheckoutReply) {
        self.0.open_for(reply);
    }

    /// The idle connection that was used last; `None` if there is none, or only some that have to be pinged first.
    pub fn take_idle(&self) -> Option<Checkout> {
        self.0.lend_idle()
    }

    /// Ends a connection's life: lends it if it is idle, otherwise it ends with what it is running. One that is checked out is left to its
    /// holder.
    pub fn expire(&self, connection: ConnectionId) -> Option<Checkout> {
        self.0.expire(connection)
    }

    /// Serves who already waits, closes every connection as it becomes free, then calls `reply`. False if the pool is already ending.
    pub fn end(&self, reply: Box<dyn FnOnce() + Send>) -> bool {
        {
            let mut state = self.0.state.lock();
            if state.ending {
                return false;
            }
            state.ending = true;
            state.end_replies.push(reply);
        }
        self.0.idle_changed.notify_one();
        self.0.finish_if_ended();
        true
    }

    pub fn counts(&self) -> Counts {
        let Inner { ledger, state, .. } = &*self.0;
        Counts { total: ledger.total(), idle: ledger.count(Phase::Idle), waiting: state.lock().pending.len() }
    }

    /// As if all idle connections had been idle for that much longer.
    #[cfg(test)]
    pub(super) fn age_idle(&self, by: std::time::Duration) {
        let mut connections = self.0.take_idle();
        for connection in &mut connections {
            connection.idle_since -= by;
        }
        self.0.put_idle(connections);
    }

    pub(super) fn lend(inner: &Arc<Inner>, connection: ConnectionGuard) -> Checkout {
        connection.enter(Phase::Leased);
        Checkout::new(Self(inner.clone()), connection)
    }

    pub(super) fn take_back(&self, connection: ConnectionGuard) -> bool {
        self.0.take_back(connection)
    }
}

impl Inner {
    /// A checked-out connection comes back. False when it is not kept.
    fn take_back(self: &Arc<Self>, mut connection: ConnectionGuard) -> bool {
        let mut state = self.state.lock();
        if state.ending && state.pending.is_empty() {
            connection.retire(false);
        }
        let kept = self.put(connection);
        self.pump(&mut state);
        drop(state);
        self.finish_if_ended();
        kept
    }

    /// Tells the callers of `end()` when the last connection is gone.
    pub(super) fn finish_if_ended(&self) {
        let replies = {
            let mut state = self.state.lock();
            if !state.ending || !state.pending.is_empty() || !self.ledger.is_empty() {
                return;
            }
            std::mem::take(&mut state.end_replies)
        };
        for reply in replies {
            reply();
        }
    }
}

/// A reply that also reports the end of the checkout, if that is printed.
fn traced(reply: CheckoutReply) -> CheckoutReply {
    let timer = Timer::start();
    if !timer.runs() {
        return reply;
    }
    Box::new(move |outcome| {
        trace::checkout_ended(timer, outcome.as_ref().map(|checkout| checkout.connection().id()));
        reply(outcome);
    })
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
