//! New connections on their way into the pool: made for the queue, or for one caller.

use std::sync::Arc;

use bb8::PooledConnection;
use futures_util::FutureExt;

use super::dispatcher::{Inner, Pool, State};
use super::maker::Purpose;
use super::manager::Manager;
use super::member::Member;
use super::waiter::{CheckoutReply, Waiter, Wish, lost};
use crate::error::Error;

impl Inner {
    /// Whether one more connection may be made.
    pub(super) fn has_room(&self, state: &State) -> bool {
        self.connections.state().connections as usize + state.making + state.bound < self.config.max as usize
    }

    /// Begins a connection for whoever is at the front of the queue when it is there.
    pub(super) fn grow(self: &Arc<Self>, state: &mut State) {
        state.making += 1;
        state.begun = state.begun.wrapping_add(1);
        let pool = self.clone();
        self.runtime.spawn(async move {
            let outcome = pool.maker.make(&pool, Purpose::Queue).await;
            pool.made(outcome);
        });
    }

    fn made(self: &Arc<Self>, outcome: Result<Member, Error>) {
        let mut state = self.state.lock();
        state.making -= 1;
        let failed = match outcome {
            Ok(member) => {
                if let Some(member) = self.adopt(member) {
                    self.serve(&mut state, member);
                }
                None
            }
            Err(error) => {
                state.begun = state.begun.wrapping_sub(1);
                Some((self.take_hopeless(&mut state), error))
            }
        };
        self.pump(&mut state);
        drop(state);
        // Outside the lock: what a caller does next is its own business.
        if let Some((waiters, error)) = failed {
            waiters.into_iter().for_each(|waiter| waiter.fail(error.clone()));
        }
        self.finish_if_ended();
    }

    /// The waiters whom a failed attempt to connect concerns.
    fn take_hopeless(&self, state: &mut State) -> Vec<Waiter> {
        // As in pg-pool each attempt is one caller's. An attempt that was retried until its time was up speaks for everybody, unless
        // there is a connection left that may still serve them.
        let everybody = self.config.retry_connect && self.connections.state().connections == 0;
        let count = if everybody { state.waiters.len() } else { state.waiters.len().min(1) };
        (0..count).filter_map(|_| state.remove_waiter(0)).collect()
    }

    /// Makes a connection for one caller, who gets this one and no other; in a full pool, the next one that is free.
    pub(super) fn open_for(self: &Arc<Self>, reply: CheckoutReply) {
        let mut state = self.state.lock();
        if state.ending || !self.has_room(&state) {
            drop(state);
            return self.enqueue(Wish::Checkout(reply), false);
        }
        state.bound += 1;
        drop(state);
        let pool = self.clone();
        self.runtime.spawn(async move {
            let outcome = pool.maker.make(&pool, Purpose::Caller).await;
            pool.made_for(outcome, reply);
        });
    }

    fn made_for(self: &Arc<Self>, outcome: Result<Member, Error>, reply: CheckoutReply) {
        let mut state = self.state.lock();
        state.bound -= 1;
        let outcome = outcome.and_then(|member| self.adopt(member).ok_or_else(lost)).map(|mut member| {
            member.count_use();
            state.checked_out += 1;
            Pool::lend(self, member)
        });
        self.pump(&mut state);
        drop(state);
        reply(outcome);
        self.finish_if_ended();
    }

    /// Hands a new connection to bb8 and takes it out again, so that it counts; `None` if it is already lost.
    fn adopt(&self, member: Member) -> Option<PooledConnection<'static, Manager>> {
        let _runtime = self.runtime.enter();
        self.pace.note_link(member.connection.session().link);
        self.connections.add(member).ok()?;
        // The last one in is the first one out, and nobody else takes any: the caller holds the state's lock.
        self.connections.get_owned().now_or_never()?.ok()
    }

    /// Asks a suspect connection for a sign of life, then serves with it, or drops it and gets another.
    pub(super) fn check(self: &Arc<Self>, state: &mut State, mut member: PooledConnection<'static, Manager>) {
        state.checking += 1;
        let pool = self.clone();
        self.runtime.spawn(async move {
            let alive = member.connection.ping(member.ping_bound()).await;
            {
                let mut state = pool.state.lock();
                state.checking -= 1;
                if alive && !member.is_spent() {
                    member.start_idling();
                    pool.serve(&mut state, member);
                } else {
                    member.retire(true);
                    pool.put(member);
                }
                pool.pump(&mut state);
            }
            pool.finish_if_ended();
        });
    }
}
