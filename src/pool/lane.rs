//! Connections that are running `pool.query()` calls, and which of them may take one more.

use std::time::Duration;

use bb8::PooledConnection;

use super::manager::Manager;
use crate::wire::ConnectionId;

/// How long the query at the head may have run, beyond a few round trips, before nothing more is put behind it.
const HEAD_BOUND: Duration = Duration::from_millis(5);

pub(super) struct Lane {
    pub member: PooledConnection<'static, Manager>,
    /// It runs a query that must not share the connection.
    pub exclusive: bool,
}

impl Lane {
    pub fn id(&self) -> ConnectionId {
        self.member.connection.id()
    }

    pub fn outstanding(&self) -> usize {
        self.member.connection.outstanding()
    }

    fn has_room(&self, limit: usize) -> bool {
        let connection = &self.member.connection;
        // The head's age includes the way there and back.
        let bound = HEAD_BOUND + connection.session().round_trip * 3;
        // A lane may be waiting for a statement that left a transaction open (`pool.query('BEGIN')`): not the place for other callers.
        !self.exclusive
            && connection.outstanding() < limit
            && !self.member.is_spent()
            && connection.transaction_status() == b'I'
            && connection.head_age() < bound
    }
}

/// The least loaded lane that may take one more query; the `reserved` least loaded ones are left to drain, for callers who wait for a
/// connection of their own.
pub(super) fn with_room(lanes: &mut [Lane], limit: usize, reserved: usize) -> Option<&mut Lane> {
    if reserved > 0 {
        lanes.sort_by_key(Lane::outstanding);
    }
    lanes.iter_mut().skip(reserved).filter(|lane| lane.has_room(limit)).min_by_key(|lane| lane.outstanding())
}
