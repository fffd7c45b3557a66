//! The connections that JavaScript knows by number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::{Error, Kind};
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
pub(super) struct Clients(Mutex<HashMap<ConnectionId, Client>>);

impl Clients {
    pub fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Forgets all. Checkouts go back outside the lock: their pools may call in.
    pub fn clear(&self) {
        let clients = std::mem::take(&mut *self.lock());
        for client in clients.values() {
            client.connection.close(true);
        }
    }
}

/// The connection has ended; text as in node-postgres.
pub(super) fn not_queryable() -> Error {
    Error::new(Kind::Connection, "Client has encountered a connection error and is not queryable").with_code("CONNECTION_LOST")
}
