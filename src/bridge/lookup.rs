//! What a pool would use, told without a pool.

use napi_derive::napi;

use super::environment::{Environment, parse, settings};
use super::queue::Answer;
use crate::batch::{Event, error_text};
use crate::config::{self, Lookup};
use crate::error::Error;
use crate::runtime;
use crate::token::TokenSource;

#[napi]
impl Environment {
    /// What a Lakebase pool with these options would be set to, or the error it would not be made with, as JSON. Empty: to be looked up.
    #[napi(catch_unwind)]
    pub fn settings(&self, options: String, variables: String) -> String {
        let config = parse(&options, &variables).and_then(|(options, variables)| config::resolve(&options, &variables));
        config.map_or_else(|error| error_text(&error), |config| settings(&config).to_string())
    }

    /// The name of the identity that asks the workspace for tokens; answered by the event `user`.
    #[napi(catch_unwind)]
    pub fn user_name(&self, request: u32, options: String, variables: String) {
        let answer = Answer::new(self.queue(), request);
        let config = parse(&options, &variables).and_then(|(options, variables)| config::resolve_token(&options, &variables));
        let source = match config {
            Ok(mut config) => {
                self.owner.own(&mut config);
                TokenSource::shared(&config)
            }
            Err(error) => return answer.fail(&error),
        };
        runtime::handle().spawn(async move {
            let found = source.addresses(Lookup { user: true, ..Lookup::default() }, None).await;
            let user = found.and_then(|found| found.user.ok_or_else(|| Error::internal("a user was looked up, and none was found")));
            match user {
                Ok(user) => answer.event(&Event::User { user: &user }),
                Err(error) => answer.fail(&error),
            }
        });
    }
}
