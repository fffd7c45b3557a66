//! What comes back from a connection: rows as the server sent them, and what it said about them.

use std::sync::Arc;

use bytes::Bytes;

use super::session::ConnectionId;

/// One column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// OID of the table the column comes from, 0 when it is computed.
    pub table_id: u32,
    /// Attribute number in that table, 0 when it is computed.
    pub column_id: i16,
    /// OID of the type.
    pub type_id: u32,
    /// `pg_type.typlen`; negative for types of variable length.
    pub type_size: i16,
    /// `pg_attribute.atttypmod`, -1 when there is none.
    pub type_modifier: i32,
    pub binary: bool,
}

/// The columns of a result. `wire` is the RowDescription's body and identifies it: equal bytes, equal columns.
#[derive(Debug)]
pub struct RowDescription {
    pub wire: Bytes,
    pub fields: Vec<Field>,
}

/// The rows of one result: bodies of DataRow messages one after another, untouched.
///
/// A body is an `i16` count of cells, then per cell an `i32` length (-1: null) and that many bytes.
#[derive(Default)]
pub struct Rows {
    wire: Vec<u8>,
    count: usize,
    lost: bool,
}

/// The outcome of one statement.
#[derive(Default)]
pub struct StatementResult {
    /// `None` when the statement returns no rows.
    pub columns: Option<Arc<RowDescription>>,
    pub rows: Rows,
    /// The command tag (`INSERT 0 1`); `None` for an empty query and a portal that was suspended.
    pub tag: Option<String>,
}

/// Everything the server answered to one request, up to ReadyForQuery.
pub struct Response {
    /// One per statement: several only for a simple query with several statements.
    pub results: Vec<StatementResult>,
    /// `I` idle, `T` in a transaction, `E` in a failed transaction.
    pub transaction_status: u8,
    pub connection: ConnectionId,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Size on the wire, in bytes.
    pub fn wire_len(&self) -> usize {
        self.wire.len()
    }

    /// Appends the body of a DataRow. Where the memory for it cannot be had, all rows are given up.
    pub fn push(&mut self, body: &[u8]) {
        if self.lost {
            return;
        }
        if self.wire.try_reserve(body.len()).is_err() {
            *self = Self { lost: true, ..Self::default() };
            return;
        }
        self.wire.extend_from_slice(body);
        self.count += 1;
    }

    /// There was no memory for them.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// The rows in order.
    pub fn cursor(&self) -> RowCursor<'_> {
        RowCursor(&self.wire)
    }
}

/// Walks the rows: [`start_row`](Self::start_row), then [`next_cell`](Self::next_cell) as often as it said.
pub struct RowCursor<'a>(&'a [u8]);

impl<'a> RowCursor<'a> {
    /// The number of cells of the next row; `None` behind the last.
    pub fn start_row(&mut self) -> Option<usize> {
        let (count, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        usize::try_from(i16::from_be_bytes(*count)).ok()
    }

    /// The next cell: `None` at a malformed end, `Some(None)` for null.
    #[inline]
    pub fn next_cell(&mut self) -> Option<Option<&'a [u8]>> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        if length < 0 {
            self.0 = rest;
            return Some(None);
        }
        let (value, rest) = rest.split_at_checked(length as usize)?;
        self.0 = rest;
        Some(Some(value))
    }
}
