//! What only the program around the core can do.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::Call;
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;
use crate::setting::Setting;

/// Calls functions of the program's, reads what changes in its environment, and warns.
pub trait Owner: Send + Sync + Debug {
    /// Tells owners apart: their functions and environments are their own.
    fn id(&self) -> u64;

    /// `None` when there is no answer to be had: a variable that is not set.
    fn ask(&self, question: Question<'_>) -> BoxFuture<'static, Result<Option<Secret>, Error>>;

    /// Shows a warning once. It holds no secret.
    fn warn(&self, message: &str);
}

/// What is asked of an [`Owner`].
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    /// `authProvider`, by its number: JSON, `{"token": …, "expiresAt": milliseconds or null}`.
    Provider(&'a str),
    /// `oidcToken`, by its number, for this audience: a JSON Web Token.
    IdToken(&'a str, &'a str),
    /// The environment variable as it is now.
    Variable(&'a str),
}

impl Call<'_> {
    /// Asks the owner, until the deadline.
    pub(super) async fn ask(&self, question: Question<'_>, what: &str) -> Result<Option<Secret>, Failure> {
        let owner = self.owner.ok_or_else(|| Error::internal(format!("nobody is there to ask for {what}")))?;
        let asked_at = Instant::now();
        match timeout_at(self.deadline, owner.ask(question)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                let message = format!("{what} gave no answer within {} ms", asked_at.elapsed().as_millis());
                let error = Error::timed_out(message);
                Err(Failure::transient(
                    error.with_hint("it is called once per workspace token; let it answer sooner, or raise connectionTimeoutMillis"),
                ))
            }
        }
    }

    /// The value of what a platform sets, as it is now; without an owner as it was.
    pub(super) async fn current(&self, setting: &'static Setting) -> Result<Option<Secret>, Failure> {
        if self.owner.is_none() {
            return Ok(self.settings.get(setting).cloned());
        }
        for &name in setting.variables {
            if let Some(value) = self.variable(name).await? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// An environment variable as it is now; without an owner as it was.
    pub(super) async fn variable(&self, name: &str) -> Result<Option<Secret>, Failure> {
        let value = match self.owner {
            Some(_) => self.ask(Question::Variable(name), name).await?,
            None => self.settings.variables().get(name).map(|value| Secret::new(value.as_str())),
        };
        Ok(value.map(|value| Secret::new(value.expose().trim())).filter(|value| !value.is_empty()))
    }

    /// Warns the owner, if there is one.
    pub(super) fn warn(&self, message: &str) {
        if let Some(owner) = self.owner {
            owner.warn(message);
        }
    }
}
