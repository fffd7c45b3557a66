//! Reads that may have run already run a second time, on a connection of their own: those that are stuck on the wire behind a statement that
//! does not come to its end, and those whose connection was lost.
//!
//! What is on the wire cannot be taken back, so such a read may run twice; the first answer counts. The second run is in a transaction that
//! is read only, so that a write which the text does not show (of a function behind a view) cannot happen twice: it is refused, and the first
//! run's answer is waited for, or the loss of its connection told.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::dispatcher::{Inner, Mutex, State};
use super::queue::MAX_TRIES;
use super::waiter::{QueryReply, Wish, lost};
use tokio_postgres::error::SqlState;

use crate::error::{Error, ServerMessage};
use crate::wire::{Connection, ConnectionId, Outcome, Query, Reply, Request, Response};

/// How soon after a read was put behind another is looked whether it is stuck.
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// How soon after a query was seen to hold up others is looked whether it still does.
const SECOND_LOOK: Duration = Duration::from_millis(5);

pub(super) struct SecondTry {
    query: Query,
    first: FirstRun,
    /// The caller's; taken by whichever run is answered first.
    reply: Mutex<Option<Reply>>,
    /// Connections that ended under it.
    tries: AtomicU32,
}

/// Where the first run is.
enum FirstRun {
    /// On this connection, behind the request with this number.
    Stuck(ConnectionId, u64),
    /// Nobody knows how far it came: its connection ended, with this error.
    Lost(Error),
}

impl SecondTry {
    fn new(query: Query, first: FirstRun, reply: Reply) -> Self {
        Self { query, first, reply: Mutex::new(Some(reply)), tries: AtomicU32::new(0) }
    }

    /// For a read whose connection ended with `cause`.
    pub fn after_loss(query: Query, cause: Error, reply: QueryReply) -> Self {
        let reply = Box::new(move |outcome| match outcome {
            Outcome::Completed(result) => reply(result),
            Outcome::NeverRan { cause, .. } | Outcome::ReadLost { cause, .. } => reply(Err(cause)),
        });
        Self::new(query, FirstRun::Lost(cause), reply)
    }

    fn is_answered(&self) -> bool {
        self.reply.lock().is_none()
    }

    /// Whether its first run is still held up; `heads`: what each connection is at.
    pub fn is_needed(&self, heads: &[(ConnectionId, u64)]) -> bool {
        let is_held_up = match self.first {
            FirstRun::Stuck(connection, head) => heads.contains(&(connection, head)),
            FirstRun::Lost(_) => true,
        };
        !self.is_answered() && is_held_up
    }

    /// Answers the caller, unless that has been done.
    pub fn answer(&self, outcome: Outcome) {
        let reply = self.reply.lock().take();
        if let Some(reply) = reply {
            reply(outcome);
        }
    }

    /// There will be no answer of a second run: a first one that was lost is told as that.
    fn give_up(&self) {
        if let FirstRun::Lost(cause) = &self.first {
            self.answer(Outcome::Completed(Err(cause.clone())));
        }
    }

    /// Runs it where nobody else does; `None` when the transaction could not be begun as it must.
    async fn run(&self, connection: &Connection) -> Option<Result<Response, Error>> {
        match ask(connection, Query::simple("begin read only")).await {
            Ok(begun) if begun.transaction_status == b'T' => {}
            Err(error) if is_lost(&error) => return Some(Err(error)),
            _ => return None,
        }
        let mut result = ask(connection, self.query.clone()).await;
        // Before the caller hears of the answer, so that it finds the connection idle. One that cannot commit is closed.
        let _ = ask(connection, Query::simple("commit")).await;
        match &mut result {
            Ok(response) => response.transaction_status = b'I',
            Err(error) => {
                if let Some(server) = error.server().filter(|server| !server.fatal) {
                    *error = Error::database(ServerMessage { transaction_status: b'I', ..server.clone() });
                }
            }
        }
        Some(result)
    }
}

async fn ask(connection: &Connection, query: Query) -> Result<Response, Error> {
    let (sender, answer) = oneshot::channel();
    connection.send(Request { query, pipelined: false, reply: Box::new(move |outcome| _ = sender.send(outcome)) });
    match answer.await {
        Ok(Outcome::Completed(result)) => result,
        Ok(Outcome::NeverRan { cause, .. } | Outcome::ReadLost { cause, .. }) => Err(cause),
        Err(_) => Err(lost()),
    }
}

