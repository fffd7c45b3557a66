//! `createLakebasePool()`: defaults, sources and their rank.

use std::time::Duration;

use serde_json::json;

use super::{deployed, env, lakebase, nothing, options};
use crate::auth;
use crate::config::{CredentialTarget, Host, Login, SslMode, resolve};

#[test]
fn the_environment_of_a_deployed_app_is_enough() {
    let config = lakebase(nothing(), &[]);

    assert_eq!(config.connect.host, Host::Tcp("ep-1.database.cloud.databricks.com".into()));
    assert_eq!(config.connect.port, 5432);
    assert_eq!(config.connect.user, "client-1");
    assert_eq!(config.connect.database, "databricks_postgres");
    assert_eq!(config.connect.ssl.mode, SslMode::VerifyFull);
    assert!(!config.connect.direct_tls);
    assert!(config.connect.channel_binding);
    assert_eq!(config.connect.application_name, None);
    assert_eq!(config.connect.options, None);
    assert_eq!(config.connect.startup_parameters, [("client_encoding".to_owned(), "UTF8".to_owned())]);
    assert_eq!(config.connect.keep_alive, Some(Duration::from_secs(60)));

    assert_eq!((config.pool.max, config.pool.min), (10, 0));
    assert_eq!(config.pool.idle_timeout, Some(Duration::from_secs(30)));
    assert_eq!(config.pool.connection_timeout, Some(Duration::from_secs(10)));
    assert!(!config.pool.allow_exit_on_idle);
    assert_eq!((config.pool.max_uses, config.pool.max_lifetime), (None, None));
    assert_eq!((config.pool.statement_cache_size, config.pool.max_pipeline, config.pool.pipeline_writes), (256, 64, false));
    assert!(config.pool.retry_connect);

    let Login::Token(token) = config.login else { panic!("a token login") };
    assert_eq!(token.workspace_url, "https://ws.cloud.databricks.com");
    assert_eq!(token.target, CredentialTarget::Endpoint(super::ENDPOINT.into()));
    assert_eq!(token.refresh_buffer, Duration::from_secs(120));
    assert_eq!(token.auth.text(&auth::CLIENT_ID), Some("client-1"));
}

#[test]
fn every_option_reaches_its_place() {
    let config = lakebase(
        json!({
            "host": "db.example", "port": "6543", "database": "shop", "user": "jane@example.com", "application_name": "app",
            "options": "-c search_path=shop", "statement_timeout": 1000, "lock_timeout": "20", "idle_in_transaction_session_timeout": 3,
            "query_timeout": 4, "keepAlive": true, "keepAliveInitialDelayMillis": 5000, "enableChannelBinding": false,
            "sslnegotiation": "direct", "client_encoding": "utf-8", "max": 20.0, "min": 2, "idleTimeoutMillis": 0,
            "connectionTimeoutMillis": 0, "maxUses": 7500, "maxLifetimeSeconds": 2700, "allowExitOnIdle": true,
            "statementCacheSize": 0, "maxPipeline": 1, "pipelineWrites": true, "tokenRefreshBufferMillis": 1000, "types": {}, "log": {"$function": true},
            "claims": [{"permission_set": "READ_ONLY", "resources": [{"table_name": "t"}]}],
        }),
        &[],
    );
    assert_eq!(config.connect.host, Host::Tcp("db.example".into()));
    assert_eq!(config.connect.port, 6543);
    assert_eq!(config.connect.database, "shop");
    assert_eq!(config.connect.user, "jane@example.com");
    assert_eq!(config.connect.application_name.as_deref(), Some("app"));
    assert_eq!(
        config.connect.options.as_deref(),
        Some("-c search_path=shop -c statement_timeout=1000 -c lock_timeout=20 -c idle_in_transaction_session_timeout=3")
    );
    assert_eq!(config.connect.keep_alive, Some(Duration::from_secs(5)));
    assert!(!config.connect.channel_binding);
    assert!(config.connect.direct_tls);
    assert_eq!((config.pool.max, config.pool.min), (20, 2));
    assert_eq!((config.pool.idle_timeout, config.pool.connection_timeout), (None, None));
    assert_eq!((config.pool.max_uses, config.pool.max_lifetime), (Some(7500), Some(Duration::from_secs(2700))));
    assert_eq!((config.pool.statement_cache_size, config.pool.max_pipeline, config.pool.pipeline_writes), (0, 1, true));
    let Login::Token(token) = config.login else { panic!("a token login") };
    assert_eq!(token.refresh_buffer, Duration::from_secs(1));
    assert_eq!(token.claims, Some(json!([{"permission_set": "READ_ONLY", "resources": [{"table_name": "t"}]}])));
}

