//! A server that answers a login with any bytes.
#![no_main]

use lakebase_native::wire::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8])| {
    let (encrypted, bytes) = input;
    fuzzing::login(encrypted, bytes);
});
