//! `lakebase-native/pg`: settings that ts/config has resolved.

use std::time::Duration;

use serde_json::json;

use super::{client, env, nothing, options, problem};
use crate::config::{Host, Login, SslMode, resolve_client};

#[test]
fn what_is_not_given_is_off() {
    let config = client(nothing(), &[]);
    assert_eq!(config.connect.host, Host::Tcp("localhost".into()));
    assert_eq!((&*config.connect.user, &*config.connect.database, config.connect.port), ("u", "u", 5432));
    assert_eq!(config.connect.ssl.mode, SslMode::Disable);
    assert_eq!(config.connect.keep_alive, None);
    assert!(!config.connect.channel_binding);
    assert!(!config.connect.requires_password);
    assert!(matches!(config.login, Login::None));
    assert_eq!((config.pool.idle_timeout, config.pool.connection_timeout), (None, None));
    assert!(!config.pool.retry_connect && config.pool.close_after_error);
}

#[test]
fn of_the_environment_only_the_trusted_certificates_count() {
    let variables = [
        ("PGHOST", "h"),
        ("PGPORT", "1"),
        ("PGDATABASE", "d"),
        ("PGPASSWORD", "p"),
        ("PGAPPNAME", "a"),
        ("PGOPTIONS", "-c a=b"),
        ("PGSSLMODE", "require"),
        ("PGSSLNEGOTIATION", "direct"),
        ("PGSSLROOTCERT", "/no/such/file"),
        ("LAKEBASE_HOSTNAME", "h"),
        ("DATABASE_URL", "postgres://u@url/d"),
        ("NODE_EXTRA_CA_CERTS", "/extra.pem"),
    ];
    let config = client(json!({"connectionString": "postgres://other", "endpoint": 1, "sslMode": "require"}), &variables);
    assert_eq!(config.connect.host, Host::Tcp("localhost".into()));
    assert_eq!((&*config.connect.database, config.connect.port), ("u", 5432));
    assert_eq!((config.connect.application_name, config.connect.options), (None, None));
    assert_eq!((config.connect.ssl.mode, config.connect.direct_tls), (SslMode::Disable, false));
    assert_eq!(config.connect.ssl.extra_ca_files, ["/extra.pem"].map(std::path::PathBuf::from));
    assert!(matches!(config.login, Login::None));
}

#[test]
fn tls_is_what_the_resolved_option_says() {
    use SslMode::{Disable, NoVerify, VerifyFull};
    for (given, mode) in [
        (json!({"ssl": true}), VerifyFull),
        (json!({"ssl": {}}), VerifyFull),
        (json!({"ssl": {"rejectUnauthorized": false}}), NoVerify),
        // As in Node.js, only `false` is a no; members that it alone knows are no problem.
        (json!({"ssl": {"rejectUnauthorized": 0, "ALPNProtocols": ["x"]}}), VerifyFull),
        (json!({"ssl": false}), Disable),
        (json!({"ssl": true, "host": "/tmp"}), Disable),
    ] {
        assert_eq!(client(given.clone(), &[]).connect.ssl.mode, mode, "{given}");
    }
    let asked = client(json!({"ssl": {"checkServerIdentity": {"$function": true}}}), &[]).connect.ssl;
    assert!(asked.asks_identity && asked.mode == SslMode::VerifyCa);
}

#[test]
fn direct_negotiation_needs_tls() {
    let shown = problem(resolve_client(&options(json!({"user": "u", "sslnegotiation": "direct"})), &env(&[])));
    assert!(shown.starts_with("sslnegotiation (PGSSLNEGOTIATION): found \"direct\": expected postgres"), "{shown}");
    assert!(client(json!({"sslnegotiation": "direct", "ssl": true}), &[]).connect.direct_tls);
}

#[test]
fn bounds_are_those_given() {
    let config = client(json!({"max": 4, "min": 1, "idleTimeoutMillis": 1500, "connectionTimeoutMillis": 0, "statement_timeout": 5}), &[]);
    assert_eq!((config.pool.max, config.pool.min, config.pool.idle_timeout), (4, 1, Some(Duration::from_millis(1500))));
    assert_eq!(config.connect.options.as_deref(), Some("-c statement_timeout=5"));
}

#[test]
fn a_replication_mode_is_a_parameter_of_the_startup() {
    let config = client(json!({"replication": "database"}), &[]);
    assert!(config.connect.startup_parameters.contains(&("replication".into(), "database".into())));
}

#[test]
fn a_password_function_is_a_callback() {
    assert!(matches!(client(json!({"password": {"$function": true}}), &[]).login, Login::Callback));
}

#[test]
fn without_any_user_there_is_one_problem() {
    assert!(problem(resolve_client(&options(nothing()), &env(&[]))).starts_with("user (PGUSER): found nothing"));
}
