//! Where and how to connect.

use std::time::Duration;

use super::reader::{Given, Reader};
use super::settings::{
    APPLICATION_NAME, CHANNEL_BINDING, CLIENT_ENCODING, DATABASE, ENABLE_CHANNEL_BINDING, FALLBACK_APPLICATION_NAME, HOST,
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT, KEEP_ALIVE, KEEP_ALIVE_INITIAL_DELAY, LOCK_TIMEOUT, OPTIONS, PORT, SCRAM_MAX_ITERATIONS,
    STATEMENT_TIMEOUT, USER,
};
use super::{ConnectConfig, Host, Lookup, ssl};
use crate::auth::CLIENT_ID;

const DEFAULT_PORT: u64 = 5432;

/// What `postgres-protocol` takes at most.
const MOST_SCRAM_ITERATIONS: u32 = 100_000;

/// Load balancers drop silent connections after some minutes (AWS: 350 s), the system's own keep-alive starts after two hours.
const DEFAULT_KEEP_ALIVE_DELAY: Duration = Duration::from_secs(60);

/// With `lookup`, host, database and user may be left blank, for the workspace to tell.
pub(super) fn resolve(reader: &mut Reader, lookup: Option<&mut Lookup>) -> ConnectConfig {
    let mut nothing = Lookup::default();
    let may_look_up = lookup.is_some();
    let lookup = lookup.unwrap_or(&mut nothing);
    // With a connection string node-postgres' defaults hold for what it leaves out; Lakebase has no host, user or database to guess.
    let pg_defaults = reader.has_string();
    let host = host(reader, pg_defaults, may_look_up.then_some(&mut lookup.host));
    let port = port(reader);
    let user = user(reader, pg_defaults, may_look_up.then_some(&mut lookup.user));
    let database = reader.text(&DATABASE);
    let database = match database {
        Some(database) => database,
        None if pg_defaults => user.clone(),
        None if may_look_up && !reader.has_problem(&DATABASE) => {
            lookup.database = true;
            String::new()
        }
        None => {
            reader.missing(&DATABASE, "the database's name, for example databricks_postgres");
            String::new()
        }
    };
    let ssl = ssl::resolve(reader, &host);
    let direct_tls = ssl::direct(reader, ssl.mode, &host);
    ConnectConfig {
        port,
        user,
        database,
        direct_tls,
        application_name: application_name(reader),
        options: options(reader),
        startup_parameters: startup_parameters(reader),
        keep_alive: keep_alive(reader, true, DEFAULT_KEEP_ALIVE_DELAY),
        channel_binding: channel_binding(reader),
        requires_password: true,
        scram_max_iterations: scram_max_iterations(reader),
        host,
        ssl,
    }
}

fn host(reader: &mut Reader, pg_defaults: bool, lookup: Option<&mut bool>) -> Host {
    const EXPECTED: &str = "a host name such as ep-….cloud.databricks.com, without scheme or port, or a Unix socket's directory";
    let Some(given) = reader.find(&HOST) else {
        match lookup {
            Some(lookup) => *lookup = true,
            None if !pg_defaults => reader.missing(&HOST, EXPECTED),
            None => {}
        }
        return Host::Tcp("localhost".into());
    };
    // What stands in for a wrong host must not cause a second problem.
    let Some(host) = reader.text_of(&HOST, &given).map(|host| Host::new(&host)) else { return Host::Tcp("localhost".into()) };
    if !host.is_plausible() {
        reader.reject::<()>(&HOST, &given, EXPECTED);
        return Host::Tcp("localhost".into());
    }
    host
}

