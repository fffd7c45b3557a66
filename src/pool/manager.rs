//! What bb8 asks of us: make a connection, say whether one is still good.

use std::sync::{Arc, Weak};

use super::Events;
use super::dispatcher::Inner;
use super::establish::establish;
use super::login::Login;
use super::member::Member;
use crate::config::PoolConfig;
use crate::error::Error;
use crate::wire::{Early, Observer, Options, Request, SchemaGeneration, Target};

pub struct Manager {
    pub(super) config: PoolConfig,
    pub(super) target: Arc<Target>,
    pub(super) pool: Weak<Inner>,
    pub(super) login: Login,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) events: Arc<dyn Events>,
    pub(super) schema_generation: SchemaGeneration,
}

impl bb8::ManageConnection for Manager {
    type Connection = Member;
    type Error = Error;

    async fn connect(&self) -> Result<Member, Error> {
        // Whoever prepares connections comes before any query.
        let early = matches!(self.login, Login::Token(_)) && !self.events.prepares();
        let options = Options {
            statement_cache_size: self.config.statement_cache_size,
            schema_generation: self.schema_generation.clone(),
            early: early.then(|| Box::new(FirstInLine(self.pool.clone())) as Box<dyn Early>),
        };
        let connection = establish(&self.config, &self.target, &self.login, &options, self.observer.clone()).await?;
        // Dropping the member closes the connection, so a cancelled or failed preparation leaves nothing open.
        let mut member = Member::new(connection, &self.config);
        if member.connection.outstanding() > 0 {
            // The request that rode along with the password.
            member.count_use();
        }
        if let Err(error) = self.events.connected(&member.connection).await {
            member.retire(false);
            return Err(error);
        }
        member.start_idling();
        Ok(member)
    }

    /// Never called: checkouts are tested by the dispatcher, which knows which ones need it.
    async fn is_valid(&self, _: &mut Member) -> Result<(), Error> {
        Ok(())
    }

    fn has_broken(&self, member: &mut Member) -> bool {
        let spent = member.is_spent();
        if spent {
            member.retire(false);
        }
        spent
    }
}

/// Takes the query that has waited longest to ride along with the password.
struct FirstInLine(Weak<Inner>);

impl Early for FirstInLine {
    fn take(&self) -> Option<Request> {
        self.0.upgrade()?.take_early()
    }

    fn is_awaited(&self) -> bool {
        self.0.upgrade().is_some_and(|pool| pool.has_waiters())
    }
}
