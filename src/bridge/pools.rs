//! A pool's events on their way to JavaScript, and JavaScript's answers on their way back.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;
use tokio::sync::oneshot;

use super::clients::{Client, Clients};
use super::queue::Queue;
use crate::error::{Error, Kind, ServerMessage};
use crate::pool::{AskPassword, Events, Purpose};
use crate::secret::Secret;
use crate::wire::{CheckIdentity, Connection, ConnectionId, Observer, Target};

/// What one pool, or one client of its own, tells JavaScript. `pool` is the number JavaScript gave it.
pub(super) struct Teller {
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

impl Teller {
    /// Makes a new connection known; the future ends when JavaScript has prepared it, at once if it does not want to.
    pub fn introduce(&self, connection: &Connection, purpose: Purpose) -> Prepared {
        let (sender, prepared) = oneshot::channel();
        // One caller's own connection is prepared by that caller, when it has it.
        let own = purpose == Purpose::Caller;
        let awaited = !own && self.prepares.load(Ordering::Relaxed);
        let client =
            Client { connection: connection.clone(), checkout: None, prepared: awaited.then_some(sender), target: self.target.clone() };
        self.clients.insert(client);
        let session = connection.session();
        self.queue.event(&json!({
            "event": "connect",
            "pool": self.pool,
            "connection": connection.id(),
            "own": own,
            "awaited": awaited,
            "processId": session.process_id,
            "secretKey": session.secret_key,
            "parameters": session.parameters,
            "notices": session.notices,
        }));
        if !awaited {
            return Box::pin(std::future::ready(Ok(())));
        }
        Box::pin(async move {
            prepared.await.unwrap_or_else(|_| Err(Error::new(Kind::Connection, "Connection terminated").with_code("CONNECTION_LOST")))
        })
    }

    pub fn remove(&self, connection: ConnectionId, error: Option<&Error>) {
        // Dropped outside the lock, since a checkout goes back to its pool, and before JavaScript hears of it, so that there is room for the
        // connection it may want instead.
        let client = self.clients.lock().remove(&connection);
        drop(client);
        let error = error.map(described);
        self.queue.event(&json!({ "event": "end", "pool": self.pool, "connection": connection, "error": error }));
    }

    pub fn tell_error(&self, connection: ConnectionId, error: &Error) {
        self.queue.event(&json!({ "event": "error", "pool": self.pool, "connection": connection, "error": described(error) }));
    }

    pub fn tell_notice(&self, connection: ConnectionId, notice: &ServerMessage) {
        self.queue.event(&json!({ "event": "notice", "pool": self.pool, "connection": connection, "notice": notice }));
    }

    pub fn tell_notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        self.queue.event(&json!({
            "event": "notification",
            "pool": self.pool,
            "connection": connection,
            "processId": process_id,
            "channel": channel,
            "payload": payload,
        }));
    }
}

/// An error as a part of an event.
pub(super) fn described(error: &Error) -> serde_json::Value {
    serde_json::from_str(&crate::batch::error_text(error)).unwrap_or_default()
}

impl Events for Teller {
    fn connected(&self, connection: &Connection, purpose: Purpose) -> Prepared {
        self.introduce(connection, purpose)
    }

    fn is_observed(&self) -> bool {
        self.observed.load(Ordering::Relaxed)
    }

    fn connecting(&self, attempt: u32) {
        self.queue.event(&json!({ "event": "connecting", "pool": self.pool, "attempt": attempt }));
    }

    fn connect_ended(&self, attempt: u32, outcome: Result<ConnectionId, &Error>) {
        let (connection, error) = (outcome.ok(), outcome.err().map(described));
        self.queue
            .event(&json!({ "event": "connectEnded", "pool": self.pool, "attempt": attempt, "connection": connection, "error": error }));
    }

    fn retired(&self, connection: ConnectionId) {
        self.queue.event(&json!({ "event": "retire", "pool": self.pool, "connection": connection }));
    }

    fn prepares(&self) -> bool {
        self.prepares.load(Ordering::Relaxed)
    }

    fn removed(&self, connection: ConnectionId, error: Option<Error>) {
        self.remove(connection, error.as_ref());
    }

    fn error(&self, connection: ConnectionId, error: Error) {
        self.tell_error(connection, &error);
    }

    fn notice(&self, connection: ConnectionId, notice: ServerMessage) {
        self.tell_notice(connection, &notice);
    }

    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        self.tell_notification(connection, process_id, channel, payload);
    }
}

/// The same for a connection without a pool.
impl Observer for Teller {
    fn error(&self, connection: ConnectionId, error: Error) {
        self.tell_error(connection, &error);
    }

    fn notice(&self, connection: ConnectionId, notice: ServerMessage) {
        self.tell_notice(connection, &notice);
    }

    fn notification(&self, connection: ConnectionId, process_id: i32, channel: &str, payload: &str) {
        self.tell_notification(connection, process_id, channel, payload);
    }

    fn closed(&self, connection: ConnectionId, error: Option<Error>) {
        self.remove(connection, error.as_ref());
    }
}

/// What a function of the caller's gave: a `password` function perhaps a password, a `checkServerIdentity` nothing.
type GivenAnswer = Result<Option<Secret>, Error>;

/// Questions to functions in JavaScript that are not answered yet.
#[derive(Default)]
pub(super) struct Questions {
    next: AtomicU32,
    /// `None` once the JavaScript thread has ended: nobody is going to answer.
    asked: Mutex<Asked>,
}

struct Asked(Option<HashMap<u32, oneshot::Sender<GivenAnswer>>>);

impl Default for Asked {
    fn default() -> Self {
        Self(Some(HashMap::new()))
    }
}

impl Questions {
    /// How connections of `pool` ask for the password.
    pub fn password(self: &Arc<Self>, queue: &Arc<Queue>, pool: u32) -> AskPassword {
        let (questions, queue) = (self.clone(), queue.clone());
        Arc::new(move || Box::pin(questions.ask(&queue, json!({ "event": "password", "pool": pool }))))
    }

    /// How connections of `pool` ask whether a certificate belongs to the server they want.
    pub fn identity(self: &Arc<Self>, queue: &Arc<Queue>, pool: u32) -> CheckIdentity {
        let (questions, queue) = (self.clone(), queue.clone());
        Arc::new(move |name, certificates| {
            let certificates: Vec<_> = certificates.iter().map(|certificate| BASE64_STANDARD.encode(certificate)).collect();
            let event = json!({ "event": "identity", "pool": pool, "name": name, "certificates": certificates });
            let answer = questions.ask(&queue, event);
            Box::pin(async move { answer.await.map(drop) })
        })
    }

    /// Asks; the answer comes by [`Questions::answer`].
    pub fn ask(&self, queue: &Queue, mut event: serde_json::Value) -> impl Future<Output = GivenAnswer> + Send + use<> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        // After the end the sender is dropped here, and the question fails at once.
        if let Some(asked) = &mut self.lock().0 {
            asked.insert(number, sender);
        }
        event["question"] = number.into();
        queue.event(&event);
        async move { answer.await.unwrap_or_else(|_| Err(Error::new(Kind::Authentication, "the caller's function was not answered"))) }
    }

    pub fn answer(&self, question: u32, answer: GivenAnswer) {
        let sender = self.lock().0.as_mut().and_then(|asked| asked.remove(&question));
        if let Some(sender) = sender {
            // A connection that was given up in the meantime no longer listens.
            let _ = sender.send(answer);
        }
    }

    /// The JavaScript thread has ended: connections that wait for its answer are given up.
    pub fn close(&self) {
        let unanswered = self.lock().0.take();
        drop(unanswered);
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
