//! What is known of a pooler between this process and its servers.
//!
//! Behind a transaction pooler (PgBouncer in transaction mode, for example) each transaction may run in another server session. Statements
//! cannot be kept there between queries. Nor may requests share a connection: PgBouncer up to 1.20 takes the server away after the answer to one
//! request although it has already passed on the beginning of the next one.
//!
//! Nothing at login tells such a pooler from a server. Any of these signs is enough, for all connections to that address:
//! - A statement that this connection has prepared, and nobody has deallocated through it, does not exist. The query that meets it has run
//!   nothing and is sent again without a name. (A function that deallocates what it did not prepare gives this sign as well, and costs some speed.)
//! - Statements do not have the names that they were given (see `probe.rs`).
//! - Two open connections have met the same server session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::session::ConnectionId;
use crate::config::{ConnectConfig, Host};

/// Process ids on Linux end here by default on every 64-bit machine; other systems give lower ones. A pooler makes up a random number.
const MAX_PROCESS_ID: i32 = 1 << 22;

/// Shared by all connections of the process to one database at one address, also those that are opened later.
#[derive(Clone, Default)]
pub(super) struct Pooler(Arc<Known>);

#[derive(Default)]
struct Known {
    loses_statements: AtomicBool,
    shares_servers: AtomicBool,
    /// The server sessions that connections were last seen to use. Only of connections that do not lead to a server directly.
    seen: Mutex<HashMap<i32, ConnectionId>>,
}

/// What may be sent on a connection before earlier answers are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Sharing {
    Nothing,
    /// Plain reads, unless a transaction pooler shows itself.
    Reads,
    /// The connection leads to one server process, which is proven: writes as well, where the pool wants that.
    Writes,
}

impl Sharing {
    /// At the beginning of a session, by the process id that the server tells at login.
    pub fn at_login(process_id: i32) -> Self {
        if (0..=MAX_PROCESS_ID).contains(&process_id) { Self::Reads } else { Self::Nothing }
    }

    pub fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Nothing,
            1 => Self::Reads,
            _ => Self::Writes,
        }
    }
}

type Address = (Host, u16, String);

static KNOWN: Mutex<Option<HashMap<Address, Pooler>>> = Mutex::new(None);

impl Pooler {
    /// What is known of the way to the database of `config`.
    pub fn of(config: &ConnectConfig) -> Self {
        let address = (config.host.clone(), config.port, config.database.clone());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        if let Some(pooler) = known.get(&address) {
            return pooler.clone();
        }
        // Entries without connections and without a sign say nothing.
        known.retain(|_, pooler| pooler.loses_statements() || pooler.shares_servers() || Arc::strong_count(&pooler.0) > 1);
        known.entry(address).or_default().clone()
    }

    pub fn loses_statements(&self) -> bool {
        self.0.loses_statements.load(Ordering::Relaxed)
    }

    pub fn note_lost_statements(&self) {
        self.0.loses_statements.store(true, Ordering::Relaxed);
    }

    pub fn shares_servers(&self) -> bool {
        self.0.shares_servers.load(Ordering::Relaxed)
    }

    pub fn note_shared_servers(&self) {
        self.0.shares_servers.store(true, Ordering::Relaxed);
    }

    /// An open connection has met the server process `process_id`, which is not the one that was told at its login.
    pub fn note_server(&self, process_id: i32, connection: ConnectionId) {
        let previous = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(process_id, connection);
        if previous.is_some_and(|other| other != connection) {
            self.note_shared_servers();
        }
    }

    /// The connection is about to be closed: the server that it used may then serve another one.
    pub fn forget(&self, connection: ConnectionId) {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, other| *other != connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_open_connections_with_one_server_show_a_transaction_pooler() {
        let pooler = Pooler::default();
        pooler.note_server(10, 1);
        pooler.note_server(10, 1);
        pooler.note_server(11, 2);
        assert!(!pooler.shares_servers());
        pooler.note_server(10, 2);
        assert!(pooler.shares_servers());
        assert!(!pooler.loses_statements(), "that is another question");
    }

    #[test]
    fn a_server_may_serve_another_connection_after_the_first_is_closed() {
        let pooler = Pooler::default();
        pooler.note_server(10, 1);
        pooler.forget(1);
        pooler.note_server(10, 2);
        assert!(!pooler.shares_servers());
    }

    #[test]
    fn a_process_id_that_no_system_gives_is_no_server_s() {
        for (process_id, sharing) in
            [(1, Sharing::Reads), (1 << 22, Sharing::Reads), ((1 << 22) + 1, Sharing::Nothing), (-5, Sharing::Nothing)]
        {
            assert_eq!(Sharing::at_login(process_id), sharing, "{process_id}");
        }
    }
}
