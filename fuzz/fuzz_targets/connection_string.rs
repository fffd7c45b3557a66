//! Any text as a connection string, as `createLakebasePool()` reads it.
#![no_main]

use std::collections::HashMap;

use lakebase_native::config::resolve;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|text: &str| {
    let options = Map::from_iter([("connectionString".to_owned(), Value::from(text))]);
    let environment = HashMap::from([("USER".to_owned(), "user".to_owned())]);
    if let Err(error) = resolve(&options, &environment) {
        assert!(!error.to_string().is_empty());
    }
});
