//! A server that answers queries with any bytes: every query is answered once, and what came whole can be packed.
#![no_main]

use lakebase_native::batch::{Batch, Decoding, Shapes};
use lakebase_native::wire::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (wanted, bytes) = input;
    let (mut batch, mut shapes) = (Batch::default(), Shapes::default());
    for response in fuzzing::session(wanted, bytes) {
        batch.response(1, &response, Decoding::ALL, &mut shapes);
    }
    batch.finish();
    batch.chunks().for_each(drop);
});
