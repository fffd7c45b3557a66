//! Wrong input gives one error with every problem.

use serde_json::{Value, json};

use super::{deployed, env, nothing, options, problem, problems};
use crate::config::resolve;

#[test]
fn an_empty_environment_lists_all_that_is_needed() {
    let shown = problems(resolve(&options(nothing()), &env(&[])));
    let named: Vec<_> = shown.iter().map(|problem| problem.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        named,
        [
            "endpoint (LAKEBASE_ENDPOINT)",
            "databricksHost (DATABRICKS_HOST)",
            "token (DATABRICKS_TOKEN)",
            "host (PGHOST)",
            "user (PGUSER)",
            "database (PGDATABASE)",
        ]
    );
    let choices = &shown[0];
    for choice in ["projects/<project>", "instanceName (LAKEBASE_INSTANCE_NAME)", "password", "connectionString", "DATABASE_URL"] {
        assert!(choices.contains(choice), "{choices}");
    }
}

#[test]
fn every_problem_is_in_one_error() {
    let given = json!({"max": 0, "port": 70000, "sslMode": "requier", "endpoint": "x", "maxx": 1, "keepAlive": "yes"});
    let shown = problems(resolve(&options(given.clone()), &deployed(&[])));
    assert_eq!(shown.len(), 6, "{shown:#?}");
    let message = resolve(&options(given), &deployed(&[])).unwrap_err().to_string();
    for problem in shown {
        assert!(message.contains(&format!("\n  - {problem}")), "{message}");
    }
}

#[test]
fn each_problem_says_what_was_found_and_what_is_expected() {
    for (given, expected) in [
        (json!({"port": 0}), "port (PGPORT): found 0: expected a whole number from 1 to 65535"),
        (json!({"port": "54x"}), "port (PGPORT): found \"54x\": expected a whole number from 1 to 65535"),
        (json!({"max": 0}), "max: found 0: expected a whole number from 1 to 10000 (connections)"),
        (json!({"max": 1.5}), "max: found 1.5: expected a whole number from 1 to 10000 (connections)"),
        (json!({"max": {"$number": "NaN"}}), "max: found NaN: expected a whole number from 1 to 10000 (connections)"),
        (json!({"max": 1e300}), "max: found 1e+300: expected a whole number from 1 to 10000 (connections)"),
        (json!({"min": 11}), "min: found 11: expected a whole number that is not above max, which is 10"),
        (json!({"min": -1}), "min: found -1: expected a whole number from 0 to 10000 (connections)"),
        (json!({"idleTimeoutMillis": true}), "idleTimeoutMillis: found true: expected a whole number from 0 to 2147483647 (milliseconds)"),
        (json!({"query_timeout": "1s"}), "query_timeout: found \"1s\": expected a whole number from 0 to 2147483647 (milliseconds)"),
        (json!({"maxLifetimeSeconds": 1e9}), "maxLifetimeSeconds: found 1000000000: expected a whole number from 0 to 2147483 (seconds)"),
        (json!({"maxPipeline": 0}), "maxPipeline: found 0: expected a whole number from 1 to 10000 (requests)"),
        (json!({"statementCacheSize": -1}), "statementCacheSize: found -1: expected a whole number from 0 to 100000 (statements)"),
        (
            json!({"tokenRefreshBufferMillis": 3600000}),
            "tokenRefreshBufferMillis: found 3600000: expected a whole number from 0 to 3300000 (milliseconds)",
        ),
        (json!({"allowExitOnIdle": 1}), "allowExitOnIdle: found 1: expected true or false"),
        (json!({"database": ""}), "database (PGDATABASE): found an empty string: expected a string that is not empty"),
        (json!({"user": 5}), "user (PGUSER): found 5: expected a string that is not empty"),
        (json!({"application_name": "a\u{0}b"}), "application_name (PGAPPNAME): found \"a\\0b\": expected a string without NUL characters"),
        (
            json!({"client_encoding": "LATIN1"}),
            "client_encoding: found \"LATIN1\": expected UTF8, the only encoding that JavaScript strings are read from",
        ),
        (json!({"sslnegotiation": "maybe"}), "sslnegotiation (PGSSLNEGOTIATION): found \"maybe\": expected postgres or direct"),
        (json!({"maxx": 1}), "maxx: found an unknown option: expected a known option: did you mean max?"),
        (
            json!({"workspaceClient": {}}),
            "workspaceClient: found an unknown option: expected a known option: docs/options.md of lakebase-native lists them",
        ),
    ] {
        assert_eq!(problem(resolve(&options(given), &deployed(&[]))), expected);
    }
}

