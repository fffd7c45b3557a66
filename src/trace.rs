//! What the package does, as `tracing` events: queries, checkouts, connections and token fetches. `LAKEBASE_LOG` prints them to standard error.
//!
//! No event holds a statement's text, a value, a token or a password, nor a server's message about a statement, which may quote values.
//! While nothing is printed, each costs one comparison.

use std::time::Instant;

use tracing::{Level, debug, enabled, info};

use crate::error::Error;
use crate::wire::{ConnectionId, Response, Target};

/// When something began; nothing while its end is not printed.
#[derive(Clone, Copy)]
pub struct Timer(Option<Instant>);

impl Timer {
    pub fn start() -> Self {
        Self(enabled!(Level::DEBUG).then(Instant::now))
    }

    /// Whether its end is printed.
    pub fn runs(self) -> bool {
        self.0.is_some()
    }

    fn millis(self) -> u128 {
        self.0.map_or(0, |began| began.elapsed().as_millis())
    }
}

pub fn query_ended(timer: Timer, result: &Result<Response, Error>) {
    if !timer.runs() {
        return;
    }
    match result {
        Ok(response) => {
            let command = response.results.last().and_then(|result| result.tag.as_deref());
            debug!(connection = response.connection, command, millis = timer.millis(), "query ended");
        }
        Err(error) => debug!(code = error.code(), kind = ?error.kind(), millis = timer.millis(), "query failed"),
    }
}

pub fn checkout_ended(timer: Timer, outcome: Result<ConnectionId, &Error>) {
    match outcome {
        Ok(connection) => debug!(connection, waited_millis = timer.millis(), "connection checked out"),
        Err(error) => debug!(code = error.code(), waited_millis = timer.millis(), "checkout failed"),
    }
}

pub fn connect_began(target: &Target) -> Timer {
    debug!(server = target.address(), database = target.config.database, user = target.config.user, "connecting");
    Timer::start()
}

pub fn connect_ended(timer: Timer, target: &Target, outcome: Result<ConnectionId, &Error>) {
    match outcome {
        Ok(connection) => info!(connection, server = target.address(), millis = timer.millis(), "connected"),
        Err(error) => {
            info!(server = target.address(), code = error.code(), millis = timer.millis(), "connecting failed: {}", error.message())
        }
    }
}

/// An attempt to connect has failed and is repeated.
pub fn connect_retried(error: &Error) {
    debug!(code = error.code(), "connecting again: {}", error.message());
}

pub fn connection_closed(connection: ConnectionId, error: Option<&Error>) {
    info!(connection, code = error.and_then(Error::code), "connection closed");
}

pub fn fetch_began() -> Timer {
    debug!("fetching a database credential");
    Timer::start()
}

pub fn fetch_ended(timer: Timer, outcome: Result<&str, &Error>) {
    match outcome {
        Ok(method) => info!(method, millis = timer.millis(), "database credential fetched"),
        Err(error) => info!(code = error.code(), millis = timer.millis(), "fetching a database credential failed: {}", error.message()),
    }
}

/// Prints events as `LAKEBASE_LOG` says: `error`, `warn`, `info`, `debug` or `trace`; unset or `off` prints none. Only this package's: those of
/// its HTTP client may hold secrets.
#[cfg(feature = "node")]
pub fn install() {
    use std::sync::Once;

    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::prelude::*;

    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let Ok(level) = std::env::var("LAKEBASE_LOG") else { return };
        let Ok(level) = level.trim().parse::<LevelFilter>() else {
            eprintln!("lakebase-native: LAKEBASE_LOG is neither off, error, warn, info, debug nor trace");
            return;
        };
        if level == LevelFilter::OFF {
            return;
        }
        let printed = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr);
        let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
        // Fails when the process has a subscriber: then that one is told.
        let _ = tracing_subscriber::registry().with(printed.with_filter(ours)).try_init();
    });
}
