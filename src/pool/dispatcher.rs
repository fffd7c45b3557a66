//! Gives every caller a connection: an idle one, a new one, a place on a busy one, or a place in the queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError, Weak};

use bb8::{PooledConnection, QueueStrategy, RunError};
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::checkout::Checkout;
use super::lane::{Lane, with_room};
use super::login::Login;
use super::manager::Manager;
use super::waiter::{CheckoutReply, QueryReply, Waiter, Wish, pool_ended, timed_out};
use super::{Events, reaper};
use crate::config::PoolConfig;
use crate::error::{Error, ServerMessage};
use crate::wire::{ConnectionId, Observer, Outcome, Query, Request, SchemaGeneration, Target};

/// A query that never ran because its connection ended is given to another one this often.
const MAX_TRIES: u32 = 20;

/// A pool. Clones share it. Its methods may be called from any thread.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

/// pg-pool's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Open connections and those being made.
    pub total: u32,
    /// Open connections that nobody uses.
    pub idle: u32,
    /// Callers in the queue, less those for whom a connection is being made.
    pub waiting: u32,
}

pub(super) struct Inner {
    pub runtime: Handle,
    pub config: PoolConfig,
    pub connections: bb8::Pool<Manager>,
    pub state: Mutex<State>,
    /// Errors of failed attempts to connect, each for one of the tasks that wait for a connection.
    failures: Mutex<VecDeque<Error>>,
    failed: Notify,
    idle_changed: Arc<Notify>,
    /// Connections whose task has not ended.
    open: AtomicUsize,
    events: Arc<dyn Events>,
}

/// A mutex whose data stay usable after a panic: every critical section leaves them consistent.
pub(super) struct Mutex<T>(StdMutex<T>);

