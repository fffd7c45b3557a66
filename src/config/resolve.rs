//! Options, then environment, then defaults.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::connection_string::ConnectionString;
use super::found::is_function;
use super::reader::Reader;
use super::settings::{CONNECTION_STRING, CREATE_SCHEMA, HOST, PASSWORD, READ_ONLY, is_for_tokens};
use super::{Config, Host, Login, Lookup, TokenConfig, WorkspaceConfig, connect, credential, hosting, identity, pool, schema, unknown};
use crate::error::Error;

/// The configuration of `createLakebasePool(options)`.
///
/// # Errors
/// One error of [`Kind::Configuration`](crate::error::Kind::Configuration) with every problem.
pub fn resolve(options: &Map<String, Value>, env: &HashMap<String, String>) -> Result<Config, Error> {
    let mut reader = Reader::new(options, env);
    unknown::report_unreadable(&mut reader, |_| true);
    use_connection_string(&mut reader);
    let needs_token = needs_token(&reader);
    if needs_token {
        identity::use_profile(&mut reader);
    }
    // The workspace can tell the rest only where it is known itself, and who asks.
    let token = if needs_token { credential::resolve(&mut reader) } else { None };
    let mut lookup = Lookup { read_only: reader.boolean(&READ_ONLY).unwrap_or_default(), ..Lookup::default() };
    let connect = connect::resolve(&mut reader, token.is_some().then_some(&mut lookup));
    let login = if needs_token {
        reject_pooler(&mut reader, &connect.host);
        // Without a token there is a problem, and with a problem no configuration.
        token.map_or(Login::None, Login::Token)
    } else {
        password_login(&mut reader)
    };
    let defaults = hosting::pool_defaults(&reader);
    let pool = pool::resolve(&mut reader, &defaults);
    let query_timeout = pool::query_timeout(&mut reader);
    let schema = schema::resolve(&mut reader);
    let creates_schema = reader.boolean(&CREATE_SCHEMA).unwrap_or_default();
    unknown::report(&mut reader);
    unknown::report_unusable(&mut reader);
    let mut config = Config { pool, connect, login, query_timeout, lookup, schema, creates_schema };
    if !lookup.is_needed() {
        config.finish();
    }
    reader.finish(config)
}

/// What `getToken(options)` needs. Every other key is ignored: node-postgres calls a password callback with its connection parameters.
///
/// # Errors
/// One error of [`Kind::Configuration`](crate::error::Kind::Configuration) with every problem.
pub fn resolve_token(options: &Map<String, Value>, env: &HashMap<String, String>) -> Result<TokenConfig, Error> {
    let mut reader = Reader::new(options, env);
    unknown::report_unreadable(&mut reader, is_for_tokens);
    identity::use_profile(&mut reader);
    let token = credential::resolve(&mut reader);
    reader.finish(token).map(|token| token.expect("a missing part is a problem"))
}

/// What calls of the workspace's API need. Every other key is ignored.
///
/// # Errors
/// One error of [`Kind::Configuration`](crate::error::Kind::Configuration) with every problem.
pub fn resolve_workspace(options: &Map<String, Value>, env: &HashMap<String, String>) -> Result<WorkspaceConfig, Error> {
    let mut reader = Reader::new(options, env);
    unknown::report_unreadable(&mut reader, is_for_tokens);
    identity::use_profile(&mut reader);
    let workspace = credential::workspace(&mut reader);
    reader.finish(workspace).map(|workspace| workspace.expect("a missing part is a problem"))
}

/// Puts `connectionString` in force, or `DATABASE_URL`. Hosting platforms set the variable unasked, so it counts only where nothing else
/// says whom to log in to: no endpoint, no instance, no `password`, no `host`.
fn use_connection_string(reader: &mut Reader) {
    let given = reader.option(&CONNECTION_STRING).or_else(|| {
        let wanted = !credential::is_requested(reader) && reader.option(&PASSWORD).is_none() && reader.option(&HOST).is_none();
        if wanted { reader.environment(&CONNECTION_STRING) } else { None }
    });
    let Some(given) = given else { return };
    let Some(text) = reader.text_of(&CONNECTION_STRING, &given) else { return };
    match ConnectionString::parse(&text) {
        Ok(string) => reader.use_string(string, given.origin),
        Err(unreadable) => {
            reader.reject::<()>(&CONNECTION_STRING, &given, unreadable.expected);
        }
    }
}

/// Tokens are for logins that bring no password of their own. `PGPASSWORD` counts only where neither endpoint nor instance is named;
/// `@databricks/lakebase` does not read it at all.
fn needs_token(reader: &Reader) -> bool {
    let connection_string = reader.has_string() || reader.option(&CONNECTION_STRING).is_some();
    let password = reader.option(&PASSWORD).is_some();
    let variable = reader.environment(&PASSWORD).is_some() && !credential::is_requested(reader);
    !(connection_string || password || variable)
}

/// The password from the connection string, the option or `PGPASSWORD`.
pub(super) fn password_login(reader: &mut Reader) -> Login {
    match reader.find(&PASSWORD) {
        None => Login::None,
        Some(given) if is_function(&given.value) => Login::Callback,
        Some(given) => reader.secret_of(&PASSWORD, &given).map_or(Login::None, Login::Password),
    }
}

/// Lakebase's pooled hosts take PostgreSQL passwords only.
///
/// Source: <https://docs.databricks.com/aws/en/oltp/projects/connection-pooling>
fn reject_pooler(reader: &mut Reader, host: &Host) {
    if let Some(given) = reader.find(&HOST).filter(|_| host.is_pooler()) {
        let expected = "the direct host, without -pooler: Lakebase's pooled host does not accept OAuth tokens, only PostgreSQL passwords";
        reader.reject::<()>(&HOST, &given, expected);
    }
}
