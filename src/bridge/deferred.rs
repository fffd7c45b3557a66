//! A pool whose host, database or user the workspace has to tell first. It is made when it is first used; what is asked of it until then waits.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::config::{Config, Host, Login, Lookup};
use crate::error::Error;
use crate::pool::Pool;
use crate::runtime;
use crate::token::TokenSource;

/// What waits for the pool, or for the reason why there is none.
type Waiting = Box<dyn FnOnce(Result<&Pool, &Error>) + Send>;

/// Makes the pool of a complete configuration.
type Make = Box<dyn Fn(Config) -> Pool + Send + Sync>;

pub(super) struct Deferred {
    config: Config,
    tokens: Arc<TokenSource>,
    make: Make,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pool: Option<Pool>,
    waiting: Vec<Waiting>,
}

impl Deferred {
    pub fn new(config: Config, tokens: Arc<TokenSource>, make: Make) -> Self {
        Self { config, tokens, make, state: Mutex::default() }
    }

    /// The pool, once it is there.
    pub fn pool(&self) -> Option<Pool> {
        self.lock().pool.clone()
    }

    /// Calls `then` with the pool: at once, or when the workspace has told what is missing. After a failure the next call asks again.
    pub fn with(self: &Arc<Self>, then: Waiting) {
        let mut state = self.lock();
        if let Some(pool) = state.pool.clone() {
            drop(state);
            return then(Ok(&pool));
        }
        state.waiting.push(then);
        if state.waiting.len() > 1 {
            return;
        }
        drop(state);
        let deferred = Arc::clone(self);
        runtime::handle().spawn(async move {
            let outcome = located(&deferred.config, &deferred.tokens).await.map(|config| (deferred.make)(config));
            let waiting = {
                let mut state = deferred.lock();
                state.pool = outcome.as_ref().ok().cloned();
                std::mem::take(&mut state.waiting)
            };
            for then in waiting {
                then(outcome.as_ref());
            }
        });
    }

    /// Calls `then` when nothing waits any more; the pool, if it was made meanwhile, has ended by then.
    pub fn end(&self, then: Box<dyn FnOnce() + Send>) {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            drop(state);
            return then();
        }
        state.waiting.push(Box::new(move |pool| match pool {
            Ok(pool) => {
                // Kept alive until it has ended.
                let ending = pool.clone();
                pool.end(Box::new(move || {
                    drop(ending);
                    then();
                }));
            }
            Err(_) => then(),
        }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configuration with what was blank. The credential is fetched beside the lookup: it does not need what is looked up.
pub(super) async fn located(config: &Config, tokens: &TokenSource) -> Result<Config, Error> {
    let mut config = config.clone();
    if !config.lookup.is_needed() {
        return Ok(config);
    }
    let deadline = config.pool.connection_timeout.map(|bound| Instant::now() + bound);
    let credential = async { tokens.token(deadline).await.map(drop) };
    let (found, _) = futures_util::future::join(tokens.addresses(config.lookup, deadline), credential).await;
    let found = found?;
    let connect = &mut config.connect;
    if let Some(host) = found.host {
        connect.host = Host::new(&host);
        if !matches!(connect.host, Host::Tcp(_)) {
            return Err(Error::lookup_failed("the workspace gave a host that is none"));
        }
    }
    connect.database = found.database.unwrap_or_else(|| std::mem::take(&mut connect.database));
    connect.user = found.user.unwrap_or_else(|| std::mem::take(&mut connect.user));
    config.lookup = Lookup::default();
    config.finish();
    Ok(config)
}

/// Where the tokens of a configuration come from, if it has any.
pub(super) fn tokens(login: &Login) -> Option<Arc<TokenSource>> {
    match login {
        Login::Token(config) => Some(TokenSource::shared(config)),
        _ => None,
    }
}
