//! Any text as a connection string, by both sets of rules.
#![no_main]

use std::collections::HashMap;

use lakebase_native::config::{resolve, resolve_client};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|text: &str| {
    let options = Map::from_iter([("connectionString".to_owned(), Value::from(text))]);
    let environment = HashMap::from([("USER".to_owned(), "user".to_owned())]);
    for result in [resolve(&options, &environment), resolve_client(&options, &environment)] {
        if let Err(error) = result {
            assert!(!error.to_string().is_empty());
        }
    }
});
