//! The columns of results that one JavaScript thread has been told of.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::columns::Layout;
use super::kind::Kind;
use super::{Batch, Event};
use crate::limits::{MAX_SHAPE_COLUMNS, MAX_SHAPES};
use crate::wire::{RowDescription, StatementResult};

#[derive(Default)]
pub struct Shapes {
    known: HashMap<(Bytes, Vec<Kind>), (i32, Arc<Layout>)>,
    /// The columns of all known shapes.
    columns: usize,
    next: i32,
}

impl Shapes {
    /// Forgets all shapes, on both sides, if those of these results might be too many.
    pub(super) fn make_room(&mut self, results: &[StatementResult], batch: &mut Batch) {
        let columns: usize = results.iter().filter_map(|result| Some(result.columns.as_ref()?.fields.len())).sum();
        let fits = self.known.len() + results.len() <= MAX_SHAPES && self.columns + columns <= MAX_SHAPE_COLUMNS;
        if !fits && !self.known.is_empty() {
            self.known.clear();
            self.columns = 0;
            batch.event(0, &Event::ForgetShapes);
        }
    }

    /// The number and layout of these columns, which are announced if they are new; `None` if they are too many to be.
    pub(super) fn get(&mut self, columns: &RowDescription, kinds: Vec<Kind>, batch: &mut Batch) -> Option<(i32, Arc<Layout>)> {
        let key = (columns.wire.clone(), kinds);
        if let Some((shape, layout)) = self.known.get(&key) {
            return Some((*shape, layout.clone()));
        }
        self.next = self.next.wrapping_add(1) & i32::MAX;
        let layout = Arc::new(Layout::new(&key.1));
        let fields: Vec<_> = columns
            .fields
            .iter()
            .map(|field| {
                json!([field.name, field.table_id, field.column_id, field.type_id, field.type_size, field.type_modifier, field.binary])
            })
            .collect();
        let kinds: Vec<u8> = key.1.iter().map(|kind| *kind as u8).collect();
        if !batch.event(0, &Event::Shape { shape: self.next, fields: fields.into(), kinds }) {
            return None;
        }
        self.columns += columns.fields.len();
        self.known.insert(key, (self.next, layout.clone()));
        Some((self.next, layout))
    }
}
