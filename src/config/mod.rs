//! The resolved configuration: what the rest of the core reads. Options and environment of `createLakebasePool()` become it in one place,
//! [`resolve()`], which reports every problem at once; [`resolve_client()`] checks what ts/config has read by node-postgres' rules.
//!
//! `settings` names what can be set, `reader` reads one setting from all its sources, the other modules each own a part of [`Config`].

mod connect;
mod connection_string;
mod credential;
mod found;
mod host;
mod hosting;
mod identity;
mod network;
mod node_postgres;
mod pem;
mod pool;
mod reader;
mod resolve;
mod schema;
mod settings;
mod ssl;
mod ssl_mode;
#[cfg(test)]
mod tests;
mod unknown;

pub use node_postgres::resolve_client;
pub use resolve::{resolve, resolve_token, resolve_workspace};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Owner, Settings};
use crate::http::ApiNetwork;
use crate::secret::Secret;
pub use crate::tls::{SslConfig, SslMode, TlsVersion};

/// Everything a pool needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    pub pool: PoolConfig,
    pub connect: ConnectConfig,
    pub login: Login,
    /// `query_timeout`, checked here and kept in TypeScript; `None` (0) is none, the default.
    pub query_timeout: Option<Duration>,
    /// What of `connect` is blank until the workspace has been asked.
    pub lookup: Lookup,
    /// The schema that sessions begin in; [`Config::finish`] puts it into `connect`.
    pub schema: Option<Schema>,
    /// `createSchema`: make it if it is not there. Kept by ts/lakebase.ts.
    pub creates_schema: bool,
}

/// What nobody gave, to be looked up by the name of the endpoint or instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lookup {
    pub host: bool,
    pub database: bool,
    pub user: bool,
    /// `readOnly` (`LAKEBASE_READ_ONLY`): the host to look up is the one of read-only replicas.
    pub read_only: bool,
}

/// Where sessions find tables that are named without a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// `schema` (`PGSCHEMA`, `LAKEBASE_SCHEMA`).
    Named(String),
    /// `perDeveloperSchema`: `<app>_<user>`, the user's name up to the `@`.
    PerDeveloper { app: String },
}

impl Lookup {
    pub fn is_needed(self) -> bool {
        self.host || self.database || self.user
    }
}

impl Config {
    /// The schema's name, once the user is known.
    pub fn schema_name(&self) -> Option<String> {
        self.schema.as_ref().map(|schema| schema.name(&self.connect.user))
    }

    /// Has sessions begin in the schema. To be called once, when nothing of `connect` is blank.
    pub fn finish(&mut self) {
        if let Some(schema) = self.schema_name() {
            self.connect.work_in(&schema);
        }
    }
}

