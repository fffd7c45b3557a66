//! Any bytes as the workspace's answer to a request for a token.
#![no_main]

use lakebase_native::{auth, credential};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    credential::fuzz_answer(body);
    auth::fuzz_answer(body);
});
