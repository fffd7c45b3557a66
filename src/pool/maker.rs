//! How one connection of a pool is made and prepared.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};

use futures_util::FutureExt;
use tokio::time::sleep;

use super::Events;
use super::dispatcher::Inner;
use super::establish::establish;
use super::login::Login;
use super::member::Member;
use super::retry::backoff;
use super::watch::Watch;
use crate::config::PoolConfig;
use crate::error::Error;
use crate::wire::{Early, Options, Request, SchemaGeneration, Target};

/// How many connections, one after another, may be lost while they are being prepared, before that is the attempt's error.
const MAX_PREPARATIONS: u32 = 5;

/// Who the new connection is for, which decides who prepares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Whoever is at the front of the queue then: it is prepared before it goes into service.
    Queue,
    /// One caller, who prepares it.
    Caller,
}

pub(super) struct Maker {
    pub target: Arc<Target>,
    pub login: Login,
    pub events: Arc<dyn Events>,
    pub schema_generation: SchemaGeneration,
}

impl Maker {
    /// Connects, logs in, and lets the owner prepare the session. A panic on the way is the attempt's error, so that no count of attempts
    /// is left too high by one.
    pub async fn make(&self, pool: &Arc<Inner>, purpose: Purpose) -> Result<Member, Error> {
        match AssertUnwindSafe(self.connect(pool, purpose)).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::internal("making a connection panicked")),
        }
    }

    async fn connect(&self, pool: &Arc<Inner>, purpose: Purpose) -> Result<Member, Error> {
        let mut tries = 0;
        loop {
            let mut member = self.establish(pool, purpose).await?;
            let Err(error) = self.events.connected(&member.connection, purpose).await else {
                member.start_idling();
                return Ok(member);
            };
            let is_lost = member.connection.is_closed();
            member.retire(false);
            // A connection that ended while it was being prepared is one that could not be made.
            if !is_lost || !pool.config.retry_connect || tries == MAX_PREPARATIONS {
                return Err(error);
            }
            sleep(backoff(tries)).await;
            tries += 1;
        }
    }

    async fn establish(&self, pool: &Arc<Inner>, purpose: Purpose) -> Result<Member, Error> {
        let config: &PoolConfig = &pool.config;
        // Whoever prepares connections comes before any query.
        let early = purpose == Purpose::Queue && matches!(self.login, Login::Token(_)) && !self.events.prepares();
        let is_only_one = config.max == 1;
        let options = Options {
            // Nothing that is sent with a statement of its own is ever sent again, behind a write that cannot be.
            statement_cache_size: if is_only_one && config.pipeline_writes { 0 } else { config.statement_cache_size },
            schema_generation: self.schema_generation.clone(),
            in_order: is_only_one && !config.pipeline_writes,
            early: early.then(|| Box::new(FirstInLine(Arc::downgrade(pool))) as Box<dyn Early>),
        };
        let observer = Arc::new(Watch(Arc::downgrade(pool)));
        let connection = establish(config, &self.target, &self.login, &options, observer).await?;
        // Dropping the member closes the connection, so a cancelled or failed preparation leaves nothing open.
        let mut member = Member::new(connection, config);
        if member.connection.outstanding() > 0 {
            // The request that rode along with the password.
            member.count_use();
        }
        Ok(member)
    }
}

/// Lets the query that has waited longest ride along with the password.
struct FirstInLine(Weak<Inner>);

impl Early for FirstInLine {
    fn take(&self) -> Option<Request> {
        self.0.upgrade()?.take_early()
    }

    fn is_awaited(&self) -> bool {
        self.0.upgrade().is_some_and(|pool| pool.has_waiters())
    }
}
