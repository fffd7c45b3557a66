//! The workspace's API for tools: what the command line shows and chooses from.

use std::time::{SystemTime, UNIX_EPOCH};

use napi_derive::napi;
use serde_json::json;

use super::environment::{Environment, parse};
use super::queue::Answer;
use crate::batch::Event;
use crate::config::{self, WorkspaceConfig};
use crate::error::Error;
use crate::runtime;
use crate::token::workspace;

#[napi]
impl Environment {
    /// `GET {path}` of the workspace's API as the identity in options and environment variables; answered by the event `workspace`. With
    /// `token`, the event has the access token.
    #[napi(catch_unwind)]
    pub fn workspace(&self, request: u32, options: String, variables: String, path: String, token: bool) {
        let answer = Answer::new(self.queue(), request);
        let mut config = match workspace_config(&options, &variables) {
            Ok(config) => config,
            Err(error) => return answer.fail(&error),
        };
        if !path.starts_with("/api/") {
            return answer.fail(&Error::usage("the path of a call is one of the workspace's API"));
        }
        self.owner.own_workspace(&mut config);
        runtime::handle().spawn(async move {
            match workspace::read(&config, &path).await {
                Ok(found) => answer.event(&Event::Workspace {
                    body: &found.body,
                    date: found.date.map(since_1970),
                    method: found.method,
                    expires_at: found.access_expires_at.map(since_1970),
                    token: token.then(|| found.access_token.expose()),
                }),
                Err(error) => answer.fail(&error),
            }
        });
    }

    /// Who the options and environment variables say we are, as JSON, without a call: the workspace, the ways to authenticate that will be
    /// tried and the names of the settings that chose them. Or the error.
    #[napi(catch_unwind)]
    pub fn identity(&self, options: String, variables: String) -> String {
        let described = workspace_config(&options, &variables).map(|config| {
            let methods: Vec<_> = config.auth.choose().unwrap_or_default().iter().map(|method| method.name()).collect();
            json!({ "workspaceUrl": config.workspace_url, "methods": methods, "given": config.auth.given(), "warnings": config.warnings })
        });
        described.map_or_else(|error| crate::batch::error_text(&error), |described| described.to_string())
    }
}

fn workspace_config(options: &str, variables: &str) -> Result<WorkspaceConfig, Error> {
    let (options, variables) = parse(options, variables)?;
    config::resolve_workspace(&options, &variables)
}

/// Milliseconds.
fn since_1970(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