#[test]
fn a_wrong_variable_is_named_itself() {
    let shown = problem(resolve(&options(nothing()), &deployed(&[("PGHOST", ""), ("LAKEBASE_HOSTNAME", "https://db.example")])));
    assert!(shown.starts_with("host (LAKEBASE_HOSTNAME): found \"https://db.example\": expected a host name"), "{shown}");
}

#[test]
fn hosts_are_bare_names() {
    for host in ["https://db.example", "db.example:5432", "a,b", "user@db"] {
        assert!(problem(resolve(&options(json!({"host": host})), &deployed(&[]))).starts_with("host (PGHOST): found"), "{host}");
    }
    let given = json!({"connectionString": "postgres://u:p@a,b/d"});
    assert!(problem(resolve(&options(given), &deployed(&[]))).starts_with("connectionString: found host=\"a,b\": expected a host name"));
}

#[test]
fn the_pooled_host_is_refused_for_tokens() {
    let shown = problem(resolve(&options(nothing()), &deployed(&[("PGHOST", "ep-1-pooler.database.example")])));
    assert!(shown.contains("pooled host does not accept OAuth tokens"), "{shown}");
}

#[test]
fn an_unreadable_connection_string_is_one_problem_and_not_shown() {
    for (given, pairs) in [
        (json!({"connectionString": "mysql://u:p@h/d"}), &[][..]),
        (json!({"connectionString": "postgres://u:a/b@h/d"}), &[]),
        (nothing(), &[("DATABASE_URL", "mysql://u:p@h/d")]),
    ] {
        let shown = problem(resolve(&options(given), &env(pairs)));
        assert!(shown.starts_with("connectionString (DATABASE_URL): found a string of "), "{shown}");
        assert!(shown.contains("expected postgres://user:password@host:port/database"), "{shown}");
    }
    let shown = problem(resolve(&options(json!({"connectionString": 5})), &env(&[])));
    assert_eq!(shown, "connectionString (DATABASE_URL): found a number: expected a string that is not empty");
}

#[test]
fn parameters_of_a_connection_string_are_checked() {
    for (query, found) in [
        ("sslmode=allow", "connectionString: found sslmode=\"allow\": expected require"),
        ("port=0", "connectionString: found port=\"0\": expected a whole number"),
        ("statement_timeout=5s", "connectionString: found statement_timeout=\"5s\": expected a whole number"),
        ("channel_binding=maybe", "connectionString: found channel_binding=\"maybe\": expected disable, prefer or require"),
        ("uselibpqcompat=true&sslmode=verify-ca", "connectionString: found sslmode=\"verify-ca\": expected sslrootcert"),
        ("connect_timeout=x", "connectionString: found connect_timeout=\"x\": expected a whole number"),
    ] {
        let given = json!({"connectionString": format!("postgres://u:p@h/d?{query}")});
        let shown = problem(resolve(&options(given), &deployed(&[])));
        assert!(shown.starts_with(found), "{shown}");
    }
}

#[test]
fn null_is_the_same_as_not_given() {
    let given: Value = json!({"max": null, "nonsense": null, "ssl": null, "password": null, "connectionString": null});
    assert!(resolve(&options(given), &deployed(&[])).is_ok());
}
