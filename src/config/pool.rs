//! The pool's sizes and bounds.

use std::time::Duration;

use super::PoolConfig;
use super::hosting;
use super::reader::{Dialect, MAX_MILLIS, MAX_SAFE_INTEGER, Reader};
use super::setting::{
    ALLOW_EXIT_ON_IDLE, CONNECT_TIMEOUT, CONNECTION_TIMEOUT, IDLE_TIMEOUT, MAX, MAX_LIFETIME, MAX_PIPELINE, MAX_USES, MIN, PIPELINE_WRITES,
    POOL_SIZE, QUERY_TIMEOUT, STATEMENT_CACHE_SIZE,
};

/// pg-pool's.
const DEFAULT_MAX: u64 = 10;
/// More than twice the connections of Lakebase's largest compute.
const MOST_CONNECTIONS: u64 = 10_000;
const DEFAULT_STATEMENT_CACHE_SIZE: u64 = 256;
const DEFAULT_MAX_PIPELINE: u64 = 64;
const MOST_SECONDS: u64 = MAX_MILLIS / 1000;

pub(super) fn resolve(reader: &mut Reader) -> PoolConfig {
    let lakebase = reader.dialect == Dialect::Lakebase;
    let defaults = lakebase.then(|| hosting::pool_defaults(reader));
    let max = max(reader, defaults.map_or(DEFAULT_MAX, |defaults| defaults.max));
    let min = min(reader, max);
    let (idle, connect) = defaults.map_or((10_000, 0), |defaults| (defaults.idle_timeout_millis, 10_000));
    let idle_timeout = reader.millis(&IDLE_TIMEOUT).unwrap_or(Duration::from_millis(idle));
    let connection_timeout = reader
        .millis(&CONNECTION_TIMEOUT)
        .or_else(|| if lakebase { connect_timeout(reader) } else { None })
        .unwrap_or(Duration::from_millis(connect));
    let max_uses = reader.integer(&MAX_USES, 0..=MAX_SAFE_INTEGER, "uses");
    let max_lifetime = reader.integer(&MAX_LIFETIME, 0..=MOST_SECONDS, "seconds").map(Duration::from_secs);
    // TypeScript acts on it; what is wrong with it belongs to the same report.
    reader.millis(&QUERY_TIMEOUT);
    PoolConfig {
        max: max as u32,
        min: min as u32,
        idle_timeout: positive(idle_timeout),
        connection_timeout: positive(connection_timeout),
        max_uses: max_uses.filter(|&uses| uses > 0),
        max_lifetime: max_lifetime.and_then(positive),
        statement_cache_size: reader.integer(&STATEMENT_CACHE_SIZE, 0..=100_000, "statements").unwrap_or(DEFAULT_STATEMENT_CACHE_SIZE)
            as usize,
        max_pipeline: reader.integer(&MAX_PIPELINE, 1..=10_000, "requests").unwrap_or(DEFAULT_MAX_PIPELINE) as usize,
        pipeline_writes: reader.boolean(&PIPELINE_WRITES).unwrap_or(false),
        allow_exit_on_idle: reader.boolean(&ALLOW_EXIT_ON_IDLE).unwrap_or(defaults.is_some_and(|defaults| defaults.allow_exit_on_idle)),
        retry_connect: lakebase,
        close_after_error: !lakebase,
    }
}

fn max(reader: &mut Reader, default: u64) -> u64 {
    let setting = if reader.option(&MAX).is_some() { &MAX } else { &POOL_SIZE };
    if reader.dialect == Dialect::Lakebase {
        return reader.integer(setting, 1..=MOST_CONNECTIONS, "connections").unwrap_or(default);
    }
    // pg-pool: `max || poolSize || 10`.
    let mut positive = |setting| reader.integer(setting, 0..=MOST_CONNECTIONS, "connections").filter(|&max| max > 0);
    positive(&MAX).or_else(|| positive(&POOL_SIZE)).unwrap_or(default)
}

fn min(reader: &mut Reader, max: u64) -> u64 {
    let Some(given) = reader.option(&MIN) else { return 0 };
    let Some(min) = reader.integer_of(&MIN, &given, 0..=MOST_CONNECTIONS, "connections") else { return 0 };
    if min > max && reader.dialect == Dialect::Lakebase && !reader.has_problem(&MAX) && !reader.has_problem(&POOL_SIZE) {
        reader.reject::<()>(&MIN, &given, format!("a whole number that is not above max, which is {max}"));
    }
    min.min(max)
}

/// The connection string's `connect_timeout`, in seconds as in libpq.
fn connect_timeout(reader: &mut Reader) -> Option<Duration> {
    let given = reader.parameter(&CONNECT_TIMEOUT)?;
    reader.integer_of(&CONNECT_TIMEOUT, &given, 0..=MOST_SECONDS, "seconds").map(Duration::from_secs)
}

/// 0 means "no bound" in all of node-postgres' options.
fn positive(bound: Duration) -> Option<Duration> {
    (!bound.is_zero()).then_some(bound)
}
