//! The pool's sizes and bounds.

use std::time::Duration;

use super::PoolConfig;
use super::reader::{MAX_MILLIS, MAX_SAFE_INTEGER, Reader};
use super::settings::{
    ALLOW_EXIT_ON_IDLE, CONNECT_TIMEOUT, CONNECTION_TIMEOUT, IDLE_TIMEOUT, MAX, MAX_LIFETIME, MAX_PIPELINE, MAX_USES, MIN, PIPELINE_WRITES,
    POOL_SIZE, QUERY_TIMEOUT, STATEMENT_CACHE_SIZE,
};

/// More than twice the connections of Lakebase's largest compute.
const MOST_CONNECTIONS: u64 = 10_000;
const DEFAULT_STATEMENT_CACHE_SIZE: u64 = 256;
const DEFAULT_MAX_PIPELINE: u64 = 64;
const MOST_SECONDS: u64 = MAX_MILLIS / 1000;

/// The bounds where none is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Defaults {
    pub max: u64,
    pub idle_timeout: Duration,
    pub connection_timeout: Duration,
    pub allow_exit_on_idle: bool,
}

pub(super) fn resolve(reader: &mut Reader, defaults: &Defaults) -> PoolConfig {
    let max = max(reader, defaults.max);
    let min = min(reader, max);
    let idle_timeout = reader.millis(&IDLE_TIMEOUT).unwrap_or(defaults.idle_timeout);
    let connection_timeout = reader.millis(&CONNECTION_TIMEOUT).or_else(|| connect_timeout(reader)).unwrap_or(defaults.connection_timeout);
    let max_uses = reader.integer(&MAX_USES, 0..=MAX_SAFE_INTEGER, "uses");
    let max_lifetime = reader.integer(&MAX_LIFETIME, 0..=MOST_SECONDS, "seconds").map(Duration::from_secs);
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
        allow_exit_on_idle: reader.boolean(&ALLOW_EXIT_ON_IDLE).unwrap_or(defaults.allow_exit_on_idle),
        retry_connect: true,
        close_after_error: false,
    }
}

fn max(reader: &mut Reader, default: u64) -> u64 {
    let setting = if reader.option(&MAX).is_some() { &MAX } else { &POOL_SIZE };
    reader.integer(setting, 1..=MOST_CONNECTIONS, "connections").unwrap_or(default)
}

fn min(reader: &mut Reader, max: u64) -> u64 {
    let Some(given) = reader.option(&MIN) else { return 0 };
    let Some(min) = reader.integer_of(&MIN, &given, 0..=MOST_CONNECTIONS, "connections") else { return 0 };
    if min > max && !reader.has_problem(&MAX) && !reader.has_problem(&POOL_SIZE) {
        reader.reject::<()>(&MIN, &given, format!("a whole number that is not above max, which is {max}"));
    }
    min.min(max)
}

/// What a query of this side's may take.
pub(super) fn query_timeout(reader: &mut Reader) -> Option<Duration> {
    reader.millis(&QUERY_TIMEOUT).and_then(positive)
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
