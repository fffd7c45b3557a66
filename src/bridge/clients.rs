//! The connections that JavaScript knows by number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::Error;
use crate::pool::Checkout;
use crate::wire::{Connection, ConnectionId, Target};

pub(super) struct Client {
    pub connection: Connection,
    /// There while a caller has it checked out of its pool.
    pub checkout: Option<Checkout>,
    /// There until JavaScript has prepared the new connection.
    pub prepared: Option<oneshot::Sender<Result<(), Error>>>,
    /// Where to send a cancel request.
    pub target: Arc<Target>,
}

#[derive(Default)]
pub(super) struct Clients {
    known: Mutex<HashMap<ConnectionId, Client>>,
    /// The JavaScript thread has ended.
    closed: AtomicBool,
}

impl Clients {
    pub fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Client>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection. Nobody would ever use or close it when the JavaScript thread has ended meanwhile.
    pub fn insert(&self, client: Client) {
        let mut known = self.lock();
        if self.closed.load(Ordering::Relaxed) {
            client.connection.close(true);
        } else {
            known.insert(client.connection.id(), client);
        }
    }

    pub fn connection(&self, id: ConnectionId) -> Option<Connection> {
        self.lock().get(&id).map(|client| client.connection.clone())
    }

    /// Keeps a checkout with its connection, whose number it returns; `None` if that has ended since the pool's decision.
    pub fn hold(&self, checkout: Checkout) -> Option<ConnectionId> {
        let connection = checkout.connection().id();
        let homeless = match self.lock().get_mut(&connection) {
            Some(client) => client.checkout.replace(checkout),
            None => Some(checkout),
        };
        // Dropped outside the lock: it goes back to its pool.
        homeless.is_none().then_some(connection)
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Forgets all. Checkouts go back outside the lock: their pools may call in.
    pub fn clear(&self) {
        let clients = {
            let mut known = self.lock();
            self.closed.store(true, Ordering::Relaxed);
            std::mem::take(&mut *known)
        };
        for client in clients.values() {
            client.connection.close(true);
        }
    }
}

/// The connection has ended; text as in node-postgres.
pub(super) fn not_queryable() -> Error {
    Error::not_queryable()
}
