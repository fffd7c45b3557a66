//! Connections that pass from a pool into a caller's hands, and back.

use napi_derive::napi;
use serde_json::json;

use super::clients::not_queryable;
use super::environment::{Environment, ended};
use super::queue::Answer;
use crate::error::Error;
use crate::pool::{Checkout, CheckoutReply, Pool};

#[napi]
impl Environment {
    /// Checks a connection out, when the pool has one to spare; answered by the event `checkout`.
    #[napi(catch_unwind)]
    pub fn checkout(&self, pool: u32, request: u32) {
        self.hand_over(pool, request, Pool::checkout);
    }

    /// Makes a connection for this caller and no other; answered by the event `checkout` after `connect`.
    #[napi(catch_unwind)]
    pub fn open_connection(&self, pool: u32, request: u32) {
        self.hand_over(pool, request, Pool::open);
    }

    /// Checks the most recently used idle connection out; 0 when there is none that can be used without asking the server.
    #[napi(catch_unwind)]
    pub fn take_idle(&self, pool: u32) -> u32 {
        let checkout = self.pool(pool).and_then(|pool| pool.take_idle());
        checkout.and_then(|checkout| self.hold(checkout)).unwrap_or_default()
    }

    /// Ends a connection's life. True when it was idle: it is now checked out, to be released by the caller.
    #[napi(catch_unwind)]
    pub fn expire(&self, pool: u32, connection: u32) -> bool {
        let checkout = self.pool(pool).and_then(|pool| pool.expire(connection));
        checkout.and_then(|checkout| self.hold(checkout)).is_some()
    }

    /// Gives a checked out connection back, or (`destroy`) closes it. False when the pool does not keep it.
    #[napi(catch_unwind)]
    pub fn release(&self, connection: u32, destroy: bool) -> bool {
        let checkout = self.clients.lock().get_mut(&connection).and_then(|client| client.checkout.take());
        checkout.is_some_and(|checkout| checkout.release(destroy))
    }

    /// Connections the pool has begun to make of its own accord, ever, less those that failed.
    #[napi(catch_unwind)]
    pub fn begun_connections(&self, pool: u32) -> u32 {
        self.pool(pool).map_or(0, |pool| pool.begun())
    }

    fn hand_over(&self, pool: u32, request: u32, from: fn(&Pool, CheckoutReply)) {
        let answer = Answer::new(self.queue(), request);
        let Some(pool) = self.pool(pool) else { return answer.fail(&ended()) };
        let clients = self.clients.clone();
        let reply = move |outcome: Result<Checkout, Error>| match outcome.map(|checkout| clients.hold(checkout)) {
            Ok(Some(connection)) => answer.event(json!({ "event": "checkout", "connection": connection })),
            Ok(None) => answer.fail(&not_queryable()),
            Err(error) => answer.fail(&error),
        };
        from(&pool, Box::new(reply));
    }

    fn hold(&self, checkout: Checkout) -> Option<u32> {
        self.clients.hold(checkout)
    }
}
