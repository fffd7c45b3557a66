//! Hedged reads: a read that is on the wire behind a statement which does not end, or whose connection was lost, runs a second time on a
//! connection of its own.
//!
//! What was sent cannot be taken back, so such a read may run twice; the first answer counts. The second run is in a read-only transaction,
//! because a read may call a function that writes (behind a view): that must not happen twice. PostgreSQL refuses it, and the caller gets
//! the first run's answer, or the error of the lost connection.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use tokio_postgres::error::SqlState;

use super::pending::{QueryReply, Work, lost};
use super::pool::{Inner, Mutex, State};
use super::retry::MAX_QUERY_TRIES;
use crate::error::{Error, ServerMessage};
use crate::wire::{Connection, ConnectionId, Outcome, Query, Reply, Request, Response};

/// How soon after a read was put behind another is looked whether it is stuck.
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// How soon after a query was seen to hold up others is looked whether it still does.
const SECOND_LOOK: Duration = Duration::from_millis(5);

pub(super) struct HedgedRead {
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

impl HedgedRead {
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

    /// The second run has no answer. If the first one was lost with its connection, that is the caller's error.
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
        for shared in state.shared.iter_mut().filter(|shared| shared.outstanding() > 1) {
            let head = shared.connection.wire.head();
            let mut wait = shared.stall_bound().saturating_sub(shared.head_age());
            if wait.is_zero() {
                // An answer that had arrived at the first look has been read by the second: a busy machine may delay this thread.
                let was_seen = shared.stuck.0 == head;
                if was_seen && !shared.stuck.1 {
                    shared.connection.wire.duplicate_waiting(Self::hedge(Arc::downgrade(self), (shared.id(), head)));
                }
                shared.stuck = (head, was_seen);
                // The next one may get stuck, too.
                wait = if was_seen { shared.stall_bound() } else { SECOND_LOOK };
            }
            next = Some(next.map_or(wait, |next| next.min(wait)));
        }
        state.watching = next.is_some();
        next
    }

    fn hedge(pool: Weak<Self>, stuck: (ConnectionId, u64)) -> Box<dyn FnMut(Query, Reply) -> Reply + Send> {
        Box::new(move |query, reply| {
            let hedged = Arc::new(HedgedRead::new(query, FirstRun::Stuck(stuck.0, stuck.1), reply));
            let first = hedged.clone();
            if let Some(pool) = pool.upgrade() {
                pool.requeue(Work::HedgedRead(hedged));
            }
            Box::new(move |outcome| first.answer(outcome))
        })
    }

    /// Runs `hedged` on a connection that is held for it. The task does not keep the pool alive.
    pub(super) fn run_hedged(self: &Arc<Self>, connection: Connection, hedged: Arc<HedgedRead>) {
        let pool = Arc::downgrade(self);
        self.runtime.spawn(async move {
            let result = hedged.run(&connection).await;
            if let Some(pool) = pool.upgrade() {
                pool.finish_hedged(connection.id(), hedged, result);
            }
        });
    }

    fn finish_hedged(self: &Arc<Self>, connection: ConnectionId, hedged: Arc<HedgedRead>, result: Option<Result<Response, Error>>) {
        let writes = matches!(&result, Some(Err(error)) if error.is_any(&[SqlState::READ_ONLY_SQL_TRANSACTION]));
        let failed = matches!(&result, Some(Err(error)) if !writes && !is_lost(error));
        if failed && self.config.close_after_error && !hedged.is_answered() {
            self.close_after_error(connection);
        }
        {
            let mut state = self.state.lock();
            if let Some(shared) = state.shared.iter_mut().find(|shared| shared.id() == connection) {
                shared.held = false;
                if shared.connection.wire.transaction_status() != b'I' {
                    shared.connection.retire(true);
                }
            }
            self.reclaim(&mut state);
            self.pump(&mut state);
        }
        match result {
            _ if hedged.is_answered() => {}
            // The first run's answer counts, if there will be one.
            _ if writes => hedged.give_up(),
            Some(Err(error)) if is_lost(&error) && hedged.tries.fetch_add(1, Ordering::Relaxed) + 1 < MAX_QUERY_TRIES => {
                self.requeue(Work::HedgedRead(hedged));
            }
            Some(result) => hedged.answer(Outcome::Completed(result)),
            None => hedged.give_up(),
        }
        self.finish_if_ended();
    }
}
