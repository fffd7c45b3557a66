//! Any bytes through a tunnel, in both directions.
#![no_main]

use lakebase_native::wire::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzing::inspect(bytes));