#[test]
fn every_variable_and_alias_is_read() {
    let variables = env(&[
        ("DATABRICKS_WORKSPACE_URL", "ws.example"),
        ("LAKEBASE_INSTANCE_NAME", "inst"),
        ("LAKEBASE_HOSTNAME", "db.example"),
        ("LAKEBASE_DATABASE", "shop"),
        ("DATABRICKS_TOKEN", "dapi-1\n"),
        ("PGUSER", "jane"),
        ("PGPORT", " 6543 "),
        ("PGSSLMODE", "prefer"),
        ("PGAPPNAME", "app"),
        ("PGOPTIONS", "-c a=b"),
        ("PGSSLNEGOTIATION", "direct"),
    ]);
    let config = resolve(&options(nothing()), &variables).unwrap();
    assert_eq!(config.connect.host, Host::Tcp("db.example".into()));
    assert_eq!((&*config.connect.user, &*config.connect.database, config.connect.port), ("jane", "shop", 6543));
    assert_eq!(config.connect.ssl.mode, SslMode::NoVerify);
    assert_eq!(config.connect.application_name.as_deref(), Some("app"));
    assert_eq!(config.connect.options.as_deref(), Some("-c a=b"));
    assert!(config.connect.direct_tls);
    let Login::Token(token) = config.login else { panic!("a token login") };
    assert_eq!(token.workspace_url, "https://ws.example");
    assert_eq!(token.target, CredentialTarget::Instance("inst".into()));
    assert_eq!(token.auth.text(&auth::TOKEN), Some("dapi-1"));
}

#[test]
fn options_beat_variables_which_beat_aliases() {
    let variables = [
        ("PGHOST", "variable"),
        ("LAKEBASE_HOSTNAME", "alias"),
        ("PGDATABASE", ""),
        ("LAKEBASE_DATABASE", "alias"),
        ("PGUSER", "variable"),
    ];
    let config = lakebase(json!({"user": "option", "port": null}), &variables);
    assert_eq!(config.connect.user, "option");
    assert_eq!(config.connect.host, Host::Tcp("variable".into()));
    assert_eq!(config.connect.database, "alias");
    assert_eq!(config.connect.port, 5432);
}

#[test]
fn false_and_zero_mean_no_timeout() {
    let config = lakebase(json!({"statement_timeout": false, "lock_timeout": 0, "idleTimeoutMillis": false}), &[]);
    assert_eq!(config.connect.options, None);
    assert_eq!(config.pool.idle_timeout, None);
}

#[test]
fn pool_size_is_another_name_of_max() {
    assert_eq!(lakebase(json!({"poolSize": 3}), &[]).pool.max, 3);
    assert_eq!(lakebase(json!({"poolSize": 3, "max": 4}), &[]).pool.max, 4);
}

#[test]
fn keep_alive_can_be_turned_off() {
    assert_eq!(lakebase(json!({"keepAlive": false, "keepAliveInitialDelayMillis": 1}), &[]).connect.keep_alive, None);
}

#[test]
fn a_password_replaces_the_token_machinery() {
    let config = lakebase(json!({"password": "pw"}), &[]);
    assert!(matches!(config.login, Login::Password(password) if password.expose() == "pw"));
    let config = lakebase(json!({"password": {"$function": true}}), &[("LAKEBASE_ENDPOINT", ""), ("DATABRICKS_CLIENT_SECRET", "")]);
    assert!(matches!(config.login, Login::Callback));
}

#[test]
fn pgpassword_counts_only_without_endpoint_and_instance() {
    let config = lakebase(nothing(), &[("PGPASSWORD", " pw ")]);
    assert!(matches!(config.login, Login::Token(_)));
    let config = lakebase(nothing(), &[("PGPASSWORD", " pw "), ("LAKEBASE_ENDPOINT", "")]);
    assert!(matches!(config.login, Login::Password(password) if password.expose() == " pw "));
}

#[test]
fn a_connection_string_wins_over_everything() {
    let given = json!({
        "connectionString": "postgresql://u:p@h.example:1/d?application_name=url&statement_timeout=5&sslmode=prefer&channel_binding=disable",
        "host": "option", "port": 2, "user": "option", "password": "option", "database": "option", "application_name": "option",
        "statement_timeout": 6, "sslMode": "require", "endpoint": super::ENDPOINT, "max": 3,
    });
    let config = lakebase(given, &[]);
    assert_eq!(config.connect.host, Host::Tcp("h.example".into()));
    assert_eq!((&*config.connect.user, &*config.connect.database, config.connect.port), ("u", "d", 1));
    assert_eq!(config.connect.application_name.as_deref(), Some("url"));
    assert_eq!(config.connect.options.as_deref(), Some("-c statement_timeout=5"));
    assert_eq!(config.connect.ssl.mode, SslMode::NoVerify);
    assert!(!config.connect.channel_binding);
    assert_eq!(config.pool.max, 3);
    assert!(matches!(config.login, Login::Password(password) if password.expose() == "p"));
}

