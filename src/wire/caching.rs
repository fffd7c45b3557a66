//! Whether statements may be kept on the server between queries: not behind a pooler that gives each transaction another server session
//! and knows nothing of prepared statements (PgBouncer in transaction mode before 1.21, or with `max_prepared_statements = 0`).
//!
//! Nothing at login tells such a pooler from a server. Its first sign is that a statement which this connection has prepared, and nobody has
//! deallocated through it, does not exist. The query that meets it has run nothing and is sent again without a name. One sign is enough, for
//! all connections to that address: a function that deallocates what it did not prepare gives it as well, and costs some speed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{ConnectConfig, Host};

/// Shared by all connections of the process to one database at one address, also those that are opened later.
#[derive(Clone, Default)]
pub(super) struct Caching(Arc<AtomicBool>);

type Address = (Host, u16, String);

static KNOWN: Mutex<Option<HashMap<Address, Caching>>> = Mutex::new(None);

impl Caching {
    /// What is known of the database that `config` leads to.
    pub fn of(config: &ConnectConfig) -> Self {
        let address = (config.host.clone(), config.port, config.database.clone());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        if let Some(caching) = known.get(&address) {
            return caching.clone();
        }
        // Those that nobody uses any more have nothing to say, unless it is no.
        known.retain(|_, caching| caching.is_off() || Arc::strong_count(&caching.0) > 1);
        known.entry(address).or_default().clone()
    }

    pub fn is_off(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub fn turn_off(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
