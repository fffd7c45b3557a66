//! Where there is no memory for a result, its query fails; the process does not abort.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use lakebase_native::batch::{Batch, Chunk, Decoding, Shapes};
use lakebase_native::wire::{Field, Response, RowDescription, Rows, StatementResult};

thread_local! {
    /// The largest allocation that this thread gets.
    static LARGEST: Cell<usize> = const { Cell::new(usize::MAX) };
}

struct Limited;

// SAFETY: what is granted is the system's; null means that nothing was.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST.get() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > LARGEST.get() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's own promise.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's own promise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Limited = Limited;

const MEBIBYTE: usize = 1 << 20;

fn limited<T>(largest: usize, work: impl FnOnce() -> T) -> T {
    LARGEST.set(largest);
    let value = work();
    LARGEST.set(usize::MAX);
    value
}

/// The body of a DataRow with one cell of this length.
fn body(length: usize) -> Vec<u8> {
    let mut body = vec![0, 1];
    body.extend((length as i32).to_be_bytes());
    body.resize(6 + length, b'1');
    body
}

fn response(type_id: u32, rows: Rows) -> Response {
    let name = "column".to_owned();
    let field = Field { name, table_id: 0, column_id: 0, type_id, type_size: -1, type_modifier: -1, binary: false };
    let columns = RowDescription { wire: vec![type_id as u8].into(), fields: vec![field] };
    let result = StatementResult { columns: Some(Arc::new(columns)), rows, tag: None };
    Response { results: vec![result], transaction_status: b'I', connection: 1 }
}

fn packed(response: &Response) -> String {
    let mut batch = Batch::default();
    batch.response(1, response, Decoding::ALL, &mut Shapes::default());
    batch.finish();
    batch
        .chunks()
        .map(|chunk| if let Chunk::Latin1(text) = chunk { String::from_utf8_lossy(text).into_owned() } else { String::new() })
        .collect()
}

#[test]
fn rows_that_do_not_fit_into_memory_are_given_up() {
    let (mut rows, row) = (Rows::default(), body(100_000));
    limited(MEBIBYTE, || (0..100).for_each(|_| rows.push(&row)));
    assert!(rows.is_lost() && rows.is_empty() && rows.wire_len() == 0);
    assert!(packed(&response(25, rows)).contains("OUT_OF_MEMORY"));
}

#[test]
fn a_result_that_does_not_fit_into_memory_once_more_is_an_error() {
    // Texts, JSON, and words only.
    for (type_id, count, length) in [(25, 1, 4 * MEBIBYTE), (114, 40, 100_000), (23, 1_000_000, 1)] {
        let (mut rows, row) = (Rows::default(), body(length));
        (0..count).for_each(|_| rows.push(&row));
        let response = response(type_id, rows);
        assert!(limited(2 * MEBIBYTE, || packed(&response)).contains("OUT_OF_MEMORY"), "type {type_id}");
        assert!(!packed(&response).contains("OUT_OF_MEMORY"));
    }
}
