//! Every setting of pools and connections.
//!
//! What ways to authenticate read is declared with them (src/auth), and known here through their registry.

use crate::auth;
use crate::setting::Setting;

// The workspace and the credential.
pub(super) static DATABRICKS_HOST: Setting = Setting::new("databricksHost", &["DATABRICKS_HOST", "DATABRICKS_WORKSPACE_URL"]).key("host");
pub(super) static ENDPOINT: Setting = Setting::new("endpoint", &["LAKEBASE_ENDPOINT"]);
pub(super) static INSTANCE_NAME: Setting = Setting::new("instanceName", &["LAKEBASE_INSTANCE_NAME"]);
pub(super) static AUTH_TYPE: Setting = Setting::new("authType", &["DATABRICKS_AUTH_TYPE"]).key("auth_type");
pub(super) static PROFILE: Setting = Setting::new("profile", &["DATABRICKS_CONFIG_PROFILE"]);
pub(super) static CONFIG_FILE: Setting = Setting::new("configFile", &["DATABRICKS_CONFIG_FILE"]);
pub(super) static CLAIMS: Setting = Setting::new("claims", &[]);
pub(super) static TOKEN_REFRESH_BUFFER: Setting = Setting::new("tokenRefreshBufferMillis", &[]);

// The connection.
pub(super) static CONNECTION_STRING: Setting = Setting::new("connectionString", &["DATABASE_URL"]).secret();
pub(super) static HOST: Setting = Setting::new("host", &["PGHOST", "LAKEBASE_HOSTNAME"]).parameter("host");
pub(super) static PORT: Setting = Setting::new("port", &["PGPORT"]).parameter("port");
pub(super) static DATABASE: Setting = Setting::new("database", &["PGDATABASE", "LAKEBASE_DATABASE"]).parameter("database");
pub(super) static USER: Setting = Setting::new("user", &["PGUSER"]).parameter("user");
pub(super) static PASSWORD: Setting = Setting::new("password", &["PGPASSWORD"]).parameter("password").secret();
pub(super) static SSL_MODE: Setting = Setting::new("sslMode", &["PGSSLMODE"]).parameter("sslmode");
pub(super) static SSL: Setting = Setting::new("ssl", &[]).parameter("ssl");
pub(super) static SSL_ROOT_CERT: Setting = Setting::new("ssl.ca", &["PGSSLROOTCERT"]).parameter("sslrootcert");
pub(super) static SSL_CERT: Setting = Setting::new("ssl.cert", &[]).parameter("sslcert");
pub(super) static SSL_KEY: Setting = Setting::new("ssl.key", &[]).parameter("sslkey");
pub(super) static SSL_NEGOTIATION: Setting = Setting::new("sslnegotiation", &["PGSSLNEGOTIATION"]).parameter("sslnegotiation");
pub(super) static ENABLE_CHANNEL_BINDING: Setting = Setting::new("enableChannelBinding", &[]);
pub(super) static SCRAM_MAX_ITERATIONS: Setting = Setting::new("scramMaxIterations", &[]);
pub(super) static CHANNEL_BINDING: Setting = Setting::new("channel_binding", &[]).parameter("channel_binding");
pub(super) static APPLICATION_NAME: Setting = Setting::new("application_name", &["PGAPPNAME"]).parameter("application_name");
pub(super) static FALLBACK_APPLICATION_NAME: Setting =
    Setting::new("fallback_application_name", &[]).parameter("fallback_application_name");
pub(super) static OPTIONS: Setting = Setting::new("options", &["PGOPTIONS"]).parameter("options");
pub(super) static SCHEMA: Setting = Setting::new("schema", &["PGSCHEMA", "LAKEBASE_SCHEMA"]);
pub(super) static PER_DEVELOPER_SCHEMA: Setting = Setting::new("perDeveloperSchema", &[]);
pub(super) static CREATE_SCHEMA: Setting = Setting::new("createSchema", &[]);
pub(super) static READ_ONLY: Setting = Setting::new("readOnly", &["LAKEBASE_READ_ONLY"]);
pub(super) static CLIENT_ENCODING: Setting = Setting::new("client_encoding", &[]).parameter("client_encoding");
pub(super) static REPLICATION: Setting = Setting::new("replication", &["PGREPLICATION"]).parameter("replication");
pub(super) static STATEMENT_TIMEOUT: Setting = Setting::new("statement_timeout", &[]).parameter("statement_timeout");
pub(super) static LOCK_TIMEOUT: Setting = Setting::new("lock_timeout", &[]).parameter("lock_timeout");
pub(super) static IDLE_IN_TRANSACTION_SESSION_TIMEOUT: Setting =
    Setting::new("idle_in_transaction_session_timeout", &[]).parameter("idle_in_transaction_session_timeout");
