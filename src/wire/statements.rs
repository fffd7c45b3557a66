//! The statement cache of one connection: which texts are prepared under which names.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::result::RowDescription;

/// Names of cached statements start with this, so that they meet neither a caller's own names nor those of a tool.
const PREFIX: &str = "lakebase_";

/// A statement that is prepared on the server, or whose Parse is on its way. Requests in flight share it with the cache.
pub(super) struct Prepared {
    pub name: String,
    /// Set when the server has described it; `None` inside when it returns no rows.
    pub columns: OnceLock<Option<Arc<RowDescription>>>,
}

struct Entry {
    prepared: Arc<Prepared>,
    /// The generation and transaction in which it was parsed: see [`Statements::is_current`].
    generation: u64,
    transaction: u64,
    used: u64,
}

/// Least recently used out first. A capacity of 0 turns the cache off.
pub(super) struct Statements {
    by_text: HashMap<String, Entry>,
    /// Forgotten here, still prepared on the server.
    obsolete: Vec<Arc<Prepared>>,
    capacity: usize,
    clock: u64,
    next: u64,
}

/// What must hold for a cached statement to be used as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    /// Moves whenever a statement that can change a schema has run in this pool.
    pub generation: u64,
    /// The current transaction block of this connection, `None` outside one.
    pub transaction: Option<u64>,
}

impl Statements {
    pub fn new(capacity: usize) -> Self {
        Self { by_text: HashMap::new(), obsolete: Vec::new(), capacity, clock: 0, next: 0 }
    }

    pub fn is_enabled(&self) -> bool {
        self.capacity > 0
    }

    /// The cached statement for `text`, if it may be used.
    ///
    /// Outside a transaction a stale plan shows as an error before anything ran, and the query is parsed afresh and sent again. Inside
    /// one that error would already have aborted the caller's transaction, so there a statement is parsed on its first use in every
    /// transaction block; from then on the block's own locks keep its tables as they are.
    pub fn get(&mut self, text: &str, now: Validity) -> Option<Arc<Prepared>> {
        self.clock += 1;
        let entry = self.by_text.get_mut(text)?;
        let parsed_here = now.transaction.is_none_or(|transaction| entry.transaction == transaction);
        if entry.generation != now.generation || !parsed_here {
            return None;
        }
        entry.used = self.clock;
        Some(entry.prepared.clone())
    }

    /// Registers a new statement for `text`, in place of a stale one or the one that was used longest ago.
    pub fn insert(&mut self, text: &str, now: Validity) -> Arc<Prepared> {
        let replaced = self.by_text.remove(text).or_else(|| {
            let full = self.by_text.len() >= self.capacity;
            let oldest = self.by_text.iter().filter(|_| full).min_by_key(|(_, entry)| entry.used).map(|(text, _)| text.clone());
            oldest.and_then(|text| self.by_text.remove(&text))
        });
        self.obsolete.extend(replaced.map(|entry| entry.prepared));
        self.next += 1;
        self.clock += 1;
        let prepared = Arc::new(Prepared { name: format!("{PREFIX}{}", self.next), columns: OnceLock::new() });
        let entry =
            Entry { prepared: prepared.clone(), generation: now.generation, transaction: now.transaction.unwrap_or(0), used: self.clock };
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

    const OUTSIDE: Validity = Validity { generation: 0, transaction: None };

    #[test]
    fn the_least_recently_used_statement_makes_room() {
        let mut statements = Statements::new(2);
        let first = statements.insert("a", OUTSIDE);
        let second = statements.insert("b", OUTSIDE);
        assert!(Arc::ptr_eq(&statements.get("a", OUTSIDE).unwrap(), &first));
        statements.insert("c", OUTSIDE);
        assert!(Arc::ptr_eq(&statements.take_obsolete()[0], &second));
        assert!(statements.get("b", OUTSIDE).is_none());
        assert!(statements.get("a", OUTSIDE).is_some());
    }

    #[test]
    fn a_schema_change_makes_statements_stale() {
        let mut statements = Statements::new(2);
        let stale = statements.insert("a", OUTSIDE);
        let later = Validity { generation: 1, ..OUTSIDE };
        assert!(statements.get("a", later).is_none());
        statements.insert("a", later);
        assert!(Arc::ptr_eq(&statements.take_obsolete()[0], &stale));
    }

    #[test]
    fn every_transaction_parses_once() {
        let mut statements = Statements::new(2);
        statements.insert("a", OUTSIDE);
        let inside = Validity { generation: 0, transaction: Some(7) };
        assert!(statements.get("a", inside).is_none());
        statements.insert("a", inside);
        assert!(statements.get("a", inside).is_some());
        assert!(statements.get("a", OUTSIDE).is_some());
        assert!(statements.get("a", Validity { transaction: Some(8), ..inside }).is_none());
    }

    #[test]
    fn a_statement_that_was_replaced_is_not_removed_by_its_predecessor() {
        let mut statements = Statements::new(2);
        let first = statements.insert("a", OUTSIDE);
        let second = statements.insert("a", OUTSIDE);
        statements.remove("a", &first);
        assert!(Arc::ptr_eq(&statements.get("a", OUTSIDE).unwrap(), &second));
    }
}
