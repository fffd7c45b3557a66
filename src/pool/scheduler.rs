//! The pipeline scheduler: each pending request gets an idle connection, a new one, a place on a busy one, or stays pending.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::connection::ConnectionGuard;
use super::hedged_read::HedgedRead;
use super::latency::LatencyTimer;
use super::pending::{Job, PendingRequest, QueryReply, Work, pool_ended};
use super::pool::{Inner, Pool, State};
use super::retry::MAX_QUERY_TRIES;
use super::shared::{SharedConnection, with_room};
use crate::error::Error;
use crate::trace::{self, Timer};
use crate::wire::{ConnectionId, Outcome, Request};

/// This many connections answer negligible statements faster than one JavaScript thread can send them.
const ENOUGH_SHARED: usize = 4;
/// How many negligible statements may be on one connection.
const MAX_NEGLIGIBLE: usize = 16;
/// After a burst of queries the next one is expected within this time.
const CROWD_LASTS: Duration = Duration::from_millis(5);

/// Where a query runs.
struct Run {
    connection: ConnectionId,
    /// It has an idle connection for itself.
    alone: Option<LatencyTimer>,
}

impl Inner {
    pub(super) fn enqueue(self: &Arc<Self>, work: Work, grow: bool) {
        let request = self.pending_request(work);
        let mut state = self.state.lock();
        if state.ending {
            drop(state);
            return request.fail(pool_ended());
        }
        let end = state.pending.len();
        state.insert_pending(end, request);
        if grow && self.has_room() {
            self.grow();
        }
        self.pump(&mut state);
    }

    pub(super) fn pending_request(&self, work: Work) -> PendingRequest {
        // A checkout is timed by its caller.
        let bound = self.config.connection_timeout.filter(|_| !matches!(work, Work::Checkout(_)));
        PendingRequest { work, deadline: bound.map(|bound| Instant::now() + bound) }
    }

    /// Serves pending requests as far as there are connections for them.
    pub(super) fn pump(self: &Arc<Self>, state: &mut State) {
        state.drop_unneeded();
        while !state.pending.is_empty() {
            if self.join_busy(state) {
                continue;
            }
            if let Some(connection) = self.take_one_idle(state) {
                if connection.is_suspect() {
                    self.check(connection);
                } else {
                    self.serve(state, connection);
                }
            } else if self.ledger.expected() < state.pending.len() && self.has_room() {
                self.grow();
            } else if !self.overflow(state) {
                break;
            }
        }
        self.time_out_pending(state);
    }

    /// Gives `connection` to the request at the front, or puts it back when none is left.
    pub(super) fn serve(self: &Arc<Self>, state: &mut State, mut connection: ConnectionGuard) {
        if connection.wire.outstanding() > 0 {
            // A new connection that is still running the query sent with its password.
            state.shared.push(SharedConnection::unknown(connection));
            return;
        }
        state.drop_unneeded();
        let Some(request) = state.remove_pending(0) else {
            if state.ending {
                connection.retire(false);
            }
            self.put(connection);
            return;
        };
        connection.count_use();
        match request.work {
            Work::Checkout(reply) => {
                let checkout = Pool::lend(self, connection);
                // In a task: a caller that is gone drops the checkout, which takes the lock that is held here.
                self.runtime.spawn(async move { reply(Ok(checkout)) });
            }
            Work::Query(job) => {
                let shared = SharedConnection::alone(connection, &job, &self.latency);
                let run = Run { connection: shared.id(), alone: Some(shared.timer(&self.latency)) };
                shared.connection.wire.send(self.request(job, run));
                state.shared.push(shared);
            }
            Work::HedgedRead(hedged) => {
                let shared = SharedConnection::held(connection);
                self.run_hedged(shared.connection.wire.clone(), hedged);
                state.shared.push(shared);
            }
        }
    }

    /// Puts the first request that may share a connection onto a busy one.
    fn overflow(self: &Arc<Self>, state: &mut State) -> bool {
        // A request for which a connection is being made needs no place on a busy one.
        if state.pending.len() <= self.ledger.expected() || state.shared.is_empty() {
            return false;
        }
        let shareable = |(position, request): (usize, &PendingRequest)| request.shareable().map(|(_, writes)| (position, writes));
        let Some((position, writes)) = state.pending.iter().enumerate().find_map(shareable) else { return false };
        let waiting = state.own.saturating_sub(self.ledger.expected());
        let limit = self.pipeline_limit(state);
        // With only one connection, a query behind a slow statement is no later than one that waits in the queue.
        let latency = (self.config.max > 1).then_some(&self.latency);
        let Some(shared) = with_room(&mut state.shared, waiting, |shared| shared.has_room(limit, writes, latency)) else { return false };
        if let Some(request) = state.pending.remove(position) {
            self.share(shared, request);
        }
        self.watch_for_stalls(state);
        true
    }

    /// Puts the first request onto a busy connection although others are idle. With more queries in flight than connections they share them
    /// anyway; when they take the server almost no time, waking fewer of its processes gets more of them done.
    fn join_busy(self: &Arc<Self>, state: &mut State) -> bool {
        if state.shared.len() < ENOUGH_SHARED || state.own > 0 || self.has_room() {
            return false;
        }
        let Some((statement, writes)) = state.pending.front().and_then(PendingRequest::shareable) else { return false };
        if !self.latency.is_negligible(statement) {
            return false;
        }
        self.reclaim(state);
        if state.shared.len() < ENOUGH_SHARED {
            return false;
        }
        let in_flight: usize = state.shared.iter().map(SharedConnection::outstanding).sum();
        if in_flight >= self.config.max as usize {
            state.crowded = Some(Instant::now());
        } else if state.crowded.is_none_or(|since| since.elapsed() > CROWD_LASTS) {
            return false;
        }
        let limit = self.config.max_pipeline.min(MAX_NEGLIGIBLE);
        let shared = state
            .shared
            .iter_mut()
            .take(ENOUGH_SHARED)
            .filter(|shared| shared.negligible && shared.has_room(limit, writes, Some(&self.latency)));
        let Some(shared) = shared.min_by_key(|shared| shared.outstanding()) else { return false };
        if let Some(request) = state.pending.pop_front() {
            self.share(shared, request);
        }
        self.watch_for_stalls(state);
        true
    }

