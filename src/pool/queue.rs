//! Serves the queue: every waiter gets an idle connection, a new one, a place on a busy one, or waits on.

use std::sync::Arc;
use std::time::Duration;

use bb8::PooledConnection;
use tokio::time::{Instant, sleep_until};

use super::dispatcher::{Inner, Pool, State};
use super::lane::{Lane, with_room};
use super::manager::Manager;
use super::pace::Clock;
use super::second_try::SecondTry;
use super::waiter::{Job, QueryReply, Waiter, Wish, pool_ended, timed_out};
use crate::wire::{ConnectionId, Outcome, Request};

/// A query that never ran because its connection ended is given to another one this often.
pub(super) const MAX_TRIES: u32 = 20;
/// So many connections answer more statements that are next to nothing to the server than a JavaScript thread can ask for.
const ENOUGH_LANES: usize = 4;
/// So many of those one after another are not much to wait for.
const MAX_TINY: usize = 16;
/// Callers that come in a burst, have their answers, and come again are as many as before.
const CROWD_LASTS: Duration = Duration::from_millis(5);

/// Where a query runs.
struct Run {
    connection: ConnectionId,
    /// It has an idle connection for itself.
    alone: Option<Clock>,
}

impl Inner {
    pub(super) fn enqueue(self: &Arc<Self>, wish: Wish, grow: bool) {
        let waiter = self.waiter(wish);
        let mut state = self.state.lock();
        if state.ending {
            drop(state);
            return waiter.fail(pool_ended());
        }
        let end = state.waiters.len();
        state.insert_waiter(end, waiter);
        if grow && self.has_room(&state) {
            self.grow(&mut state);
        }
        self.pump(&mut state);
    }

    pub(super) fn waiter(&self, wish: Wish) -> Waiter {
        // Whoever checks a connection out has a clock of its own.
        let bound = self.config.connection_timeout.filter(|_| !matches!(wish, Wish::Checkout(_)));
        Waiter { wish, deadline: bound.map(|bound| Instant::now() + bound) }
    }

    /// Serves waiters as far as there are connections for them.
    pub(super) fn pump(self: &Arc<Self>, state: &mut State) {
        state.drop_needless();
        while !state.waiters.is_empty() {
            if self.join(state) {
                continue;
            }
            if let Some(member) = self.take_one_idle(state) {
                if member.is_suspect() {
                    self.check(state, member);
                } else {
                    self.serve(state, member);
                }
            } else if state.expected() < state.waiters.len() && self.has_room(state) {
                self.grow(state);
            } else if !self.overflow(state) {
                break;
            }
        }
        self.time_out_waiters(state);
    }

    /// Gives `member` to the waiter at the front, or puts it back when nobody waits any more.
    pub(super) fn serve(self: &Arc<Self>, state: &mut State, mut member: PooledConnection<'static, Manager>) {
        if member.connection.outstanding() > 0 {
            // A new connection that took a query along with its password.
            state.lanes.push(Lane::unknown(member));
            return;
        }
        state.drop_needless();
        let Some(waiter) = state.remove_waiter(0) else {
            if state.ending {
                member.retire(false);
            }
            self.put(member);
            return;
        };
        member.count_use();
        match waiter.wish {
            Wish::Checkout(reply) => {
                state.checked_out += 1;
                let checkout = Pool::lend(self, member);
                // Not from here: a caller that is gone drops the checkout, which takes the lock that is held here.
                self.runtime.spawn(async move { reply(Ok(checkout)) });
            }
            Wish::Query(job) => {
                let lane = Lane::alone(member, &job, &self.pace);
                let run = Run { connection: lane.id(), alone: Some(lane.clock(&self.pace)) };
                lane.member.connection.send(self.request(job, run));
                state.lanes.push(lane);
            }
            Wish::SecondTry(second) => {
                let lane = Lane::held(member);
                self.run_again(lane.member.connection.clone(), second);
                state.lanes.push(lane);
            }
        }
    }

    /// Puts the first waiter that may share a connection onto a busy one.
    fn overflow(self: &Arc<Self>, state: &mut State) -> bool {
        // Those for whom a connection is being made need no place on a busy one.
        if state.waiters.len() <= state.expected() || state.lanes.is_empty() {
            return false;
        }
        let shareable = |(position, waiter): (usize, &Waiter)| waiter.shareable().map(|(_, writes)| (position, writes));
        let Some((position, writes)) = state.waiters.iter().enumerate().find_map(shareable) else { return false };
        let waiting = state.own.saturating_sub(state.expected());
        let limit = self.pipeline_limit(state);
        // With no other connection to wait for, one behind a slow statement is no later on the wire than in the queue.
        let pace = (self.config.max > 1).then_some(&self.pace);
        let Some(lane) = with_room(&mut state.lanes, waiting, |lane| lane.has_room(limit, writes, pace)) else { return false };
        if let Some(waiter) = state.waiters.remove(position) {
            self.share(lane, waiter);
        }
        self.watch_for_stalls(state);
        true
    }

