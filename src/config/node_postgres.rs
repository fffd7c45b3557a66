//! The settings of `lakebase-native/pg`: read by node-postgres' rules in ts/config, checked here.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::reader::Reader;
use super::settings::{APPLICATION_NAME, DATABASE, ENABLE_CHANNEL_BINDING, HOST, REPLICATION, USER};
use super::{Config, ConnectConfig, Host, Lookup, PoolConfig, connect, network, pool, resolve, ssl, unknown};
use crate::error::Error;

/// pg-pool's. The facade gives these bounds for every pool.
const DEFAULTS: pool::Defaults =
    pool::Defaults { max: 10, idle_timeout: Duration::ZERO, connection_timeout: Duration::ZERO, allow_exit_on_idle: false };

/// The configuration of `new Pool(options)` and `new Client(options)` of `lakebase-native/pg`. `settings` are resolved: node-postgres' options,
/// connection strings, `PG*` variables and `defaults` became them in ts/config/connection-parameters.ts. Of the environment only the files of
/// trusted certificates count.
///
/// # Errors
/// One error of [`Kind::Configuration`](crate::error::Kind::Configuration) with every problem.
pub fn resolve_client(settings: &Map<String, Value>, env: &HashMap<String, String>) -> Result<Config, Error> {
    let env = env.iter().filter(|(name, _)| network::CA_FILES.contains(&name.as_str())).map(|(name, path)| (name.clone(), path.clone()));
    let env = env.collect();
    let mut reader = Reader::new(settings, &env);
    unknown::report_unreadable(&mut reader, |_| true);
    let connect = connect(&mut reader);
    let login = resolve::password_login(&mut reader);
    let pool = PoolConfig { retry_connect: false, close_after_error: true, ..pool::resolve(&mut reader, &DEFAULTS) };
    reader.finish(Config { pool, connect, login, query_timeout: None, lookup: Lookup::default(), schema: None, creates_schema: false })
}

fn connect(reader: &mut Reader) -> ConnectConfig {
    let host = Host::new(&reader.text(&HOST).unwrap_or_else(|| "localhost".into()));
    let user = reader.text(&USER).unwrap_or_else(|| {
        reader.missing(&USER, "the PostgreSQL role to log in as");
        String::new()
    });
    let ssl = ssl::resolved(reader, &host);
    ConnectConfig {
        port: connect::port(reader),
        database: reader.text(&DATABASE).unwrap_or_else(|| user.clone()),
        user,
        direct_tls: ssl::direct(reader, ssl.mode, &host),
        application_name: reader.text(&APPLICATION_NAME),
        options: connect::options(reader),
        startup_parameters: [connect::encoding()].into_iter().chain(replication(reader)).collect(),
        keep_alive: connect::keep_alive(reader, false, Duration::ZERO),
        channel_binding: reader.boolean(&ENABLE_CHANNEL_BINDING).unwrap_or(false),
        requires_password: false,
        scram_max_iterations: connect::scram_max_iterations(reader),
        host,
        ssl,
    }
}

fn replication(reader: &mut Reader) -> Option<(String, String)> {
    reader.text(&REPLICATION).map(|mode| ("replication".to_owned(), mode))
}
