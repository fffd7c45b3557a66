//! Connections that nobody uses: bb8 keeps them, most recently used first.

use std::sync::Arc;

use bb8::PooledConnection;
use futures_util::FutureExt;

use super::checkout::Checkout;
use super::dispatcher::{Inner, Pool, State};
use super::lane::Lane;
use super::manager::Manager;
use crate::wire::ConnectionId;

impl Inner {
    /// An idle connection that is fit for use, if there is one.
    pub(super) fn take_one_idle(&self, state: &mut State) -> Option<PooledConnection<'static, Manager>> {
        let _runtime = self.runtime.enter();
        self.reclaim(state);
        while self.connections.state().idle_connections > 0 {
            // Ready at once: only we take idle connections, under the state's lock.
            let member = self.connections.get_owned().now_or_never()?.ok()?;
            if member.is_spent() {
                continue;
            }
            if member.connection.outstanding() > 0 {
                // Its last holder has left it something to do.
                state.lanes.push(Lane::unknown(member));
                continue;
            }
            return Some(member);
        }
        None
    }

    /// Puts back the connections whose queries are all answered. A caller may have its answer, and call again, a moment before the
    /// connection's own task gets to say so.
    pub(super) fn reclaim(&self, state: &mut State) {
        // One that has ended is left for `closed`, which has to know that its callers were told.
        let is_done = |lane: &Lane| lane.is_done() && !lane.member.connection.is_closed();
        while let Some(position) = state.lanes.iter().position(is_done) {
            let mut lane = state.lanes.swap_remove(position);
            // A failed transaction that nobody holds: `pool.query('BEGIN')` and then an error. pg-pool closes such a connection too.
            let abandoned = lane.member.connection.transaction_status() == b'E';
            if abandoned || (state.ending && state.waiters.is_empty()) {
                lane.member.retire(false);
            }
            self.put(lane.member);
        }
    }

    /// All idle connections, most recently used first, whatever their state. Give them back with [`Self::put_idle`].
    pub(super) fn take_idle(&self) -> Vec<PooledConnection<'static, Manager>> {
        let count = self.connections.state().idle_connections;
        (0..count).map_while(|_| self.connections.get_owned().now_or_never()?.ok()).collect()
    }

    /// Puts back what [`Self::take_idle`] took, in its order.
    pub(super) fn put_idle(&self, mut members: Vec<PooledConnection<'static, Manager>>) {
        // Each goes to the front: the last taken first.
        while let Some(member) = members.pop() {
            drop(member);
        }
    }

    /// Gives a connection back to bb8, which drops it when it is spent. False if it was.
    pub(super) fn put(&self, mut member: PooledConnection<'static, Manager>) -> bool {
        let _runtime = self.runtime.enter();
        member.start_idling();
        let kept = !member.is_spent();
        drop(member);
        self.idle_changed.notify_one();
        kept
    }

    /// Lends the connection that was used last, if one is idle and needs no sign of life first.
    pub(super) fn lend_idle(self: &Arc<Self>) -> Option<Checkout> {
        let mut state = self.state.lock();
        // Those in the queue came first.
        if state.ending || !state.waiters.is_empty() {
            return None;
        }
        let mut member = self.take_one_idle(&mut state)?;
        if member.is_suspect() {
            let _runtime = self.runtime.enter();
            drop(member);
            return None;
        }
        member.count_use();
        state.checked_out += 1;
        Some(Pool::lend(self, member))
    }

    /// A connection has reached the end of its life: lends it if it is idle; otherwise it takes nothing new and ends with what it runs.
    pub(super) fn expire(self: &Arc<Self>, connection: ConnectionId) -> Option<Checkout> {
        let _runtime = self.runtime.enter();
        let mut state = self.state.lock();
        if let Some(lane) = state.lanes.iter_mut().find(|lane| lane.id() == connection) {
            lane.member.retire(false);
            return None;
        }
        let mut members = self.take_idle();
        let found = members.iter().position(|member| member.connection.id() == connection);
        let found = found.map(|position| members.remove(position));
        self.put_idle(members);
        state.checked_out += usize::from(found.is_some());
        found.map(|member| Pool::lend(self, member))
    }
}