    /// Puts the first waiter onto a busy connection although others are idle. With more queries in flight than connections they share them
    /// anyway; when they are next to nothing to the server, waking fewer of its processes gets more of them done.
    fn join(self: &Arc<Self>, state: &mut State) -> bool {
        if state.lanes.len() < ENOUGH_LANES || state.own > 0 || self.has_room(state) {
            return false;
        }
        let Some((statement, writes)) = state.waiters.front().and_then(Waiter::shareable) else { return false };
        if !self.pace.is_tiny(statement) {
            return false;
        }
        self.reclaim(state);
        if state.lanes.len() < ENOUGH_LANES {
            return false;
        }
        let in_flight: usize = state.lanes.iter().map(Lane::outstanding).sum();
        if in_flight >= self.config.max as usize {
            state.crowded = Some(Instant::now());
        } else if state.crowded.is_none_or(|since| since.elapsed() > CROWD_LASTS) {
            return false;
        }
        let limit = self.config.max_pipeline.min(MAX_TINY);
        let lanes = state.lanes.iter_mut().take(ENOUGH_LANES).filter(|lane| lane.tiny && lane.has_room(limit, writes, Some(&self.pace)));
        let Some(lane) = lanes.min_by_key(|lane| lane.outstanding()) else { return false };
        if let Some(waiter) = state.waiters.pop_front() {
            self.share(lane, waiter);
        }
        self.watch_for_stalls(state);
        true
    }

    /// Puts `waiter` onto a busy connection.
    fn share(self: &Arc<Self>, lane: &mut Lane, waiter: Waiter) {
        lane.member.count_use();
        if let Wish::Query(job) = waiter.wish {
            lane.note_last(job.statement, &self.pace);
            let run = Run { connection: lane.id(), alone: None };
            lane.member.connection.send(self.request(job, run));
        }
    }

    /// While connections are being made, each is left its share.
    fn pipeline_limit(&self, state: &State) -> usize {
        let limit = self.config.max_pipeline;
        if state.expected() == 0 {
            return limit;
        }
        let queries = state.waiters.len() + state.lanes.iter().map(Lane::outstanding).sum::<usize>();
        limit.min(queries / (state.lanes.len() + state.expected()) + 1)
    }

    /// The query at the front, for a connection whose login is under way. Only a plain read, that may share a connection: it is then in
    /// nobody's way.
    pub(super) fn take_early(self: Arc<Self>) -> Option<Request> {
        let mut state = self.state.lock();
        if !state.waiters.front()?.is_plain_read() {
            return None;
        }
        match state.remove_waiter(0)?.wish {
            // The connection has no number yet.
            Wish::Query(job) => {
                let reply = self.after_attempt(job.reply);
                Some(self.request(Job { reply, ..job }, Run { connection: 0, alone: None }))
            }
            Wish::Checkout(_) | Wish::SecondTry(_) => None,
        }
    }

    /// Tells an error when the attempt it may be due to is over, so that the caller finds the counters without it.
    fn after_attempt(&self, reply: QueryReply) -> QueryReply {
        let runtime = self.runtime.clone();
        Box::new(move |result| {
            if result.is_ok() {
                return reply(result);
            }
            runtime.spawn(async move { reply(result) });
        })
    }

    pub(super) fn has_waiters(&self) -> bool {
        !self.state.lock().waiters.is_empty()
    }

    /// A request whose query goes to another connection if its own ends before it ran.
    fn request(self: &Arc<Self>, Job { query, statement, pipelined, writes, tries, reply }: Job, run: Run) -> Request {
        let pool = Arc::downgrade(self);
        let reply = Box::new(move |outcome| match outcome {
            Outcome::Completed(result) => {
                if let Some(pool) = pool.upgrade() {
                    if let Some(clock) = run.alone {
                        pool.pace.stop(&clock);
                    }
                    if result.is_err() && pool.config.close_after_error {
                        // First, so that the caller finds the counters as pg-pool shows them.
                        pool.close_after_error(run.connection);
                    }
                }
                reply(result);
            }
            // What the server refuses is refused in pg; what was behind it would still be in pg-pool's queue.
            Outcome::NeverRan { query, cause, refused } => match pool.upgrade() {
                Some(pool) if tries + 1 < MAX_TRIES && (pool.config.retry_connect || !refused) => {
                    pool.requeue(Wish::Query(Job { query, statement, pipelined, writes, tries: tries + 1, reply }))
                }
                _ => reply(Err(cause)),
            },
            Outcome::ReadLost { query, cause } => match pool.upgrade() {
                Some(pool) => pool.requeue(Wish::SecondTry(Arc::new(SecondTry::after_loss(query, cause, reply)))),
                None => reply(Err(cause)),
            },
        });
        Request { query, pipelined, reply }
    }

    /// Puts a query that was sent before those that were never sent. It was accepted before, so an ending pool still serves it.
    pub(super) fn requeue(self: &Arc<Self>, wish: Wish) {
        let waiter = self.waiter(wish);
        let mut state = self.state.lock();
        let position = state.waiters.iter().take_while(|waiter| waiter.was_sent()).count();
        state.insert_waiter(position, waiter);
        // Its connection may have said goodbye long ago: nobody else would serve it.
        self.pump(&mut state);
    }

    fn time_out_waiters(self: &Arc<Self>, state: &mut State) {
        if state.timing {
            return;
        }
        let Some(deadline) = state.waiters.iter().filter_map(|waiter| waiter.deadline).min() else { return };
        state.timing = true;
        let pool = Arc::downgrade(self);
        self.runtime.spawn(async move {
            sleep_until(deadline).await;
            let Some(pool) = pool.upgrade() else { return };
            let late = pool.take_late();
            late.into_iter().for_each(|waiter| waiter.fail(timed_out()));
            pool.finish_if_ended();
        });
    }

    /// The waiters whose time is up; whoever is left gets the next clock.
    fn take_late(self: &Arc<Self>) -> Vec<Waiter> {
        let mut state = self.state.lock();
        state.timing = false;
        let now = Instant::now();
        let late = state.take_waiters(|waiter| waiter.deadline.is_some_and(|deadline| deadline <= now));
        // One who waited for a connection of its own may have kept others from sharing it.
        self.pump(&mut state);
        late
    }
}
