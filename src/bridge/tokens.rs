//! Tokens for callers without a pool, and which options of the ways to authenticate are secret.

use napi_derive::napi;

use super::environment::{Environment, parse};
use super::owner::millis;
use super::queue::Answer;
use crate::auth;
use crate::batch::Event;
use crate::config;
use crate::runtime;
use crate::token::TokenSource;

#[napi]
impl Environment {
    /// A database credential for the identity in options and environment variables; answered by the event `token`.
    #[napi(catch_unwind)]
    pub fn token(&self, request: u32, options: String, variables: String, refresh: bool) {
        let answer = Answer::new(self.queue(), request);
        let source = parse(&options, &variables).and_then(|(options, variables)| config::resolve_token(&options, &variables));
        let source = match source {
            Ok(mut config) => {
                self.owner.own(&mut config);
                TokenSource::shared(&config)
            }
            Err(error) => return answer.fail(&error),
        };
        runtime::handle().spawn(async move {
            let credential = if refresh { source.refreshed(None).await } else { source.token(None).await };
            match credential {
                Ok(credential) => answer.event(&Event::Token { token: credential.token.expose(), expires_at: millis(&credential) }),
                Err(error) => answer.fail(&error),
            }
        });
    }

    /// Forgets the tokens of a pool: the next connection logs in with a new one.
    #[napi(catch_unwind)]
    pub fn clear_tokens(&self, pool: u32) {
        if let Some(source) = self.tokens(pool) {
            source.clear();
        }
    }
}

/// The options that are secrets or functions: not to be shown where options are.
#[napi]
pub fn secret_options() -> Vec<&'static str> {
    auth::settings().filter(|setting| setting.secret && !setting.option.is_empty()).map(|setting| setting.option).collect()
}

/// All options of the ways to authenticate.
#[napi]
pub fn authentication_options() -> Vec<&'static str> {
    auth::settings().map(|setting| setting.option).filter(|option| !option.is_empty()).collect()
}