fn user(reader: &mut Reader, pg_defaults: bool, lookup: Option<&mut bool>) -> String {
    if let Some(user) = reader.text(&USER) {
        return user;
    }
    if pg_defaults {
        let variable = if cfg!(windows) { "USERNAME" } else { "USER" };
        if let Some(user) = reader.variable(variable) {
            return user.to_owned();
        }
    } else if let Some(user) = reader.text(&CLIENT_ID) {
        return user;
    }
    if let Some(lookup) = lookup.filter(|_| !reader.has_problem(&USER)) {
        *lookup = true;
        return String::new();
    }
    let expected = if pg_defaults {
        "the PostgreSQL role to log in as"
    } else {
        "the PostgreSQL role to log in as: an e-mail address, or a service principal's client id (clientId, DATABRICKS_CLIENT_ID)"
    };
    reader.missing(&USER, expected);
    String::new()
}

/// pg: `application_name`, from whatever source, before `fallback_application_name`.
fn application_name(reader: &mut Reader) -> Option<String> {
    let setting = if reader.find(&APPLICATION_NAME).is_some() { &APPLICATION_NAME } else { &FALLBACK_APPLICATION_NAME };
    reader.text(setting)
}

/// The user's own `options`, then the timeouts: later settings win in PostgreSQL.
pub(super) fn options(reader: &mut Reader) -> Option<String> {
    let mut options = reader.text(&OPTIONS).unwrap_or_default();
    for setting in [&STATEMENT_TIMEOUT, &LOCK_TIMEOUT, &IDLE_IN_TRANSACTION_SESSION_TIMEOUT] {
        if let Some(bound) = reader.millis(setting).filter(|bound| !bound.is_zero()) {
            if !options.is_empty() {
                options.push(' ');
            }
            options.push_str(&format!("-c {}={}", setting.option, bound.as_millis()));
        }
    }
    (!options.is_empty()).then_some(options)
}

/// UTF-8 always: results are decoded as nothing else.
pub(super) fn encoding() -> (String, String) {
    ("client_encoding".to_owned(), "UTF8".to_owned())
}

fn startup_parameters(reader: &mut Reader) -> Vec<(String, String)> {
    if let Some(given) = reader.find(&CLIENT_ENCODING) {
        let utf8 = |name: &str| matches!(name.to_ascii_lowercase().replace(['-', '_'], "").as_str(), "utf8" | "unicode" | "auto");
        if !given.value.as_str().is_some_and(utf8) {
            reader.reject::<()>(&CLIENT_ENCODING, &given, "UTF8, the only encoding that JavaScript strings are read from");
        }
    }
    vec![encoding()]
}

pub(super) fn port(reader: &mut Reader) -> u16 {
    reader.integer(&PORT, 1..=u64::from(u16::MAX), "").unwrap_or(DEFAULT_PORT) as u16
}

/// The delay before the first probe; none without keep-alive. `on`: the default.
pub(super) fn keep_alive(reader: &mut Reader, on: bool, delay: Duration) -> Option<Duration> {
    let on = reader.boolean(&KEEP_ALIVE).unwrap_or(on);
    let delay = reader.millis(&KEEP_ALIVE_INITIAL_DELAY).unwrap_or(delay);
    on.then_some(delay)
}

/// `enableChannelBinding`; libpq's `channel_binding` in a connection string.
fn channel_binding(reader: &mut Reader) -> bool {
    let option = reader.boolean(&ENABLE_CHANNEL_BINDING);
    let parameter = match reader.parameter(&CHANNEL_BINDING) {
        Some(given) => channel_binding_word(reader, &given),
        None => None,
    };
    option.or(parameter).unwrap_or(true)
}

/// The client does the hashing: a server must not be able to ask for any amount of it. 0: the caller sets no limit.
pub(super) fn scram_max_iterations(reader: &mut Reader) -> u32 {
    let given = reader.integer(&SCRAM_MAX_ITERATIONS, 0..=u64::from(u32::MAX), "").unwrap_or(0) as u32;
    if given == 0 { MOST_SCRAM_ITERATIONS } else { given.min(MOST_SCRAM_ITERATIONS) }
}

fn channel_binding_word(reader: &mut Reader, given: &Given) -> Option<bool> {
    match given.value.as_str() {
        Some("disable") => Some(false),
        Some("prefer" | "require") => Some(true),
        _ => reader.reject(&CHANNEL_BINDING, given, "disable, prefer or require"),
    }
}