impl<T> Mutex<T> {
    fn new(value: T) -> Self {
        Self(StdMutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(super) struct State {
    lanes: Vec<Lane>,
    waiters: VecDeque<Waiter>,
    /// Waiters that need a connection of their own.
    own: usize,
    /// Tasks that wait for bb8 to give them a connection; each serves the waiter at the front.
    gets: usize,
    checked_out: usize,
    pub ending: bool,
    end_replies: Vec<Box<dyn FnOnce() + Send>>,
    /// The task that times waiters out is running.
    timing: bool,
}

impl Pool {
    /// Makes a pool; no connection is opened before one is needed. `runtime` runs its tasks.
    pub fn new(config: PoolConfig, target: Arc<Target>, login: Login, events: Arc<dyn Events>, runtime: Handle) -> Self {
        let idle_changed = Arc::new(Notify::new());
        let _runtime = runtime.enter();
        let inner = Arc::new_cyclic(|inner: &Weak<Inner>| {
            let manager = Manager {
                config: config.clone(),
                target,
                pool: inner.clone(),
                login,
                observer: Arc::new(Watch(inner.clone())),
                events: events.clone(),
                schema_generation: SchemaGeneration::default(),
            };
            let connections = bb8::Pool::builder()
                .max_size(config.max)
                .queue_strategy(QueueStrategy::Lifo)
                // Tests, bounds and retries are ours: see Manager::is_valid, reaper.rs, establish.rs.
                .test_on_check_out(false)
                .retry_connection(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .connection_timeout(std::time::Duration::from_secs(86_400))
                .error_sink(Box::new(Failures(inner.clone())))
                .build_unchecked(manager);
            Inner {
                runtime: runtime.clone(),
                config: config.clone(),
                connections,
                state: Mutex::new(State::default()),
                failures: Mutex::new(VecDeque::new()),
                failed: Notify::new(),
                idle_changed: idle_changed.clone(),
                open: AtomicUsize::new(0),
                events,
            }
        });
        runtime.spawn(reaper::run(Arc::downgrade(&inner), idle_changed));
        Self(inner)
    }

    /// Runs `query` on any connection.
    pub fn query(&self, query: Query, reply: QueryReply) {
        let pipelined = self.0.config.max_pipeline > 1 && query.can_pipeline();
        self.0.enqueue(Wish::Query { query, pipelined, tries: 0, reply });
    }

    /// Gives the caller a connection of its own.
    pub fn checkout(&self, reply: CheckoutReply) {
        self.0.enqueue(Wish::Checkout(reply));
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
        self.0.clone().finish_if_ended();
        true
    }

    pub fn counts(&self) -> Counts {
        let state = self.0.state.lock();
        let connections = self.0.connections.state();
        let gets = state.gets.min(state.waiters.len());
        let connecting = (state.gets as u32).min(self.0.config.max.saturating_sub(connections.connections));
        Counts {
            total: connections.connections + connecting,
            idle: connections.idle_connections,
            waiting: (state.waiters.len() - gets) as u32,
        }
    }

    pub(super) fn take_back(&self, member: PooledConnection<'static, Manager>) {
        self.0.clone().take_back(member);
    }
}

impl Inner {
    fn enqueue(self: &Arc<Self>, wish: Wish) {
        let deadline = self.config.connection_timeout.map(|bound| Instant::now() + bound);
        let waiter = Waiter { wish, deadline };
        let mut state = self.state.lock();
        if state.ending {
            drop(state);
            return waiter.fail(pool_ended());
        }
        state.own += usize::from(waiter.needs_own_connection());
        state.waiters.push_back(waiter);
        self.pump(&mut state);
    }

    /// Serves waiters as far as there are connections for them.
    fn pump(self: &Arc<Self>, state: &mut State) {
        let _runtime = self.runtime.enter();
        while !state.waiters.is_empty() {
            if let Some(mut member) = self.take_one_idle() {
                if member.is_first_use() && state.gets > 0 {
                    // The task that waited for this very connection would have another one made.
                    self.failed.notify_one();
                }
                if member.is_suspect() {
                    self.check(state, member);
                } else {
                    self.serve(state, member);
                }
            } else if state.gets < state.waiters.len() && self.in_use(state) < self.config.max as usize {
                state.gets += 1;
                tokio::spawn(self.clone().get());
            } else if !self.overflow(state) {
                break;
            }
        }
        self.time_out_waiters(state);
    }

    fn in_use(&self, state: &State) -> usize {
        state.lanes.len() + state.checked_out + state.gets
    }

    /// An idle connection that is fit for use, if there is one.
    fn take_one_idle(&self) -> Option<PooledConnection<'static, Manager>> {
        while self.connections.state().idle_connections > 0 {
            // Ready at once: only we take idle connections, under the state's lock.
            let member = self.connections.get_owned().now_or_never()?.ok()?;
            if !member.is_spent() {
                return Some(member);
            }
        }
        None
    }

    /// All idle connections, most recently used first, whatever their state.
    pub(super) fn take_idle(&self) -> Vec<PooledConnection<'static, Manager>> {
        let count = self.connections.state().idle_connections;
        (0..count).map_while(|_| self.connections.get_owned().now_or_never()?.ok()).collect()
    }

    /// Waits for a connection, made or given back, and serves the waiter at the front with it.
    async fn get(self: Arc<Self>) {
        let outcome = tokio::select! {
            biased;
            () = self.failed.notified() => Err(RunError::TimedOut),
            member = self.connections.get_owned() => member,
        };
        let mut state = self.state.lock();
        state.gets -= 1;
        match outcome {
            Ok(member) if member.is_spent() => {}
            Ok(mut member) => {
                member.is_first_use();
                self.serve(&mut state, member);
            }
            Err(RunError::User(error)) => self.fail_waiters(&mut state, error),
            Err(RunError::TimedOut) => {
                if let Some(error) = self.failures.lock().pop_front() {
                    self.fail_waiters(&mut state, error);
                }
            }
        }
        self.pump(&mut state);
        drop(state);
        self.finish_if_ended();
    }

    /// Asks a suspect connection for a sign of life, then serves with it, or drops it and gets another.
    fn check(self: &Arc<Self>, state: &mut State, mut member: PooledConnection<'static, Manager>) {
        state.gets += 1;
        let pool = self.clone();
        tokio::spawn(async move {
            let alive = member.connection.ping(member.ping_bound()).await;
            let mut state = pool.state.lock();
            state.gets -= 1;
            if alive {
                member.start_idling();
                pool.serve(&mut state, member);
            } else {
                member.retire(true);
                drop(member);
            }
            pool.pump(&mut state);
        });
    }

    /// Gives `member` to the waiter at the front, or puts it back when nobody waits any more.
    fn serve(self: &Arc<Self>, state: &mut State, mut member: PooledConnection<'static, Manager>) {
        if member.connection.outstanding() > 0 {
            // A new connection that took a query along with its password.
            state.lanes.push(Lane { member, exclusive: false });
            return;
        }
        let Some(waiter) = state.waiters.pop_front() else {
            self.idle_changed.notify_one();
            return;
        };
        state.own -= usize::from(waiter.needs_own_connection());
        member.count_use();
        match waiter.wish {
            Wish::Checkout(reply) => {
                state.checked_out += 1;
                let checkout = Checkout::new(Pool(self.clone()), member);
                // Not from here: a caller that is gone drops the checkout, which takes the lock that is held here.
                tokio::spawn(async move { reply(Ok(checkout)) });
            }
            Wish::Query { query, pipelined, tries, reply } => {
                member.connection.send(self.request(query, pipelined, tries, reply));
                state.lanes.push(Lane { member, exclusive: !pipelined });
            }
        }
    }

    /// Puts the first waiter that may share a connection onto a busy one.
    fn overflow(self: &Arc<Self>, state: &mut State) -> bool {
        // Those for whom a connection is being made need no place on a busy one.
        if state.waiters.len() <= state.gets || state.lanes.is_empty() {
            return false;
        }
        let Some(position) = state.waiters.iter().position(|waiter| !waiter.needs_own_connection()) else { return false };
        let reserved = state.own.saturating_sub(state.gets);
        let limit = self.pipeline_limit(state);
        let Some(lane) = with_room(&mut state.lanes, limit, reserved) else { return false };
        lane.member.count_use();
        if let Some(Waiter { wish: Wish::Query { query, pipelined, tries, reply }, .. }) = state.waiters.remove(position) {
            lane.member.connection.send(self.request(query, pipelined, tries, reply));
        }
        true
    }

    /// While connections are being made, each is left its share.
    fn pipeline_limit(&self, state: &State) -> usize {
        let limit = self.config.max_pipeline;
        if state.gets == 0 {
            return limit;
        }
        let queries = state.waiters.len() + state.lanes.iter().map(Lane::outstanding).sum::<usize>();
        limit.min(queries / (state.lanes.len() + state.gets) + 1)
    }

    /// The query at the front, for a connection whose login is under way. Only one that may share a connection: it is then in nobody's way.
    pub(super) fn take_early(self: Arc<Self>) -> Option<Request> {
        let mut state = self.state.lock();
        if state.waiters.front()?.needs_own_connection() {
            return None;
        }
        match state.waiters.pop_front()?.wish {
            Wish::Query { query, pipelined, tries, reply } => Some(self.request(query, pipelined, tries, reply)),
            Wish::Checkout(_) => None,
        }
    }

    pub(super) fn has_waiters(&self) -> bool {
        !self.state.lock().waiters.is_empty()
    }

    /// A request whose query goes to another connection if its own ends before it ran.
    fn request(self: &Arc<Self>, query: Query, pipelined: bool, tries: u32, reply: QueryReply) -> Request {
        let pool = Arc::downgrade(self);
        let reply = Box::new(move |outcome| match outcome {
            Outcome::Completed(result) => reply(result),
            Outcome::NeverRan { query, cause } => match pool.upgrade() {
                Some(pool) if tries + 1 < MAX_TRIES => pool.requeue(Wish::Query { query, pipelined, tries: tries + 1, reply }),
                _ => reply(Err(cause)),
            },
        });
        Request { query, pipelined, reply }
    }

    /// Puts a query that never ran back to the front. It was accepted before, so an ending pool still serves it.
    fn requeue(self: &Arc<Self>, wish: Wish) {
        let deadline = self.config.connection_timeout.map(|bound| Instant::now() + bound);
        let waiter = Waiter { wish, deadline };
        let mut state = self.state.lock();
        state.own += usize::from(waiter.needs_own_connection());
        state.waiters.push_front(waiter);
        // Served by `closed`, which follows: the connection that ended still counts as in use.
    }

    fn take_back(self: Arc<Self>, mut member: PooledConnection<'static, Manager>) {
        {
            let mut state = self.state.lock();
            state.checked_out -= 1;
            if state.ending && state.waiters.is_empty() {
                member.retire(false);
            }
            self.put(member);
            self.pump(&mut state);
        }
        self.finish_if_ended();
    }

    /// Gives a connection back to bb8, which drops it when it is spent.
    fn put(&self, mut member: PooledConnection<'static, Manager>) {
        let _runtime = self.runtime.enter();
        member.start_idling();
        drop(member);
        self.idle_changed.notify_one();
    }

    /// An attempt to connect has failed.
    fn fail_waiters(&self, state: &mut State, error: Error) {
        // With no connection at all, nothing else can serve the others; each would only wait for the same failure.
        let hopeless = self.connections.state().connections == 0;
        let count = if hopeless { state.waiters.len() } else { state.waiters.len().min(1) };
        for waiter in state.waiters.drain(..count) {
            state.own -= usize::from(waiter.needs_own_connection());
            waiter.fail(error.clone());
        }
    }

    fn time_out_waiters(self: &Arc<Self>, state: &mut State) {
        if state.timing {
            return;
        }
        let Some(deadline) = state.waiters.iter().filter_map(|waiter| waiter.deadline).min() else { return };
        state.timing = true;
        let pool = self.clone();
        tokio::spawn(async move {
            sleep_until(deadline).await;
            let mut state = pool.state.lock();
            state.timing = false;
            let now = Instant::now();
            let (late, waiting): (VecDeque<_>, _) =
                std::mem::take(&mut state.waiters).into_iter().partition(|waiter| waiter.deadline.is_some_and(|deadline| deadline <= now));
            state.waiters = waiting;
            for waiter in late {
                state.own -= usize::from(waiter.needs_own_connection());
                waiter.fail(timed_out());
            }
            pool.time_out_waiters(&mut state);
        });
    }

    /// A connection has finished requests.
    fn progress(self: Arc<Self>, connection: ConnectionId) {
        let mut state = self.state.lock();
        if let Some(position) = state.lanes.iter().position(|lane| lane.id() == connection && lane.outstanding() == 0) {
            let mut lane = state.lanes.swap_remove(position);
            // A failed transaction that nobody holds: `pool.query('BEGIN')` and then an error. pg-pool closes such a connection too.
            let abandoned = lane.member.connection.transaction_status() == b'E';
            if abandoned || (state.ending && state.waiters.is_empty()) {
                lane.member.retire(false);
            }
            self.put(lane.member);
        }
        self.pump(&mut state);
    }

    /// A connection has ended.
    fn closed(self: Arc<Self>, connection: ConnectionId, error: Option<Error>) {
        {
            let mut state = self.state.lock();
            if let Some(position) = state.lanes.iter().position(|lane| lane.id() == connection) {
                let lane = state.lanes.swap_remove(position);
                self.put(lane.member);
            }
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
        // An idle one is dropped from bb8 here.
        self.sweep();
        self.events.removed(connection, error);
        self.pump(&mut self.state.lock());
        self.finish_if_ended();
    }

    /// Tells the callers of `end()` when the last connection is gone.
    fn finish_if_ended(self: Arc<Self>) {
        let replies = {
            let mut state = self.state.lock();
            let busy = state.in_progress() || self.open.load(Ordering::Relaxed) > 0;
            if !state.ending || busy {
                return;
            }
            std::mem::take(&mut state.end_replies)
        };
        for reply in replies {
            reply();
        }
    }
}

impl State {
    fn in_progress(&self) -> bool {
        !self.waiters.is_empty() || !self.lanes.is_empty() || self.gets > 0 || self.checked_out > 0
    }
}

/// The pool's ear on its connections. Weak: a connection must not keep its pool alive.
struct Watch(Weak<Inner>);

impl Observer for Watch {
    fn opened(&self, _: ConnectionId) {
        if let Some(pool) = self.0.upgrade() {
            pool.open.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn progress(&self, connection: ConnectionId) {
        if let Some(pool) = self.0.upgrade() {
            pool.progress(connection);
        }
    }

    fn notice(&self, connection: ConnectionId, notice: ServerMessage) {
        if let Some(pool) = self.0.upgrade() {
            pool.events.notice(connection, notice);
        }
    }

    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        if let Some(pool) = self.0.upgrade() {
            pool.events.notification(connection, process_id, channel, payload);
        }
    }

    fn closed(&self, connection: ConnectionId, error: Option<Error>) {
        if let Some(pool) = self.0.upgrade() {
            pool.closed(connection, error);
        }
    }
}

/// Takes bb8's errors of failed attempts, so that a caller hears them at once instead of waiting for its own bound.
struct Failures(Weak<Inner>);

impl std::fmt::Debug for Failures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Failures")
    }
}

impl bb8::ErrorSink<Error> for Failures {
    fn sink(&self, error: Error) {
        let Some(pool) = self.0.upgrade() else { return };
        // Nobody waits any more: the failure is nobody's.
        if pool.state.lock().gets > 0 {
            pool.failures.lock().push_back(error);
            pool.failed.notify_one();
        }
    }

    fn boxed_clone(&self) -> Box<dyn bb8::ErrorSink<Error>> {
        Box::new(Self(self.0.clone()))
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
