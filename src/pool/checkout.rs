//! A connection in a caller's hands.

use bb8::PooledConnection;

use super::dispatcher::Pool;
use super::manager::Manager;
use crate::wire::Connection;

/// Give it back with [`release`](Self::release); one that is dropped instead is closed, since nobody knows what state it is in.
pub struct Checkout {
    pool: Pool,
    member: Option<PooledConnection<'static, Manager>>,
}

impl Checkout {
    pub(super) fn new(pool: Pool, member: PooledConnection<'static, Manager>) -> Self {
        Self { pool, member: Some(member) }
    }

    pub fn connection(&self) -> &Connection {
        &self.member.as_ref().expect("the member is there until release or drop").connection
    }

    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Gives the connection back, or (`destroy`) closes it without waiting for what it is running. False when the pool does not keep it:
    /// then, too, if it is lost or has been used `maxUses` times.
    pub fn release(mut self, destroy: bool) -> bool {
        self.give_back(destroy)
    }

    fn give_back(&mut self, destroy: bool) -> bool {
        let Some(mut member) = self.member.take() else { return false };
        if destroy {
            member.retire(true);
        }
        self.pool.take_back(member)
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        self.give_back(true);
    }
}
