//! The statement cache of one connection: which texts are prepared under which names.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::pooler::Pooler;
use super::result::RowDescription;
use crate::tls;

/// Names of cached statements start with this, so that a person who meets one knows whose it is.
const PREFIX: &str = "lakebase_";
/// What other programs change is not told: a statement that still fits but means something else is parsed again after so long. Once in a
/// while it costs nothing, and no round trip.
const MAX_AGE: Duration = Duration::from_secs(10);

/// A statement that is prepared on the server, or whose Parse is on its way. Requests in flight share it with the cache.
pub(super) struct Prepared {
    pub name: String,
    /// Set when the server has described it; `None` inside when it returns no rows.
    pub columns: OnceLock<Option<Arc<RowDescription>>>,
}

struct Entry {
    prepared: Arc<Prepared>,
    /// What held when it was parsed.
    valid: Validity,
    parsed: Instant,
    used: u64,
}

/// Least recently used out first. A capacity of 0 turns the cache off.
pub(super) struct Statements {
    by_text: HashMap<String, Entry>,
    /// Forgotten here, still prepared on the server.
    obsolete: Vec<Arc<Prepared>>,
    capacity: usize,
    clock: u64,
    pooler: Pooler,
    /// Makes the names no other connection's, process's or caller's: behind a pooler another's statement may be in the session.
    names: Option<u64>,
    next: u64,
}

/// What must still hold for a cached statement to be used as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    /// Moves whenever a statement that can change a schema has run in this pool.
    pub schema: u64,
    /// Moves whenever this session's settings can have changed.
    pub settings: u64,
}

impl Statements {
    pub fn new(capacity: usize, pooler: Pooler) -> Self {
        let names = if capacity > 0 { tls::random() } else { None };
        Self { by_text: HashMap::new(), obsolete: Vec::new(), capacity, clock: 0, pooler, names, next: 0 }
    }

    pub fn is_enabled(&self) -> bool {
        self.names.is_some() && !self.pooler.loses_statements()
    }

    pub fn holds_any(&self) -> bool {
        !self.by_text.is_empty()
    }

    /// The server does not keep what is prepared.
    pub fn turn_off(&mut self) {
        self.pooler.note_lost_statements();
        self.clear();
    }

    /// The cached statement for `text`, if it may be used. Only outside a transaction: there a plan that is stale all the same shows as an
    /// error before anything ran, and the query is parsed afresh and sent again. Inside one that error would abort the caller's work.
    pub fn get(&mut self, text: &str, now: Validity, at: Instant) -> Option<Arc<Prepared>> {
        self.clock += 1;
        let entry = self.by_text.get_mut(text).filter(|entry| entry.valid == now && at < entry.parsed + MAX_AGE)?;
        entry.used = self.clock;
        Some(entry.prepared.clone())
    }

    fn name(&self, number: u64) -> String {
        format!("{PREFIX}{:016x}_{number}", self.names.unwrap_or_default())
    }

    /// A name that no statement of the cache has.
    pub fn spare_name(&self) -> String {
        self.name(0)
    }

    /// Registers a new statement for `text`, in place of a stale one or the one that was used longest ago.
    pub fn insert(&mut self, text: &str, now: Validity, at: Instant) -> Arc<Prepared> {
        let replaced = self.by_text.remove(text).or_else(|| {
            let full = self.by_text.len() >= self.capacity;
            let oldest = self.by_text.iter().filter(|_| full).min_by_key(|(_, entry)| entry.used).map(|(text, _)| text.clone());
            oldest.and_then(|text| self.by_text.remove(&text))
        });
        self.obsolete.extend(replaced.map(|entry| entry.prepared));
        self.next += 1;
        self.clock += 1;
        let prepared = Arc::new(Prepared { name: self.name(self.next), columns: OnceLock::new() });
        let entry = Entry { prepared: prepared.clone(), valid: now, parsed: at, used: self.clock };
        self.by_text.insert(text.to_owned(), entry);
        prepared
    }

    /// Forgets `prepared`, unless another has taken its place: its Parse failed, or the server's copy can no longer be used.
    pub fn remove(&mut self, text: &str, prepared: &Arc<Prepared>) {
        if self.by_text.get(text).is_some_and(|entry| Arc::ptr_eq(&entry.prepared, prepared)) {
            self.by_text.remove(text);
            // Closing a statement that does not exist is no error, says the protocol.
            self.obsolete.push(prepared.clone());
        }
    }

    /// Forgets the statement for `text`, if there is one.
    pub fn forget(&mut self, text: &str) {
        if let Some(entry) = self.by_text.remove(text) {
            self.obsolete.push(entry.prepared);
        }
    }

    /// The statements to close on the server.
    pub fn take_obsolete(&mut self) -> Vec<Arc<Prepared>> {
        std::mem::take(&mut self.obsolete)
    }

    /// Forgets all: DEALLOCATE ALL or DISCARD ALL has run.
    pub fn clear(&mut self) {
        self.by_text.clear();
        self.obsolete.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Validity = Validity { schema: 0, settings: 0 };

    #[test]
    fn the_least_recently_used_statement_makes_room() {
        let (mut statements, at) = (Statements::new(2, Pooler::default()), Instant::now());
        let first = statements.insert("a", START, at);
        let second = statements.insert("b", START, at);
        assert!(Arc::ptr_eq(&statements.get("a", START, at).unwrap(), &first));
        statements.insert("c", START, at);
        assert!(Arc::ptr_eq(&statements.take_obsolete()[0], &second));
        assert!(statements.get("b", START, at).is_none());
        assert!(statements.get("a", START, at).is_some());
    }

    #[test]
    fn a_change_of_schema_or_settings_makes_statements_stale() {
        for later in [Validity { schema: 1, ..START }, Validity { settings: 1, ..START }] {
            let (mut statements, at) = (Statements::new(2, Pooler::default()), Instant::now());
            let stale = statements.insert("a", START, at);
            assert!(statements.get("a", later, at).is_none());
            statements.insert("a", later, at);
            assert!(statements.get("a", later, at).is_some());
            assert!(Arc::ptr_eq(&statements.take_obsolete()[0], &stale));
        }
    }

    #[test]
    fn a_statement_ages_however_often_it_is_used() {
        let (mut statements, at) = (Statements::new(2, Pooler::default()), Instant::now());
        statements.insert("a", START, at);
        assert!(statements.get("a", START, at + MAX_AGE - Duration::from_millis(1)).is_some());
        assert!(statements.get("a", START, at + MAX_AGE).is_none());
        statements.insert("a", START, at + MAX_AGE);
        assert!(statements.get("a", START, at + MAX_AGE).is_some());
        assert_eq!(statements.take_obsolete().len(), 1);
    }

    #[test]
    fn a_statement_that_was_replaced_is_not_removed_by_its_predecessor() {
        let (mut statements, at) = (Statements::new(2, Pooler::default()), Instant::now());
        let first = statements.insert("a", START, at);
        let second = statements.insert("a", START, at);
        statements.remove("a", &first);
        assert!(Arc::ptr_eq(&statements.get("a", START, at).unwrap(), &second));
    }
}
