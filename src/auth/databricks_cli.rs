//! `databricks-cli`: whoever has run `databricks auth login` on this machine.
//!
//! Wire facts: databricks-sdk-go `config/cli_token_source.go`: `auth token --profile` from 0.207.1 on, `--host` before; a file of less than
//! 1 MiB is the old CLI of another language, which has no such command; the answer's fields.

use std::path::{Path, PathBuf};

use futures_util::future::FutureExt;
use serde::Deserialize;

use super::token_endpoint::ACCOUNT_ID;
use super::{AccessToken, Applies, CLIENT_ID, Call, Fetched, Settings, WorkspaceAuth, program};
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;
use crate::setting::Setting;

static CLI_PATH: Setting = Setting::new("databricksCliPath", &["DATABRICKS_CLI_PATH"]).key("databricks_cli_path");

/// The least size of the CLI that can do this.
const LEAST_SIZE: u64 = 1024 * 1024;
/// The first version whose `auth token` heeds `--profile`; earlier ones take the flag and ignore it.
const PROFILE_FROM: [u32; 3] = [0, 207, 1];

#[derive(Debug)]
pub struct DatabricksCli;

impl WorkspaceAuth for DatabricksCli {
    fn name(&self) -> &'static str {
        "databricks-cli"
    }

    fn family(&self) -> &'static str {
        "databricks-cli"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&CLI_PATH, &CLIENT_ID, &ACCOUNT_ID] }
    }

    fn needs_environment(&self) -> bool {
        true
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match find(settings) {
            // It also is the database user's name, and the CLI's token is for somebody else.
            Ok(_) if settings.has(&CLIENT_ID) && !settings.is_pinned() => {
                Applies::No("clientId is set, which names a service principal".into())
            }
            Ok(_) => Applies::Perhaps,
            Err(reason) => Applies::No(reason),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move { fetch(call).await }.boxed()
    }
}

fn find(settings: &Settings) -> Result<PathBuf, String> {
    let given = settings.text(&CLI_PATH);
    let file = match given {
        Some(path) if Path::new(path).components().count() > 1 => Some(PathBuf::from(path)).filter(|file| file.is_file()),
        name => program::find(name.unwrap_or("databricks"), settings.variables()),
    };
    let file = file.ok_or_else(|| match given {
        Some(path) => format!("databricksCliPath (DATABRICKS_CLI_PATH) names {path:?}, which is not there"),
        None => "no program `databricks` is in PATH".to_owned(),
    })?;
    match file.metadata() {
        Ok(found) if found.len() >= LEAST_SIZE => Ok(file),
        Ok(_) => Err(format!("{} is the old Databricks CLI, which cannot give tokens: install 0.205 or newer", file.display())),
        Err(error) => Err(format!("{} cannot be read: {}", file.display(), error.kind())),
    }
}

async fn fetch(call: &Call<'_>) -> Result<AccessToken, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: Secret,
        expiry: String,
    }
    let file = find(call.settings).map_err(Error::program_failed)?;
    let host = &call.workspace.url;
    let login = format!("log in with: databricks auth login --host {host}");
    let mut arguments = vec!["auth", "token"];
    match call.settings.profile().map(|profile| profile.name()) {
        Some(profile) if has_profiles(&file, call).await => arguments.extend(["--profile", profile]),
        _ => {
            arguments.extend(["--host", host]);
            if let Some(account) = call.settings.text(&ACCOUNT_ID).filter(|_| call.is_account_host()) {
                arguments.extend(["--account-id", account]);
            }
        }
    }
    let answer = program::json::<Answer>(&file, &arguments, call).await.map_err(|failure| match failure.error.code() {
        Some("PROGRAM_FAILED") => failure.with_hint(Some(login.into())),
        _ => failure,
    })?;
    let expires_at = expiry(&answer.expiry).filter(|_| !answer.access_token.is_empty()).ok_or_else(|| {
        Error::invalid_response("`databricks auth token` gave no token with a time of expiry").with_hint("install a newer Databricks CLI")
    })?;
    Ok(AccessToken::new(answer.access_token, Some(expires_at.into())))
}

/// Whether this version's `auth token` heeds `--profile`.
async fn has_profiles(file: &Path, call: &Call<'_>) -> bool {
    let Ok(output) = program::run(file, &["version"], call).await else { return false };
    version(&String::from_utf8_lossy(&output)).is_some_and(|version| version >= PROFILE_FROM)
}

/// `Databricks CLI v0.296.0`
fn version(text: &str) -> Option<[u32; 3]> {
    let numbers = text.trim().split_once(" v")?.1.split(['-', '+']).next()?;
    let mut parts = numbers.split('.').map(str::parse);
    let version = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(version)
}

/// RFC 3339; or, from other CLIs, with a space and without a zone, which means UTC.
fn expiry(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| format!("{}Z", text.replacen(' ', "T", 1)).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(version("Databricks CLI v0.296.0\n"), Some([0, 296, 0]));
        assert!(version("Databricks CLI v0.207.1").unwrap() >= PROFILE_FROM);
        assert!(version("Databricks CLI v0.207.0").unwrap() < PROFILE_FROM);
        assert!(version("Databricks CLI v0.0.0-dev+abc").unwrap() < PROFILE_FROM);
        assert_eq!(version("Version 0.18.0"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn expiries_of_all_clis_are_read() {
        for text in ["2030-03-20T10:30:00.123456789Z", "2030-03-20T11:30:00.123456789+01:00", "2030-03-20 10:30:00.123456789"] {
            assert_eq!(expiry(text).unwrap().to_string(), "2030-03-20T10:30:00.123456789Z");
        }
        assert_eq!(expiry("soon"), None);
    }
}
