//! A connection in a caller's hands.

use super::connection::ConnectionGuard;
use super::pool::Pool;
use crate::wire::Connection;

/// Give it back with [`release`](Self::release); one that is dropped instead is closed, since nobody knows what state it is in.
pub struct Checkout {
    pool: Pool,
    connection: Option<ConnectionGuard>,
}

impl Checkout {
    pub(super) fn new(pool: Pool, connection: ConnectionGuard) -> Self {
        Self { pool, connection: Some(connection) }
    }

    pub fn connection(&self) -> &Connection {
        &self.connection.as_ref().expect("the connection is there until release or drop").wire
    }

    /// Whether `maxUses` are used up with this use.
    pub fn is_last_use(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.is_used_up())
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
        let Some(mut connection) = self.connection.take() else { return false };
        if destroy {
            connection.retire(true);
        }
        self.pool.take_back(connection)
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        self.give_back(true);
    }
}