pub(super) static QUERY_TIMEOUT: Setting = Setting::new("query_timeout", &[]).parameter("query_timeout");
pub(super) static KEEP_ALIVE: Setting = Setting::new("keepAlive", &[]);
pub(super) static KEEP_ALIVE_INITIAL_DELAY: Setting = Setting::new("keepAliveInitialDelayMillis", &[]);

// The pool.
pub(super) static MAX: Setting = Setting::new("max", &[]);
pub(super) static POOL_SIZE: Setting = Setting::new("poolSize", &[]);
pub(super) static MIN: Setting = Setting::new("min", &[]);
pub(super) static IDLE_TIMEOUT: Setting = Setting::new("idleTimeoutMillis", &[]);
pub(super) static CONNECTION_TIMEOUT: Setting = Setting::new("connectionTimeoutMillis", &[]);
/// libpq's bound in seconds; connection strings only.
pub(super) static CONNECT_TIMEOUT: Setting = Setting::new("connect_timeout", &[]).parameter("connect_timeout");
pub(super) static MAX_USES: Setting = Setting::new("maxUses", &[]);
pub(super) static MAX_LIFETIME: Setting = Setting::new("maxLifetimeSeconds", &[]);
pub(super) static ALLOW_EXIT_ON_IDLE: Setting = Setting::new("allowExitOnIdle", &[]);
pub(super) static STATEMENT_CACHE_SIZE: Setting = Setting::new("statementCacheSize", &[]);
pub(super) static MAX_PIPELINE: Setting = Setting::new("maxPipeline", &[]);
pub(super) static PIPELINE_WRITES: Setting = Setting::new("pipelineWrites", &[]);

/// What tokens need, besides what the ways to authenticate read.
static WORKSPACE: &[&Setting] =
    &[&DATABRICKS_HOST, &ENDPOINT, &INSTANCE_NAME, &AUTH_TYPE, &PROFILE, &CONFIG_FILE, &CLAIMS, &TOKEN_REFRESH_BUFFER];

/// What connections and pools need.
static CONNECTIONS: &[&Setting] = &[
    &CONNECTION_STRING,
    &HOST,
    &PORT,
    &DATABASE,
    &USER,
    &PASSWORD,
    &SSL_MODE,
    &SSL,
    &SSL_NEGOTIATION,
    &ENABLE_CHANNEL_BINDING,
    &SCRAM_MAX_ITERATIONS,
    &APPLICATION_NAME,
    &FALLBACK_APPLICATION_NAME,
    &OPTIONS,
    &SCHEMA,
    &PER_DEVELOPER_SCHEMA,
    &CREATE_SCHEMA,
    &READ_ONLY,
    &CLIENT_ENCODING,
    &STATEMENT_TIMEOUT,
    &LOCK_TIMEOUT,
    &IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    &QUERY_TIMEOUT,
    &KEEP_ALIVE,
    &KEEP_ALIVE_INITIAL_DELAY,
    &MAX,
    &POOL_SIZE,
    &MIN,
    &IDLE_TIMEOUT,
    &CONNECTION_TIMEOUT,
    &MAX_USES,
    &MAX_LIFETIME,
    &ALLOW_EXIT_ON_IDLE,
    &STATEMENT_CACHE_SIZE,
    &MAX_PIPELINE,
    &PIPELINE_WRITES,
];

/// Whether `getToken()` reads it.
pub(super) fn is_for_tokens(setting: &Setting) -> bool {
    WORKSPACE.iter().copied().chain(auth::settings()).any(|known| std::ptr::eq(known, setting))
}

/// Every option of `createLakebasePool()` that Rust reads.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    let authentication = auth::settings().filter(|setting| !setting.option.is_empty());
    WORKSPACE.iter().chain(CONNECTIONS).copied().chain(authentication)
}

/// Options that TypeScript serves on its own; known here so that they are not reported.
pub(super) static FACADE_OPTIONS: &[&str] =
    &["types", "log", "logger", "onConnect", "verify", "Promise", "parseInt8", "Client", "binary", "users", "trustForwardedHeaders"];

/// Those of them that are functions or classes.
pub(super) static FACADE_FUNCTIONS: &[&str] = &["log", "onConnect", "verify", "Promise", "Client"];
