//! The hosts that run functions, and the pool's defaults there.
//!
//! There are many processes, each with a pool of its own, so that each takes few connections. A process is frozen or throttled between requests:
//! no timer runs then, and the server keeps what was open. Nothing may keep a function from ending, or Lambda from answering.

use std::time::Duration;

use super::pool::Defaults;
use super::reader::Reader;
use crate::setting::Setting;

/// Anywhere else: a server, a container, a laptop. `max` is pg-pool's default, too.
const SERVER: Defaults =
    Defaults { max: 10, idle_timeout: Duration::from_secs(30), connection_timeout: Duration::from_secs(10), allow_exit_on_idle: false };

/// One request at a time in each process. Two connections, so that a query beside a transaction does not wait for its own caller; kept for a
/// minute of the clock, because the process is frozen for most of it.
const ONE_AT_A_TIME: Defaults = Defaults { max: 2, idle_timeout: Duration::from_secs(60), allow_exit_on_idle: true, ..SERVER };

/// Many requests at a time in each process.
const MANY_AT_A_TIME: Defaults = Defaults { max: 5, idle_timeout: Duration::from_secs(10), allow_exit_on_idle: true, ..SERVER };

/// The same; `attachDatabasePool()` keeps the instance awake, and paid for, until idle connections are closed.
const VERCEL: Defaults = Defaults { idle_timeout: Duration::from_secs(5), ..MANY_AT_A_TIME };

/// The first host whose variables are there wins: Vercel and Netlify run functions on Lambda.
///
/// Sources: <https://vercel.com/docs/environment-variables/system-environment-variables>,
/// <https://docs.netlify.com/build/functions/environment-variables/>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>,
/// <https://learn.microsoft.com/azure/azure-functions/functions-app-settings>,
/// <https://cloud.google.com/run/docs/container-contract>
static HOSTS: &[(Setting, Defaults)] = &[
    (Setting::variable(&["VERCEL"]), VERCEL),
    (Setting::variable(&["NETLIFY", "AWS_LAMBDA_FUNCTION_NAME"]), ONE_AT_A_TIME),
    (Setting::variable(&["FUNCTIONS_WORKER_RUNTIME", "K_SERVICE", "CLOUD_RUN_JOB"]), MANY_AT_A_TIME),
];

pub(super) fn pool_defaults(reader: &Reader) -> Defaults {
    HOSTS.iter().find(|(variable, _)| reader.environment(variable).is_some()).map_or(SERVER, |&(_, defaults)| defaults)
}
