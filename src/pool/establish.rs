//! Makes one connection: the token fetch runs beside DNS, TCP, TLS and startup; transient failures are retried, a refused token once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::login::{Attempt, Login};
use super::retry::{backoff, is_refused_login, is_transient};
use crate::config::PoolConfig;
use crate::error::{Error, Kind};
use crate::wire::{self, Connection, Early, Observer, Options, Socket, Started, Target};

/// A connection whose I/O task runs. Cancellation closes what was opened.
pub async fn establish(
    pool: &PoolConfig,
    target: &Target,
    login: &Login,
    options: &Options,
    observer: Arc<dyn Observer>,
) -> Result<Connection, Error> {
    Ok(wire::open(begin_session(pool, target, login, options).await?, observer))
}

/// Connects and logs in within the configured bound. Cancellation closes what was opened.
pub async fn begin_session(pool: &PoolConfig, target: &Target, login: &Login, options: &Options) -> Result<Started<Socket>, Error> {
    let deadline = pool.connection_timeout.map(|bound| Instant::now() + leave_room(bound));
    let mut tries = 0;
    let mut login_retried = false;
    let mut last_error: Option<Error> = None;
    loop {
        let attempt = login.attempt(deadline);
        // Once: a server that is not ready would have the same query again and again.
        let early = options.early.as_deref().filter(|_| tries == 0 && !login_retried);
        let started = within(deadline, async {
            tokio::select! {
                biased;
                started = start(target, &attempt, options, early) => started,
                error = attempt.failure() => Err(error),
            }
        });
        let error = match started.await {
            Some(Ok(started)) => return Ok(started),
            Some(Err(error)) => error,
            // The last real failure says more than that the time is up.
            None => return Err(last_error.unwrap_or_else(|| target.timed_out())),
        };
        if !attempt.has_failed() && is_refused_login(&error) {
            if login_retried || !login.forget(&attempt) {
                return Err(refused(error, target, login));
            }
            login_retried = true;
            continue;
        }
        // The token's own failures were retried where it is fetched.
        if attempt.has_failed() {
            return Err(last_error.unwrap_or(error));
        }
        let wait = backoff(tries);
        let in_time = deadline.is_none_or(|deadline| Instant::now() + wait < deadline);
        let awaited = options.early.as_ref().is_none_or(|early| early.is_awaited());
        if !pool.retry_connect || !is_transient(&error) || !in_time || !awaited {
            return Err(error);
        }
        last_error = Some(error);
        tries += 1;
        sleep(wait).await;
    }
}

async fn start(target: &Target, mut attempt: &Attempt, options: &Options, early: Option<&dyn Early>) -> Result<Started<Socket>, Error> {
    let connected = wire::connect(target).await?;
    wire::start(connected, target, &mut attempt, options, early).await
}

/// The waiting caller has the same bound and started earlier: ends a little before it, so that the caller hears the reason.
fn leave_room(bound: Duration) -> Duration {
    bound.saturating_sub((bound / 20).min(Duration::from_millis(250)))
}

async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => timeout_at(deadline, work).await.ok(),
        None => Some(work.await),
    }
}

/// The server's refusal, with what usually mends it for a token login.
fn refused(error: Error, target: &Target, login: &Login) -> Error {
    match (login, error.server()) {
        (Login::Token(_), Some(server)) => {
            let hint = format!(
                "a fresh database credential was refused too: does role {:?} exist in PostgreSQL for this identity, and does the endpoint belong to {}?",
                target.config.user,
                target.address()
            );
            Error::new(Kind::Authentication, server.message.clone())
                .with_code(server.code.clone().unwrap_or_default())
                .with_hint(hint)
                .with_server(server.clone())
        }
        _ => error,
    }
}