#[test]
fn what_a_connection_string_leaves_out_comes_from_options_then_pg_variables_then_defaults() {
    let variables = env(&[("USER", "os"), ("PGDATABASE", "variable"), ("DATABRICKS_CLIENT_ID", "client")]);
    let config = resolve(&options(json!({"connectionString": "postgres://", "password": {"$function": true}})), &variables).unwrap();
    assert_eq!(config.connect.host, Host::Tcp("localhost".into()));
    assert_eq!((&*config.connect.user, &*config.connect.database), ("os", "variable"));
    assert!(matches!(config.login, Login::Callback));
    assert_eq!(config.connect.ssl.mode, SslMode::VerifyFull);

    let config = resolve(&options(json!({"connectionString": "postgres://u@h"})), &env(&[])).unwrap();
    assert_eq!(config.connect.database, "u");
    assert!(matches!(config.login, Login::None));
}

#[test]
fn connect_timeout_of_a_connection_string_is_in_seconds_and_yields_to_the_option() {
    let timeout = |given| resolve(&options(given), &env(&[])).unwrap().pool.connection_timeout;
    assert_eq!(timeout(json!({"connectionString": "postgres://u@h/d?connect_timeout=3"})), Some(Duration::from_secs(3)));
    assert_eq!(timeout(json!({"connectionString": "postgres://u@h/d?connect_timeout=0"})), None);
    assert_eq!(
        timeout(json!({"connectionString": "postgres://u@h/d?connect_timeout=3", "connectionTimeoutMillis": 50})),
        Some(Duration::from_millis(50))
    );
}

#[test]
fn database_url_counts_only_when_nothing_else_names_the_server() {
    const URL: (&str, &str) = ("DATABASE_URL", "postgres://u:p@url.example/d?application_name=url");
    let host = |given, pairs: &[(&str, &str)]| lakebase(given, pairs).connect.host;
    let url = || Host::Tcp("url.example".into());

    assert_eq!(host(nothing(), &[URL, ("LAKEBASE_ENDPOINT", "")]), url());
    assert_ne!(host(nothing(), &[URL]), url());
    assert_ne!(host(nothing(), &[URL, ("LAKEBASE_ENDPOINT", ""), ("LAKEBASE_INSTANCE_NAME", "inst")]), url());
    assert_ne!(host(json!({"password": "pw"}), &[URL, ("LAKEBASE_ENDPOINT", "")]), url());
    assert_ne!(host(json!({"host": "h"}), &[URL, ("LAKEBASE_ENDPOINT", ""), ("PGPASSWORD", "pw")]), url());
}

#[test]
fn options_beat_database_url_which_beats_other_variables() {
    let variables = env(&[
        ("DATABASE_URL", "postgres://u:p@url.example/d?application_name=url&sslmode=require"),
        ("PGHOST", "variable"),
        ("PGUSER", "variable"),
        ("PGPASSWORD", "variable"),
        ("PGSSLMODE", "disable"),
    ]);
    let config = resolve(&options(json!({"application_name": "option", "database": "option", "sslMode": "prefer"})), &variables).unwrap();
    assert_eq!(config.connect.host, Host::Tcp("url.example".into()));
    assert_eq!((&*config.connect.user, &*config.connect.database), ("u", "option"));
    assert_eq!(config.connect.application_name.as_deref(), Some("option"));
    assert_eq!(config.connect.ssl.mode, SslMode::NoVerify);
    assert!(matches!(config.login, Login::Password(password) if password.expose() == "p"));
}

#[test]
fn unknown_parameters_of_a_connection_string_are_ignored() {
    let config = lakebase(json!({"connectionString": "postgres://u:p@h/d?schema=public&pgbouncer=true"}), &[]);
    assert_eq!(config.connect.host, Host::Tcp("h".into()));
}

#[test]
fn a_path_is_a_unix_socket_without_tls() {
    let config = lakebase(json!({"host": "/var/run/postgresql", "password": "pw", "sslnegotiation": "direct"}), &[]);
    assert_eq!(config.connect.host, Host::Unix("/var/run/postgresql".into()));
    assert_eq!(config.connect.ssl.mode, SslMode::Disable);
    assert!(!config.connect.direct_tls);
}

#[test]
fn a_pooled_host_serves_passwords() {
    let pooled = "ep-1-pooler.database.cloud.databricks.com";
    assert!(resolve(&options(json!({"password": "pw"})), &deployed(&[("PGHOST", pooled)])).is_ok());
}