    /// Puts `request` onto a busy connection.
    fn share(self: &Arc<Self>, shared: &mut SharedConnection, request: PendingRequest) {
        shared.connection.count_use();
        if let Work::Query(job) = request.work {
            shared.note_last(job.statement, &self.latency);
            let run = Run { connection: shared.id(), alone: None };
            shared.connection.wire.send(self.request(job, run));
        }
    }

    /// How many queries one connection may have. While connections are being made, each of those is left its share.
    fn pipeline_limit(&self, state: &State) -> usize {
        let limit = self.config.max_pipeline;
        if self.ledger.expected() == 0 {
            return limit;
        }
        let queries = state.pending.len() + state.shared.iter().map(SharedConnection::outstanding).sum::<usize>();
        limit.min(queries / (state.shared.len() + self.ledger.expected()) + 1)
    }

    /// The query at the front, to be sent with the password of a login. Only a plain read that may share a connection: it delays no other.
    pub(super) fn take_first_query(self: Arc<Self>) -> Option<Request> {
        let mut state = self.state.lock();
        if !state.pending.front()?.is_plain_read() {
            return None;
        }
        match state.remove_pending(0)?.work {
            // The connection has no number yet.
            Work::Query(job) => {
                let reply = self.after_attempt(job.reply);
                Some(self.request(Job { reply, ..job }, Run { connection: 0, alone: None }))
            }
            Work::Checkout(_) | Work::HedgedRead(_) => None,
        }
    }

    /// Calls back with an error only after the attempt to connect has ended, so that the caller no longer finds it in the counters.
    fn after_attempt(&self, reply: QueryReply) -> QueryReply {
        let runtime = self.runtime.clone();
        Box::new(move |result| {
            if result.is_ok() {
                return reply(result);
            }
            runtime.spawn(async move { reply(result) });
        })
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.state.lock().pending.is_empty()
    }

    /// A request whose query goes to another connection if its own ends before it ran.
    fn request(self: &Arc<Self>, Job { query, statement, pipelined, writes, tries, reply }: Job, run: Run) -> Request {
        let pool = Arc::downgrade(self);
        let timer = Timer::start();
        let reply = Box::new(move |outcome| match outcome {
            Outcome::Completed(result) => {
                trace::query_ended(timer, &result);
                if let Some(pool) = pool.upgrade() {
                    if let Some(alone) = run.alone {
                        pool.latency.stop(&alone);
                    }
                    if result.is_err() && pool.config.close_after_error {
                        // Before the reply, so that the caller finds the counters as pg-pool shows them.
                        pool.close_after_error(run.connection);
                    }
                }
                reply(result);
            }
            // With pg, a query that the server refused fails; one behind it would still be in pg-pool's queue and run.
            Outcome::NeverRan { query, cause, refused } => match pool.upgrade() {
                Some(pool) if tries + 1 < MAX_QUERY_TRIES && (pool.config.retry_connect || !refused) => {
                    pool.requeue(Work::Query(Job { query, statement, pipelined, writes, tries: tries + 1, reply }))
                }
                _ => reply(Err(cause)),
            },
            Outcome::ReadLost { query, cause } => match pool.upgrade() {
                Some(pool) => pool.requeue(Work::HedgedRead(Arc::new(HedgedRead::after_loss(query, cause, reply)))),
                None => reply(Err(cause)),
            },
        });
        Request { query, pipelined, reply }
    }

    /// Puts a query that was sent before those that were never sent. It was accepted before, so an ending pool still serves it.
    pub(super) fn requeue(self: &Arc<Self>, work: Work) {
        let request = self.pending_request(work);
        let mut state = self.state.lock();
        let position = state.pending.iter().take_while(|request| request.was_sent()).count();
        state.insert_pending(position, request);
        // The connection may have ended before this call: no event of it would serve the queue.
        self.pump(&mut state);
    }

    fn time_out_pending(self: &Arc<Self>, state: &mut State) {
        if state.timing {
            return;
        }
        let Some(deadline) = state.pending.iter().filter_map(|request| request.deadline).min() else { return };
        state.timing = true;
        let pool = Arc::downgrade(self);
        self.runtime.spawn(async move {
            sleep_until(deadline).await;
            let Some(pool) = pool.upgrade() else { return };
            let late = pool.take_late();
            late.into_iter().for_each(|request| request.fail(Error::checkout_timeout()));
            pool.finish_if_ended();
        });
    }

    /// Takes the requests whose time is up, and starts the timer for the others.
    fn take_late(self: &Arc<Self>) -> Vec<PendingRequest> {
        let mut state = self.state.lock();
        state.timing = false;
        let now = Instant::now();
        let late = state.take_pending(|request| request.deadline.is_some_and(|deadline| deadline <= now));
        // A request that waited for a connection of its own may have kept others from sharing one.
        self.pump(&mut state);
        late
    }
}
