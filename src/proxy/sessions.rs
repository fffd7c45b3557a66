//! The sessions that can be canceled, by what their clients were told to name them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::scram::random;
use crate::wire::{Session, Target};

/// Process id and secret key, as BackendKeyData told them.
type Key = (i32, i32);

/// A session of `client`.
#[derive(Clone)]
pub struct Entry {
    pub client: u64,
    pub target: Arc<Target>,
    pub session: Session,
}

#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<Key, Entry>>>);

/// Forgets its session when it is dropped.
pub struct Registered {
    sessions: Sessions,
    pub key: Key,
}

impl Sessions {
    /// The process id is the server's own, which clients show and compare; the secret is ours: the server's stays here.
    pub fn register(&self, entry: Entry) -> Registered {
        let mut sessions = self.lock();
        let key = loop {
            let key = (entry.session.process_id, i32::from_be_bytes(random()));
            if !sessions.contains_key(&key) {
                break key;
            }
        };
        sessions.insert(key, entry);
        drop(sessions);
        Registered { sessions: self.clone(), key }
    }

    pub fn find(&self, key: Key) -> Option<Entry> {
        self.lock().get(&key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.key);
    }
}
