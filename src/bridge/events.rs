//! The events of pools, and of clients of their own, on their way to JavaScript.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use super::clients::{Client, Clients};
use super::queue::Queue;
use crate::batch::{Event, error_json};
use crate::error::{Error, ServerMessage};
use crate::pool::{Events, Purpose};
use crate::wire::{Connection, ConnectionId, Observer, Target};

/// Sends JavaScript the events of one pool, or of one client of its own. `pool` is the number JavaScript gave it.
pub(super) struct EventSender {
    pub queue: Arc<Queue>,
    pub clients: Arc<Clients>,
    pub pool: u32,
    pub target: Arc<Target>,
    /// JavaScript wants to do something with new connections before they are used.
    pub prepares: Arc<AtomicBool>,
    /// Somebody in JavaScript wants to know of attempts to connect.
    pub observed: Arc<AtomicBool>,
}

type Prepared = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl EventSender {
    /// Makes a new connection known; the future ends when JavaScript has prepared it, at once if it does not want to.
    pub fn opened(&self, connection: &Connection, purpose: Purpose) -> Prepared {
        let (sender, prepared) = oneshot::channel();
        // One caller's own connection is prepared by that caller, when it has it.
        let own = purpose == Purpose::Caller;
        let awaited = !own && self.prepares.load(Ordering::Relaxed);
        let client =
            Client { connection: connection.clone(), checkout: None, prepared: awaited.then_some(sender), target: self.target.clone() };
        self.clients.insert(client);
        let session = connection.session();
        self.queue.event(&Event::Connect {
            pool: self.pool,
            connection: connection.id(),
            own,
            awaited,
            process_id: session.process_id,
            secret_key: session.secret_key,
            parameters: &session.parameters,
            notices: &session.notices,
        });
        if !awaited {
            return Box::pin(std::future::ready(Ok(())));
        }
        Box::pin(async move { prepared.await.unwrap_or_else(|_| Err(Error::connection_terminated())) })
    }

    pub fn ended(&self, connection: ConnectionId, error: Option<&Error>) {
        // Dropped outside the lock, since a checkout goes back to its pool, and before JavaScript hears of it, so that there is room for the
        // connection it may want instead.
        let client = self.clients.lock().remove(&connection);
        drop(client);
        self.queue.event(&Event::End { pool: self.pool, connection, error: error.map(error_json) });
    }

    pub fn send_error(&self, connection: ConnectionId, error: &Error) {
        self.queue.event(&Event::Error { pool: self.pool, connection, error: error_json(error) });
    }

    pub fn send_notice(&self, connection: ConnectionId, notice: &ServerMessage) {
        self.queue.event(&Event::Notice { pool: self.pool, connection, notice });
    }

    pub fn send_notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        self.queue.event(&Event::Notification { pool: self.pool, connection, process_id, channel, payload });
    }
}

impl Events for EventSender {
    fn connected(&self, connection: &Connection, purpose: Purpose) -> Prepared {
        self.opened(connection, purpose)
    }

    fn is_observed(&self) -> bool {
        self.observed.load(Ordering::Relaxed)
    }

    fn connecting(&self, attempt: u32) {
        self.queue.event(&Event::Connecting { pool: self.pool, attempt });
    }

    fn connect_ended(&self, attempt: u32, outcome: Result<ConnectionId, &Error>) {
        let (connection, error) = (outcome.ok(), outcome.err().map(error_json));
        self.queue.event(&Event::ConnectEnded { pool: self.pool, attempt, connection, error });
    }

    fn retired(&self, connection: ConnectionId) {
        self.queue.event(&Event::Retire { pool: self.pool, connection });
    }

    fn prepares(&self) -> bool {
        self.prepares.load(Ordering::Relaxed)
    }

    fn removed(&self, connection: ConnectionId, error: Option<Error>) {
        self.ended(connection, error.as_ref());
    }

    fn error(&self, connection: ConnectionId, error: Error) {
        self.send_error(connection, &error);
    }

    fn notice(&self, connection: ConnectionId, notice: ServerMessage) {
        self.send_notice(connection, &notice);
    }

    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        self.send_notification(connection, process_id, channel, payload);
    }
}

/// The same for a connection without a pool.
impl Observer for EventSender {
    fn error(&self, connection: ConnectionId, error: Error) {
        self.send_error(connection, &error);
    }

    fn notice(&self, connection: ConnectionId, notice: ServerMessage) {
        self.send_notice(connection, &notice);
    }

    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        self.send_notification(connection, process_id, channel, payload);
    }

    fn closed(&self, connection: ConnectionId, error: Option<Error>) {
        self.ended(connection, error.as_ref());
    }
}