/// The connection is gone, not only the query.
fn is_lost(error: &Error) -> bool {
    error.server().is_none_or(|server| server.fatal)
}

impl Inner {
    /// From now on, and as long as any query waits behind another, looks whether one is stuck.
    pub(super) fn watch_for_stalls(self: &Arc<Self>, state: &mut State) {
        // With one connection there is no other to go to.
        if state.watching || self.config.max == 1 {
            return;
        }
        state.watching = true;
        let pool = Arc::downgrade(self);
        self.runtime.spawn(async move {
            let mut next = FIRST_LOOK;
            loop {
                sleep(next).await;
                let Some(wait) = pool.upgrade().and_then(|pool| pool.look_for_stalls()) else { return };
                next = wait;
            }
        });
    }

    /// Asks again what is stuck; returns when to look again, if there is anything to look for.
    fn look_for_stalls(self: &Arc<Self>) -> Option<Duration> {
        let mut state = self.state.lock();
        let mut next: Option<Duration> = None;
        for lane in state.lanes.iter_mut().filter(|lane| lane.outstanding() > 1) {
            let head = lane.member.connection.head();
            let mut wait = lane.stall_bound().saturating_sub(lane.head_age());
            if wait.is_zero() {
                // Between two looks, an answer that was there at the first has been read: on a busy machine it may have waited for this thread.
                let was_seen = lane.stuck.0 == head;
                if was_seen && !lane.stuck.1 {
                    lane.member.connection.duplicate_waiting(Self::second_tries(Arc::downgrade(self), (lane.id(), head)));
                }
                lane.stuck = (head, was_seen);
                // The next one may get stuck, too.
                wait = if was_seen { lane.stall_bound() } else { SECOND_LOOK };
            }
            next = Some(next.map_or(wait, |next| next.min(wait)));
        }
        state.watching = next.is_some();
        next
    }

    fn second_tries(pool: Weak<Self>, stuck: (ConnectionId, u64)) -> Box<dyn FnMut(Query, Reply) -> Reply + Send> {
        Box::new(move |query, reply| {
            let second = Arc::new(SecondTry::new(query, FirstRun::Stuck(stuck.0, stuck.1), reply));
            let first = second.clone();
            if let Some(pool) = pool.upgrade() {
                pool.requeue(Wish::SecondTry(second));
            }
            Box::new(move |outcome| first.answer(outcome))
        })
    }

    /// Runs `second` on a connection that is held for it. The task keeps neither the pool alive nor, behind its end, the connection.
    pub(super) fn run_again(self: &Arc<Self>, connection: Connection, second: Arc<SecondTry>) {
        let pool = Arc::downgrade(self);
        self.runtime.spawn(async move {
            let result = second.run(&connection).await;
            if let Some(pool) = pool.upgrade() {
                pool.ran_again(connection.id(), second, result);
            }
        });
    }

    fn ran_again(self: &Arc<Self>, connection: ConnectionId, second: Arc<SecondTry>, result: Option<Result<Response, Error>>) {
        let writes = matches!(&result, Some(Err(error)) if error.is_any(&[SqlState::READ_ONLY_SQL_TRANSACTION]));
        let failed = matches!(&result, Some(Err(error)) if !writes && !is_lost(error));
        if failed && self.config.close_after_error && !second.is_answered() {
            self.close_after_error(connection);
        }
        {
            let mut state = self.state.lock();
            if let Some(lane) = state.lanes.iter_mut().find(|lane| lane.id() == connection) {
                lane.held = false;
                if lane.member.connection.transaction_status() != b'I' {
                    lane.member.retire(true);
                }
            }
            self.reclaim(&mut state);
            self.pump(&mut state);
        }
        match result {
            _ if second.is_answered() => {}
            // The first run's answer counts, if there will be one.
            _ if writes => second.give_up(),
            Some(Err(error)) if is_lost(&error) && second.tries.fetch_add(1, Ordering::Relaxed) + 1 < MAX_TRIES => {
                self.requeue(Wish::SecondTry(second));
            }
            Some(result) => second.answer(Outcome::Completed(result)),
            None => second.give_up(),
        }
        self.finish_if_ended();
    }
}
