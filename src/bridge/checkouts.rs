//! Connections that pass from a pool into a caller's hands, and back.

use std::sync::Arc;

use napi_derive::napi;

use super::clients::{Clients, not_queryable};
use super::environment::Environment;
use super::queue::Answer;
use crate::batch::Event;
use crate::pool::{self, Checkout, Pool};

/// How often TypeScript tries what Rust tries in the same way: see `src/pool/retry.rs`.
#[napi]
pub const MAX_QUERY_TRIES: u32 = pool::MAX_QUERY_TRIES;
#[napi]
pub const MAX_PREPARATIONS: u32 = pool::MAX_PREPARATIONS;

#[napi]
impl Environment {
    /// Checks a connection out, when the pool has one to spare; answered by the event `checkout`.
    #[napi(catch_unwind)]
    pub fn checkout(&self, pool: u32, request: u32) {
        let answer = Answer::new(self.queue(), request);
        let clients = self.clients.clone();
        self.with_pool(pool, answer, move |pool, answer| check_out(pool, clients, answer));
    }

    /// Makes a connection for this caller and no other; answered by the event `checkout` after `connect`.
    #[napi(catch_unwind)]
    pub fn open_connection(&self, pool: u32, request: u32) {
        let answer = Answer::new(self.queue(), request);
        let clients = self.clients.clone();
        self.with_pool(pool, answer, move |pool, answer| {
            pool.open(Box::new(move |outcome| match outcome.map(|checkout| clients.hold(checkout)) {
                Ok(Some(connection)) => answer.event(&Event::Checkout { connection }),
                Ok(None) => answer.fail(&not_queryable()),
                Err(error) => answer.fail(&error),
            }));
        });
    }

    /// Checks the most recently used idle connection out; 0 when there is none that can be used without asking the server.
    #[napi(catch_unwind)]
    pub fn take_idle(&self, pool: u32) -> u32 {
        let checkout = self.pool(pool).and_then(|pool| pool.take_idle());
        checkout.and_then(|checkout| self.hold(checkout)).unwrap_or_default()
    }

    /// Ends a connection's life. True when it was idle: it is now checked out, to be released by the caller. Otherwise it closes after what
    /// it is running; one that is on its way to a caller, too.
    #[napi(catch_unwind)]
    pub fn expire(&self, pool: u32, connection: u32) -> bool {
        let checkout = self.pool(pool).and_then(|pool| pool.expire(connection));
        if checkout.is_none()
            && let Some(connection) = self.clients.connection(connection)
        {
            connection.close(false);
        }
        checkout.and_then(|checkout| self.hold(checkout)).is_some()
    }

    /// Gives a checked out connection back, or (`destroy`) closes it. False when the pool does not keep it.
    #[napi(catch_unwind)]
    pub fn release(&self, connection: u32, destroy: bool) -> bool {
        let checkout = self.clients.lock().get_mut(&connection).and_then(|client| client.checkout.take());
        checkout.is_some_and(|checkout| checkout.release(destroy))
    }

    /// Whether a checked out connection has had its `maxUses`.
    #[napi(catch_unwind)]
    pub fn is_last_use(&self, connection: u32) -> bool {
        self.clients.lock().get(&connection).and_then(|client| client.checkout.as_ref()).is_some_and(Checkout::is_last_use)
    }

    fn hold(&self, checkout: Checkout) -> Option<u32> {
        self.clients.hold(checkout)
    }
}

/// Answers with a connection that `pool` can spare; if it ends on the way, with the next.
fn check_out(pool: &Pool, clients: Arc<Clients>, answer: Answer) {
    pool.checkout(Box::new(move |outcome| {
        let checkout = match outcome {
            Ok(checkout) => checkout,
            Err(error) => return answer.fail(&error),
        };
        // From the checkout: who waits in a pool's queue must not keep the pool alive.
        let pool = checkout.pool().clone();
        match clients.hold(checkout) {
            Some(connection) => answer.event(&Event::Checkout { connection }),
            None if clients.is_closed() => answer.fail(&not_queryable()),
            None => check_out(&pool, clients, answer),
        }
    }));
}
