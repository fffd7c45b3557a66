//! The behaviour of the three entry points, one file per subject.

mod connection_string;
mod credential;
mod hosting;
mod lakebase;
mod never_panics;
mod node_postgres;
mod secrets;
mod ssl;
mod wrong_input;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Config, resolve, resolve_client};
use crate::error::{Error, Kind};

const ENDPOINT: &str = "projects/shop/branches/main/endpoints/primary";

fn options(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(options) => options,
        _ => panic!("options are an object"),
    }
}

fn env(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The environment of a deployed app, changed by `pairs`; an empty value takes a variable away.
fn deployed(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let mut variables = env(&[
        ("DATABRICKS_HOST", "https://ws.cloud.databricks.com"),
        ("DATABRICKS_CLIENT_ID", "client-1"),
        ("DATABRICKS_CLIENT_SECRET", "client-secret"),
        ("LAKEBASE_ENDPOINT", ENDPOINT),
        ("PGHOST", "ep-1.database.cloud.databricks.com"),
        ("PGDATABASE", "databricks_postgres"),
    ]);
    variables.extend(env(pairs));
    variables
}

fn lakebase(given: Value, pairs: &[(&str, &str)]) -> Config {
    resolve(&options(given), &deployed(pairs)).expect("a usable configuration")
}

/// Resolved settings of node-postgres', with a user.
fn client(given: Value, pairs: &[(&str, &str)]) -> Config {
    let mut settings = options(given);
    settings.entry("user").or_insert_with(|| "u".into());
    resolve_client(&settings, &env(pairs)).expect("a usable configuration")
}

/// The problems as they are printed.
fn problems<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<String> {
    let error = result.expect_err("an unusable configuration");
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(error.code(), Some("CONFIGURATION_ERROR"));
    error.problems().iter().map(ToString::to_string).collect()
}

/// The only problem, as it is printed.
fn problem<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let mut problems = problems(result);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.remove(0)
}

fn nothing() -> Value {
    json!({})
}
