//! Where a connection's password comes from.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;

use crate::config;
use crate::error::Error;
use crate::secret::Secret;
use crate::token::TokenSource;
use crate::wire::{Password, PasswordFuture};

/// Asks the owner's `password` function.
pub type AskPassword = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Option<Secret>, Error>> + Send>> + Send + Sync>;

/// A [`config::Login`] with what it needs at run time.
#[derive(Clone)]
pub enum Login {
    Token(Arc<TokenSource>),
    Fixed(Option<Secret>),
    Ask(AskPassword),
}

/// The password of one attempt to connect. A token is on its way from the start, so that its fetch overlaps the handshakes; a password
/// function is only called when the server asks, as node-postgres does.
pub(super) enum Attempt {
    Token(Shared<BoxFuture<'static, Result<Secret, Error>>>),
    Fixed(Option<Secret>),
    Ask(AskPassword),
}

impl Login {
    pub fn new(login: &config::Login, ask: AskPassword) -> Self {
        match login {
            config::Login::Token(token) => Self::Token(TokenSource::shared(token)),
            config::Login::Password(password) => Self::Fixed(Some(password.clone())),
            config::Login::Callback => Self::Ask(ask),
            config::Login::None => Self::Fixed(None),
        }
    }

    pub(super) fn attempt(&self, deadline: Option<Instant>) -> Attempt {
        match self {
            Self::Token(source) => {
                let source = source.clone();
                let fetch = async move { source.token(deadline).await.map(|credential| credential.token) };
                Attempt::Token(fetch.boxed().shared())
            }
            Self::Fixed(password) => Attempt::Fixed(password.clone()),
            Self::Ask(ask) => Attempt::Ask(ask.clone()),
        }
    }

    /// The server has refused `attempt`'s token: forgets it. False when there is no other to be had.
    pub(super) fn forget(&self, attempt: &Attempt) -> bool {
        match (self, attempt) {
            (Self::Token(source), Attempt::Token(fetch)) => {
                if let Some(Ok(token)) = fetch.peek() {
                    source.invalidate(token);
                }
                true
            }
            _ => false,
        }
    }
}

impl Attempt {
    /// The fetch has failed, so no session can begin.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Self::Token(fetch) if matches!(fetch.peek(), Some(Err(_))))
    }

    /// Runs the fetch; ends only when it fails, so that a connection which waits for nothing else is given up at once.
    pub(super) async fn failure(&self) -> Error {
        if let Self::Token(fetch) = self
            && let Err(error) = fetch.clone().await
        {
            return error;
        }
        std::future::pending().await
    }
}

impl Password for &Attempt {
    fn password(&mut self) -> PasswordFuture<'_> {
        match self {
            Attempt::Token(fetch) => Box::pin(fetch.clone().map(|token| token.map(Some))),
            Attempt::Fixed(password) => Box::pin(std::future::ready(Ok(password.clone()))),
            Attempt::Ask(ask) => ask(),
        }
    }
}
