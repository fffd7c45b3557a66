//! The pool's defaults on hosts that run functions.

use std::time::Duration;

use serde_json::json;

use super::{client, lakebase, nothing};
use crate::config::PoolConfig;

fn sizes(pool: &PoolConfig) -> (u32, Option<Duration>, bool) {
    (pool.max, pool.idle_timeout, pool.allow_exit_on_idle)
}

const fn seconds(count: u64) -> Option<Duration> {
    Some(Duration::from_secs(count))
}

#[test]
fn each_host_is_known_by_its_variables() {
    for (variables, expected) in [
        (&[][..], (10, seconds(30), false)),
        (&[("VERCEL", "1")], (5, seconds(5), true)),
        (&[("AWS_LAMBDA_FUNCTION_NAME", "items")], (2, seconds(60), true)),
        (&[("NETLIFY", "true")], (2, seconds(60), true)),
        (&[("FUNCTIONS_WORKER_RUNTIME", "node")], (5, seconds(10), true)),
        (&[("K_SERVICE", "items")], (5, seconds(10), true)),
        (&[("CLOUD_RUN_JOB", "items")], (5, seconds(10), true)),
        (&[("VERCEL", "")], (10, seconds(30), false)),
    ] {
        assert_eq!(sizes(&lakebase(nothing(), variables).pool), expected, "{variables:?}");
    }
}

#[test]
fn vercel_is_vercel_though_it_runs_on_lambda() {
    let config = lakebase(nothing(), &[("AWS_LAMBDA_FUNCTION_NAME", "items"), ("VERCEL", "1")]);
    assert_eq!(sizes(&config.pool), (5, seconds(5), true));
}

#[test]
fn options_beat_the_hosts_defaults() {
    let given = json!({ "max": 20, "idleTimeoutMillis": 1000, "allowExitOnIdle": false });
    let config = lakebase(given, &[("AWS_LAMBDA_FUNCTION_NAME", "items")]);
    assert_eq!(sizes(&config.pool), (20, seconds(1), false));
}

#[test]
fn the_pool_like_pgs_knows_no_host() {
    let config = client(nothing(), &[("AWS_LAMBDA_FUNCTION_NAME", "items"), ("VERCEL", "1")]);
    // The facade gives pg-pool's idle timeout.
    assert_eq!(sizes(&config.pool), (10, None, false));
}
