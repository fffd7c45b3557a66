//! Proxies for local tools.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use napi_derive::napi;
use serde_json::{Value, json};

use super::deferred::{located, tokens};
use super::environment::{Environment, parse};
use super::queue::{Answer, Queue};
use crate::batch::error_text;
use crate::config::{self, Host, SslMode};
use crate::error::{Error, Kind};
use crate::pool::Login;
use crate::proxy::{Asked, Events, Proxy, Settings};
use crate::runtime;
use crate::secret::Secret;

/// Tells JavaScript what happens at the proxy with this number.
struct Teller {
    queue: Arc<Queue>,
    proxy: u32,
}

impl Teller {
    fn tell(&self, event: &str, mut details: Value) {
        details["event"] = event.into();
        details["pool"] = self.proxy.into();
        self.queue.event(&details);
    }
}

fn described(error: &Error) -> Value {
    serde_json::from_str(&error_text(error)).unwrap_or_default()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn who(client: u64, peer: SocketAddr, asked: &Asked) -> Value {
    json!({
        "client": client,
        "peer": peer.to_string(),
        "user": asked.user,
        "database": asked.database,
        "applicationName": asked.application_name,
    })
}

impl Events for Teller {
    fn opened(&self, client: u64, peer: SocketAddr, asked: &Asked, process_id: i32, login: Duration) {
        let mut details = who(client, peer, asked);
        details["processId"] = process_id.into();
        details["loginMillis"] = millis(login).into();
        self.tell("opened", details);
    }

    fn refused(&self, client: u64, peer: SocketAddr, asked: &Asked, error: &Error) {
        let mut details = who(client, peer, asked);
        details["error"] = described(error);
        self.tell("refused", details);
    }

    fn closed(&self, client: u64, lasted: Duration, sent: u64, received: u64) {
        self.tell("closed", json!({ "client": client, "lastedMillis": millis(lasted), "sent": sent, "received": received }));
    }

    fn canceled(&self, client: Option<u64>, error: Option<&Error>) {
        self.tell("canceled", json!({ "client": client, "error": error.map(described) }));
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
        let teller = Arc::new(Teller { queue: self.queue().clone(), proxy });
        runtime::handle().spawn(async move {
            let settings = Settings { address, port, password: password.map(Secret::new) };
            match opened(config, login, settings, teller).await {
                Ok((opened, mut details)) => {
                    details["event"] = "listening".into();
                    proxies.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(proxy, opened);
                    answer.event(details);
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
            answer.event(json!({ "event": "done" }));
        });
    }
}

fn loopback(address: &str) -> std::result::Result<IpAddr, Error> {
    let address = if address == "localhost" { "127.0.0.1" } else { address };
    address.parse().map_err(|_| {
        Error::new(Kind::Configuration, format!("{address:?} is no IP address that the proxy could listen on"))
            .with_code("PROXY_ADDRESS")
            .with_hint("use 127.0.0.1 or ::1")
    })
}

async fn opened(
    config: config::Config,
    login: Login,
    settings: Settings,
    teller: Arc<Teller>,
) -> std::result::Result<(Proxy, Value), Error> {
    let config = match tokens(&config.login) {
        Some(tokens) => located(&config, &tokens).await?,
        None => config,
    };
    let (database, user) = (config.connect.database.clone(), config.connect.user.clone());
    let server = crate::wire::Target::new(config.connect.clone()).address();
    let verified =
        matches!(config.connect.ssl.mode, SslMode::VerifyFull | SslMode::VerifyCa) || matches!(config.connect.host, Host::Unix(_));
    let proxy = Proxy::listen(config, login, settings, teller).await?;
    let address = proxy.address();
    let details = json!({ "host": address.ip().to_string(), "port": address.port(), "database": database, "user": user, "server": server, "verified": verified });
    Ok((proxy, details))
}
