//! Proxies for local tools.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use napi_derive::napi;

use super::deferred::{located, tokens};
use super::environment::{Environment, parse};
use super::queue::{Answer, Queue};
use crate::batch::{Event, error_json};
use crate::config::{self, Host, SslMode};
use crate::error::Error;
use crate::proxy::{Asked, Events, Proxy, Settings};
use crate::runtime;
use crate::secret::Secret;
use crate::wire::Target;

/// Sends JavaScript the events of the proxy with this number.
struct EventSender {
    queue: Arc<Queue>,
    proxy: u32,
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

impl Events for EventSender {
    fn opened(&self, client: u64, peer: SocketAddr, asked: &Asked, process_id: i32, login: Duration) {
        self.queue.event(&Event::Opened {
            pool: self.proxy,
            client,
            peer: peer.to_string(),
            user: &asked.user,
            database: &asked.database,
            application_name: asked.application_name.as_deref(),
            process_id,
            login_millis: millis(login),
        });
    }

    fn refused(&self, client: u64, peer: SocketAddr, asked: &Asked, error: &Error) {
        self.queue.event(&Event::Refused {
            pool: self.proxy,
            client,
            peer: peer.to_string(),
            user: &asked.user,
            database: &asked.database,
            application_name: asked.application_name.as_deref(),
            error: error_json(error),
        });
    }

    fn closed(&self, client: u64, lasted: Duration, sent: u64, received: u64) {
        self.queue.event(&Event::Closed { pool: self.proxy, client, lasted_millis: millis(lasted), sent, received });
    }

    fn canceled(&self, client: Option<u64>, error: Option<&Error>) {
        self.queue.event(&Event::Canceled { pool: self.proxy, client, error: error.map(error_json) });
    }
}

#[napi]
impl Environment {
    /// Opens a proxy under the number `proxy`, for what a pool with these options would connect to; answered by the event `listening`.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "plain arguments cross faster than an object")]
    pub fn open_proxy(
        &self,
        proxy: u32,
        request: u32,
        options: String,
        variables: String,
        address: String,
        port: u16,
        password: Option<String>,
    ) {
        let answer = Answer::new(self.queue(), request);
        let config = parse(&options, &variables).and_then(|(options, variables)| config::resolve(&options, &variables));
        let (mut config, address) = match config.and_then(|config| Ok((config, loopback(&address)?))) {
            Ok(found) => found,
            Err(error) => return answer.fail(&error),
        };
        let (login, _) = self.owner.login(&mut config.login, proxy, self.questions().password(self.queue(), proxy));
        let proxies = self.proxies.clone();
        let events = Arc::new(EventSender { queue: self.queue().clone(), proxy });
        runtime::handle().spawn(async move {
            let settings = Settings { address, port, password: password.map(Secret::new) };
            let config = match located_config(config).await {
                Ok(config) => config,
                Err(error) => return answer.fail(&error),
            };
            let listening = config.clone();
            match Proxy::listen(config, login, settings, events).await {
                Ok(opened) => {
                    let address = opened.address();
                    proxies.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(proxy, opened);
                    answer_listening(answer, address, &listening);
                }
                Err(error) => answer.fail(&error),
            }
        });
    }

    /// Stops listening and ends the clients' sessions; answered by the event `done`.
    #[napi(catch_unwind)]
    pub fn close_proxy(&self, proxy: u32, request: u32) {
        let answer = Answer::new(self.queue(), request);
        let open = self.proxies.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&proxy);
        runtime::handle().spawn(async move {
            if let Some(open) = open {
                open.close().await;
            }
            answer.event(&Event::Done);
        });
    }
}

fn loopback(address: &str) -> std::result::Result<IpAddr, Error> {
    let address = if address == "localhost" { "127.0.0.1" } else { address };
    address.parse().map_err(|_| {
        Error::proxy_address(format!("{address:?} is no IP address that the proxy could listen on")).with_hint("use 127.0.0.1 or ::1")
    })
}

async fn located_config(config: config::Config) -> std::result::Result<config::Config, Error> {
    match tokens(&config.login) {
        Some(tokens) => located(&config, &tokens).await,
        None => Ok(config),
    }
}

fn answer_listening(answer: Answer, address: SocketAddr, config: &config::Config) {
    let connect = &config.connect;
    let server = Target::new(connect.clone()).address();
    let verified = matches!(connect.ssl.mode, SslMode::VerifyFull | SslMode::VerifyCa) || matches!(connect.host, Host::Unix(_));
    let (host, port) = (address.ip().to_string(), address.port());
    answer.event(&Event::Listening { host, port, database: &connect.database, user: &connect.user, server: &server, verified });
}
