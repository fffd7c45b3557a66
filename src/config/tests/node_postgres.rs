//! `lakebase-native/pg`: node-postgres' own rules.

use std::time::Duration;

use serde_json::json;

use super::{client, env, nothing, options, problem};
use crate::config::{Host, Login, SslMode, resolve_client};

#[test]
fn the_defaults_are_those_of_pg() {
    let config = client(nothing(), &[]);
    assert_eq!(config.connect.host, Host::Tcp("localhost".into()));
    assert_eq!((&*config.connect.user, &*config.connect.database, config.connect.port), ("os-user", "os-user", 5432));
    assert_eq!(config.connect.ssl.mode, SslMode::Disable);
    assert_eq!(config.connect.keep_alive, None);
    assert!(!config.connect.channel_binding);
    assert!(matches!(config.login, Login::None));
    assert_eq!((config.pool.max, config.pool.min), (10, 0));
    assert_eq!((config.pool.idle_timeout, config.pool.connection_timeout), (Some(Duration::from_secs(10)), None));
    assert!(!config.pool.retry_connect);
}

#[test]
fn nothing_of_lakebase_is_read() {
    let config = client(
        json!({"endpoint": 1, "token": false, "sslMode": "disable", "unknown": {}}),
        &[
            ("LAKEBASE_HOSTNAME", "h"),
            ("LAKEBASE_ENDPOINT", "x"),
            ("DATABRICKS_CLIENT_ID", "id"),
            ("DATABASE_URL", "postgres://u@url/d"),
            ("PGSSLROOTCERT", "/no/such/file"),
            ("PGSSLMODE", "require"),
        ],
    );
    assert_eq!(config.connect.host, Host::Tcp("localhost".into()));
    assert_eq!(config.connect.user, "os-user");
    assert_eq!(config.connect.ssl.mode, SslMode::VerifyFull);
    assert!(matches!(config.login, Login::None));
}

#[test]
fn pg_variables_are_read() {
    let config = client(
        nothing(),
        &[
            ("PGHOST", "h"),
            ("PGPORT", "1"),
            ("PGUSER", "u"),
            ("PGDATABASE", "d"),
            ("PGPASSWORD", "p"),
            ("PGAPPNAME", "a"),
            ("PGOPTIONS", "-c a=b"),
            ("PGREPLICATION", "database"),
        ],
    );
    assert_eq!(config.connect.host, Host::Tcp("h".into()));
    assert_eq!((&*config.connect.user, &*config.connect.database, config.connect.port), ("u", "d", 1));
    assert_eq!((config.connect.application_name.as_deref(), config.connect.options.as_deref()), (Some("a"), Some("-c a=b")));
    assert!(config.connect.startup_parameters.contains(&("replication".into(), "database".into())));
    assert!(matches!(config.login, Login::Password(password) if password.expose() == "p"));
}

#[test]
fn a_connection_string_decides_even_what_it_leaves_out() {
    let string = "postgres://h/d?statement_timeout=5";
    let given = json!({"connectionString": string, "user": "option", "password": "option", "port": 9, "statement_timeout": 6});
    let config = client(given, &[("PGPORT", "7"), ("PGPASSWORD", "variable")]);
    assert_eq!((&*config.connect.user, config.connect.port), ("os-user", 7));
    assert_eq!(config.connect.options.as_deref(), Some("-c statement_timeout=5"));
    assert!(matches!(config.login, Login::Password(password) if password.expose() == "variable"));
}

#[test]
fn tls_words_mean_what_they_mean_to_pg() {
    use SslMode::{Disable, NoVerify, VerifyFull};
    for (given, mode) in [
        (json!({"ssl": true}), VerifyFull),
        (json!({"ssl": "true"}), VerifyFull),
        (json!({"ssl": {}}), VerifyFull),
        (json!({"ssl": {"rejectUnauthorized": false}}), NoVerify),
        (json!({"ssl": "no-verify"}), NoVerify),
        (json!({"ssl": false}), Disable),
    ] {
        assert_eq!(client(given.clone(), &[]).connect.ssl.mode, mode, "{given}");
    }
    for (query, mode) in [
        ("", Disable),
        ("sslmode=disable", Disable),
        ("sslmode=prefer", VerifyFull),
        ("sslmode=require", VerifyFull),
        ("sslmode=verify-ca", VerifyFull),
        ("sslmode=verify-full", VerifyFull),
        ("sslmode=no-verify", NoVerify),
        ("ssl=true", VerifyFull),
        ("ssl=1", VerifyFull),
        ("ssl=0", Disable),
        ("ssl=no-verify", NoVerify),
        ("sslnegotiation=direct", VerifyFull),
        ("uselibpqcompat=true&sslmode=require", NoVerify),
        ("uselibpqcompat=true&sslmode=prefer", NoVerify),
        ("uselibpqcompat=true&sslmode=verify-full", VerifyFull),
    ] {
        let given = json!({"connectionString": format!("postgres://u@h/d?{query}")});
        assert_eq!(client(given, &[]).connect.ssl.mode, mode, "{query}");
    }
    for (word, mode) in [
        ("disable", Disable),
        ("prefer", VerifyFull),
        ("require", VerifyFull),
        ("verify-ca", VerifyFull),
        ("no-verify", NoVerify),
        ("what", Disable),
    ] {
        assert_eq!(client(nothing(), &[("PGSSLMODE", word)]).connect.ssl.mode, mode, "{word}");
    }
}

#[test]
fn direct_negotiation_needs_tls() {
    let shown = problem(resolve_client(&options(json!({"sslnegotiation": "direct"})), &env(&[("USER", "u")])));
    assert!(shown.starts_with("sslnegotiation (PGSSLNEGOTIATION): found \"direct\": expected postgres"), "{shown}");
    assert!(client(json!({"sslnegotiation": "direct", "ssl": true}), &[]).connect.direct_tls);
}

#[test]
fn falsy_pool_options_fall_back_to_the_defaults() {
    let config = client(json!({"max": 0, "poolSize": 4, "maxUses": 0, "maxLifetimeSeconds": 0, "min": 0, "user": "", "host": ""}), &[]);
    assert_eq!((config.pool.max, config.pool.max_uses, config.pool.max_lifetime), (4, None, None));
    assert_eq!(config.connect.user, "os-user");
    assert_eq!(client(json!({"idleTimeoutMillis": 1500.5, "keepAlive": 1}), &[]).pool.idle_timeout, Some(Duration::from_millis(1500)));
}

#[test]
fn a_password_function_is_a_callback() {
    assert!(matches!(client(json!({"password": {"$function": true}}), &[]).login, Login::Callback));
}

#[test]
fn without_any_user_there_is_one_problem() {
    assert!(problem(resolve_client(&options(nothing()), &env(&[]))).starts_with("user (PGUSER): found nothing"));
}
