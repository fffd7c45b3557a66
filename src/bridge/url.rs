//! A connection string for tools that take nothing else.

use napi_derive::napi;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::deferred::{located, tokens};
use super::environment::{Environment, parse};
use super::queue::Answer;
use crate::batch::Event;
use crate::config::{self, Config, Host, Login, SslMode};
use crate::error::Error;
use crate::runtime;
use crate::token::TokenSource;

/// What a part of a URL may hold as it is (RFC 3986, "unreserved").
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[napi]
impl Environment {
    /// A `postgresql://` URL for what a pool with these options would connect to, with its password; answered by the event `url`.
    #[napi(catch_unwind)]
    pub fn database_url(&self, request: u32, options: String, variables: String) {
        let answer = Answer::new(self.queue(), request);
        let mut config = match parse(&options, &variables).and_then(|(options, variables)| config::resolve(&options, &variables)) {
            Ok(config) => config,
            Err(error) => return answer.fail(&error),
        };
        if let Login::Token(config) = &mut config.login {
            self.owner.own(config);
        }
        runtime::handle().spawn(async move {
            match made(config).await {
                Ok(url) => answer.event(&Event::Url { url: &url }),
                Err(error) => answer.fail(&error),
            }
        });
    }
}

async fn made(mut config: Config) -> Result<String, Error> {
    if let Some(tokens) = tokens(&config.login) {
        config = located(&config, &tokens).await?;
    }
    Ok(url(&config, &password(&config.login).await?))
}

async fn password(login: &Login) -> Result<String, Error> {
    match login {
        Login::Token(token) => Ok(TokenSource::shared(token).token(None).await?.token.expose().to_owned()),
        Login::Password(password) => Ok(password.expose().to_owned()),
        Login::None => Ok(String::new()),
        // The facade has asked it already.
        Login::Callback => Err(Error::internal("a password function cannot be asked for a URL")),
    }
}

fn url(config: &Config, password: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let connect = &config.connect;
    let (host, query) = match &connect.host {
        Host::Tcp(host) if host.contains(':') => (format!("[{}]", host.trim_matches(['[', ']'])), String::new()),
        Host::Tcp(host) => (host.clone(), String::new()),
        Host::Unix(directory) => (String::new(), format!("host={}&", encode(&directory.display().to_string()))),
    };
    let mode = match connect.ssl.mode {
        SslMode::Disable => "disable",
        // libpq knows no `no-verify`.
        SslMode::NoVerify => "prefer",
        SslMode::VerifyCa => "verify-ca",
        // Not `require`: libpq and postgres.js encrypt with it and verify nothing.
        SslMode::VerifyFull => "verify-full",
    };
    let password = if password.is_empty() { String::new() } else { format!(":{}", encode(password)) };
    let (user, database, port) = (encode(&connect.user), encode(&connect.database), connect.port);
    format!("postgresql://{user}{password}@{host}:{port}/{database}?{query}sslmode={mode}")
}