/// Sizes and bounds of the pool. Option names and meanings are pg-pool's.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// `max` (or `poolSize`), 1 to 10,000, default 10; fewer on hosts that run functions.
    pub max: u32,
    /// `min`, default 0: idle connections above it are closed after `idle_timeout`. Not opened ahead of use.
    pub min: u32,
    /// `idleTimeoutMillis`, default 30 s (10 s in `lakebase-native/pg`, as in pg; others on hosts that run functions); `None` (0) keeps idle connections for ever.
    pub idle_timeout: Option<Duration>,
    /// `connectionTimeoutMillis`, default 10 s (none in `lakebase-native/pg`); `None` (0) waits for ever. Bounds waiting for a
    /// connection and making one. A connection string's `connect_timeout` (seconds) stands in for it in `createLakebasePool()`.
    pub connection_timeout: Option<Duration>,
    /// `maxUses`; `None` (0) is unlimited, the default.
    pub max_uses: Option<u64>,
    /// `maxLifetimeSeconds`; `None` (0) is unlimited, the default.
    pub max_lifetime: Option<Duration>,
    /// `statementCacheSize`, default 256 statements per connection; 0 turns the cache off.
    pub statement_cache_size: usize,
    /// `maxPipeline`, default 64 requests in flight per connection; 1 turns pipelining off.
    pub max_pipeline: usize,
    /// `pipelineWrites`, default false: only plain reads share a connection. With true, writes and calls of any function do, too, and what
    /// is behind one that waits for a lock waits with it.
    pub pipeline_writes: bool,
    /// `allowExitOnIdle`, default false; true on hosts that run functions. TypeScript acts on it.
    pub allow_exit_on_idle: bool,
    /// Retry transient connect errors inside `connection_timeout`, and run a query again that a server has provably refused to run. True for
    /// `createLakebasePool()`, false for `lakebase-native/pg`, where pg's behaviour is to fail at once.
    pub retry_connect: bool,
    /// Close a connection on which a query of `pool.query()` has failed, as pg-pool does. False for `createLakebasePool()`: a new
    /// connection costs six round trips and a login, and an error leaves the session as it was.
    pub close_after_error: bool,
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct ConnectConfig {
    /// `host` (`PGHOST`, `LAKEBASE_HOSTNAME`). No default, but pg's `localhost` in `lakebase-native/pg` and beside a connection string.
    pub host: Host,
    /// `port` (`PGPORT`), default 5432.
    pub port: u16,
    /// `user` (`PGUSER`, then `clientId` or `DATABRICKS_CLIENT_ID`); the operating system's user where pg's defaults hold.
    pub user: String,
    /// `database` (`PGDATABASE`, `LAKEBASE_DATABASE`). No default, but the user's name where pg's defaults hold.
    pub database: String,
    /// `sslMode` (`PGSSLMODE`) and `ssl`, default `require`; no TLS in `lakebase-native/pg`, as in pg.
    pub ssl: SslConfig,
    /// `sslnegotiation` (`PGSSLNEGOTIATION`), `postgres` by default. `direct`: TLS without the SSLRequest round trip.
    pub direct_tls: bool,
    /// `application_name` (`PGAPPNAME`), then `fallback_application_name`.
    pub application_name: Option<String>,
    /// `options` (`PGOPTIONS`), the startup parameter (`-c name=value …`). `statement_timeout`, `lock_timeout` and
    /// `idle_in_transaction_session_timeout` (milliseconds) are already appended as `-c` settings: Lakebase's proxy forwards only
    /// user, database, application_name, replication and options.
    pub options: Option<String>,
    /// All other startup parameters: always `client_encoding` `UTF8`; `replication` where pg's option asks for it.
    pub startup_parameters: Vec<(String, String)>,
    /// `keepAlive`, `keepAliveInitialDelayMillis`: `None` is off, otherwise the initial delay (zero: the system's default). On with
    /// 60 s by default; off in `lakebase-native/pg`, as in pg.
    pub keep_alive: Option<Duration>,
    /// `enableChannelBinding`: use SCRAM-SHA-256-PLUS when the server offers it and TLS is on. On by default; off in
    /// `lakebase-native/pg`, as in pg.
    pub channel_binding: bool,
    /// A server that asks for a password, and none is configured: an error that says so. Without, as in `lakebase-native/pg`, the server
    /// gets what pg gives it then and refuses it in its own words.
    pub requires_password: bool,
    /// `scramMaxIterations`: more rounds of hashing than this are refused. pg's default of 100,000 is also the most there is.
    pub scram_max_iterations: u32,
}

/// A TCP host name or address, or a directory with a Unix socket (a path that starts with `/`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    Tcp(String),
    Unix(PathBuf),
}

/// What is sent when the server asks for a password.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for each pool")]
pub enum Login {
    /// A Lakebase database credential, fetched and rotated by the core.
    Token(TokenConfig),
    /// A fixed password.
    Password(Secret),
    /// The JavaScript `password` function, asked once per connection.
    Callback,
    /// None configured: an error if the server asks.
    None,
}

/// How to get a database credential.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// `databricksHost` (`DATABRICKS_HOST`, `DATABRICKS_WORKSPACE_URL`): `https://host`, with its port if that is not the default,
    /// without path or trailing slash; `http` only on loopback.
    pub workspace_url: String,
    pub target: CredentialTarget,
    /// Who asks.
    pub auth: Settings,
    /// Unity Catalog `claims` of the credential request, passed through as they are.
    pub claims: Option<serde_json::Value>,
    /// `tokenRefreshBufferMillis`, default 2 min: how long before expiry a background refresh may start.
    pub refresh_buffer: Duration,
    /// How the workspace is reached.
    pub network: ApiNetwork,
    /// Whose functions and environment the identity may need.
    pub owner: Option<Arc<dyn Owner>>,
    /// What is unsafe about the configuration, for its owner to show.
    pub warnings: Vec<String>,
}

/// How to call the workspace's API, where no database credential is wanted: a part of [`TokenConfig`].
#[derive(Clone, Debug)]
pub struct WorkspaceConfig {
    pub workspace_url: String,
    pub auth: Settings,
    pub network: ApiNetwork,
    pub owner: Option<Arc<dyn Owner>>,
    pub warnings: Vec<String>,
}

/// What the credential is for; chooses the API.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialTarget {
    /// Autoscaling, `endpoint` (`LAKEBASE_ENDPOINT`): `projects/…/branches/…/endpoints/…` for `POST /api/2.0/postgres/credentials`.
    Endpoint(String),
    /// Provisioned, `instanceName` (`LAKEBASE_INSTANCE_NAME`): an instance name for `POST /api/2.0/database/credentials`.
    Instance(String),
}
