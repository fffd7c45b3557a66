//! Makes one connection and prepares it: the token fetch runs beside DNS, TCP, TLS and startup; transient failures are retried, a refused
//! token once.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout_at};

use super::Events;
use super::connection::PooledConnection;
use super::ledger::{Entry, Phase};
use super::login::{Attempt, Login};
use super::observer::PoolObserver;
use super::pool::Inner;
use super::retry::{MAX_PREPARATIONS, backoff, is_refused_login, is_transient};
use crate::config::PoolConfig;
use crate::error::{Error, Kind};
use crate::trace;
use crate::wire::{self, Connection, FirstQuery, Observer, Options, Request, SchemaGeneration, Target};

/// Who the new connection is for, which decides who prepares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Whoever is at the front of the queue then: it is prepared before it goes into service.
    Queue,
    /// One caller, who prepares it.
    Caller,
}

impl Purpose {
    /// The phase of a connection that is being made for this.
    pub(super) fn phase(self) -> Phase {
        match self {
            Self::Queue => Phase::Opening,
            Self::Caller => Phase::OpeningForCaller,
        }
    }
}

pub(super) struct Connector {
    pub target: Arc<Target>,
    pub login: Login,
    pub events: Arc<dyn Events>,
    pub schema_generation: SchemaGeneration,
    /// Numbers the attempts that `events` is told of.
    pub attempts: AtomicU32,
}

impl Connector {
    /// Connects, logs in, and lets the owner prepare the session. `entry` is the connection's, that of the last one if others were lost.
    /// A panic on the way is the attempt's error.
    pub async fn prepared(&self, pool: &Arc<Inner>, purpose: Purpose, entry: &mut Arc<Entry>) -> Result<PooledConnection, Error> {
        match AssertUnwindSafe(self.connect_and_prepare(pool, purpose, entry)).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::internal("making a connection panicked")),
        }
    }

    async fn connect_and_prepare(&self, pool: &Arc<Inner>, purpose: Purpose, entry: &mut Arc<Entry>) -> Result<PooledConnection, Error> {
        let mut tries = 0;
        loop {
            let mut connection = self.connect(pool, purpose, entry).await?;
            pool.enter(&connection, purpose, Phase::Preparing);
            let Err(error) = self.events.connected(&connection.wire, purpose).await else {
                connection.start_idling();
                pool.enter(&connection, purpose, Phase::Reserved);
                return Ok(connection);
            };
            let is_lost = connection.wire.is_closed();
            // A connection that ended while it was being prepared is one that could not be made.
            if !is_lost || !pool.config.retry_connect || tries + 1 == MAX_PREPARATIONS {
                return Err(error);
            }
            *entry = pool.replace(connection, purpose);
            sleep(backoff(tries)).await;
            tries += 1;
        }
    }

    async fn connect(&self, pool: &Arc<Inner>, purpose: Purpose, entry: &Arc<Entry>) -> Result<PooledConnection, Error> {
        let config: &PoolConfig = &pool.config;
        // Whoever prepares connections comes before any query.
        let sends_first_query = purpose == Purpose::Queue && matches!(self.login, Login::Token(_)) && !self.events.prepares();
        let is_only_one = config.max == 1;
        let options = Options {
            // Nothing that is sent with a statement of its own is ever sent again, behind a write that cannot be.
            statement_cache_size: if is_only_one && config.pipeline_writes { 0 } else { config.statement_cache_size },
            pipeline_writes: config.pipeline_writes && config.max_pipeline > 1,
            schema_generation: self.schema_generation.clone(),
            in_order: is_only_one && !config.pipeline_writes,
            first_query: sends_first_query.then(|| Box::new(FrontOfQueue(Arc::downgrade(pool))) as Box<dyn FirstQuery>),
        };
        let observer = Arc::new(PoolObserver::new(pool, entry.clone()));
        let attempt = (purpose == Purpose::Queue && self.events.is_observed()).then(|| self.attempts.fetch_add(1, Ordering::Relaxed));
        if let Some(attempt) = attempt {
            self.events.connecting(attempt);
        }
        let connected = connect(config, &self.target, &self.login, &options, observer).await;
        if let Some(attempt) = attempt {
            self.events.connect_ended(attempt, connected.as_ref().map(Connection::id));
        }
        let connection = connected?;
        // Dropping the connection closes the connection, so a cancelled or failed preparation leaves nothing open.
        let mut connection = PooledConnection::new(connection, entry.clone(), config);
        if connection.wire.outstanding() > 0 {
            // The query that was sent together with the password.
            connection.count_use();
        }
        Ok(connection)
    }
}

impl Inner {
    /// The next phase of a new connection. Under the lock, so that nobody who counts finds it in two phases.
    fn enter(&self, connection: &PooledConnection, purpose: Purpose, phase: Phase) {
        // One that is made for a caller is that caller's to prepare.
        if purpose == Purpose::Queue {
            let _state = self.state.lock();
            connection.enter(phase);
        }
    }

    /// Keeps the place of a connection that was lost, for the one that is made instead.
    fn replace(&self, lost: PooledConnection, purpose: Purpose) -> Arc<Entry> {
        let _state = self.state.lock();
        drop(lost);
        Entry::new(&self.ledger, purpose.phase())
    }
}

/// Gives the query that has waited longest, to be sent together with the password.
struct FrontOfQueue(Weak<Inner>);

impl FirstQuery for FrontOfQueue {
    fn take(&self) -> Option<Request> {
        self.0.upgrade()?.take_first_query()
    }

    fn is_awaited(&self) -> bool {
        self.0.upgrade().is_some_and(|pool| pool.has_pending())
    }
}

/// A connection whose I/O task runs. Cancellation closes what was opened.
pub async fn connect(
    pool: &PoolConfig,
    target: &Target,
    login: &Login,
    options: &Options,
    observer: Arc<dyn Observer>,
) -> Result<Connection, Error> {
    let timer = trace::connect_began(target);
    let connected = begin_session(pool, target, login, options).await.map(|started| wire::open(started, observer));
    trace::connect_ended(timer, target, connected.as_ref().map(Connection::id));
    connected
}

/// Connects and logs in within the configured bound. Cancellation closes what was opened.
pub async fn begin_session(
    pool: &PoolConfig,
    target: &Target,
    login: &Login,
    options: &Options,
) -> Result<wire::Started<wire::Socket>, Error> {
    let deadline = pool.connection_timeout.map(|bound| Instant::now() + leave_room(bound));
    let mut tries = 0;
    let mut login_retried = false;
    let mut last_error: Option<Error> = None;
    loop {
        let attempt = login.attempt(deadline);
        // Once: a server that is not ready would have the same query again and again.
        let first_query = options.first_query.as_deref().filter(|_| tries == 0 && !login_retried);
        let started = within(deadline, async {
            tokio::select! {
                biased;
                started = start(target, &attempt, options, first_query) => started,
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
        let awaited = options.first_query.as_ref().is_none_or(|queue| queue.is_awaited());
        if !pool.retry_connect || !is_transient(&error) || !in_time || !awaited {
            return Err(error);
        }
        trace::connect_retried(&error);
        last_error = Some(error);
        tries += 1;
        sleep(wait).await;
    }
}

async fn start(
    target: &Target,
    mut attempt: &Attempt,
    options: &Options,
    first_query: Option<&dyn FirstQuery>,
) -> Result<wire::Started<wire::Socket>, Error> {
    let connected = wire::connect(target).await?;
    wire::start(connected, target, &mut attempt, options, first_query).await
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
