//! How a connection to the workspace is made: directly or through the tunnel of a proxy, with TLS.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use http::uri::{Scheme, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::ApiNetwork;
use super::PRODUCT;
use crate::error::Error;

/// Bound on DNS, TCP, TLS and a proxy's handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Of a connection on which nothing happens; and so many probes, so far apart, end it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_RETRIES: u32 = 3;

/// TCP, or TLS to a proxy.
type Plain = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn StdError + Send + Sync>;
type Connecting<Stream> = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

/// Connects to `https` with TLS, to `http` without, within [`CONNECT_TIMEOUT`].
#[derive(Clone)]
pub(super) struct Connector(HttpsConnector<Route>);

impl Connector {
    /// # Errors
    /// [`crate::error::Kind::Configuration`] for a proxy whose URL is none.
    pub(super) fn new(network: &ApiNetwork, tls: &Arc<rustls::ClientConfig>) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        // Or it would refuse `https`, for which it makes the socket.
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_keepalive_interval(Some(KEEP_ALIVE));
        tcp.set_keepalive_retries(Some(KEEP_ALIVE_RETRIES));
        let to_proxy = HttpsConnector::from((tcp.clone(), Arc::clone(tls)));
        let route = Route { tcp, to_proxy, proxies: Arc::new(proxies(network)?) };
        Ok(Self(HttpsConnector::from((route, Arc::clone(tls)))))
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Plain>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = self.0.call(destination);
        Box::pin(async { timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))? })
    }
}

/// The way to a host, before its TLS: a socket, or a tunnel that a proxy has made for us.
#[derive(Clone)]
struct Route {
    tcp: HttpConnector,
    to_proxy: HttpsConnector<HttpConnector>,
    proxies: Arc<Matcher>,
}

impl Service<Uri> for Route {
    type Response = Plain;
    type Error = BoxError;
    type Future = Connecting<Plain>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.intercept(&destination) else {
            let connecting = self.tcp.call(destination);
            return Box::pin(async { Ok(MaybeHttpsStream::Http(connecting.await?)) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.to_proxy.clone())
            .with_headers(HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(PRODUCT))]));
        if let Some(login) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        let connecting = tunnel.call(destination);
        Box::pin(async { connecting.await.map_err(Into::into) })
    }
}

/// `HTTPS_PROXY` for `https`, unless `NO_PROXY` names the host. `http` is for this machine only.
fn proxies(network: &ApiNetwork) -> Result<Matcher, Error> {
    let Some(proxy) = &network.https_proxy else { return Ok(Matcher::builder().build()) };
    let refused = || {
        // Without the URL, which may hold a password.
        Error::unusable_setting("HTTPS_PROXY: expected a URL such as http://proxy.example:8080")
    };
    // With the host's name as DNS has it.
    let proxy = url::Url::parse(proxy.expose()).map_err(|_| refused())?;
    let any = Uri::builder().scheme(Scheme::HTTPS).authority("host.example").path_and_query("/").build();
    // A URL that the matcher cannot read it passes over, which would lead past the proxy.
    if !any.is_ok_and(|any| Matcher::builder().https(proxy.as_str()).build().intercept(&any).is_some()) {
        return Err(refused());
    }
    Ok(Matcher::builder().https(proxy.as_str()).no(bypass(network)).build())
}

/// `NO_PROXY`, plus loopback, which Go's HTTP client leaves out of proxying too: an emulator on this machine is not behind one.
fn bypass(network: &ApiNetwork) -> String {
    let listed = network.no_proxy.as_deref().unwrap_or_default();
    format!("{listed},localhost,127.0.0.0/8,::1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    /// Where a call to `destination` goes: the proxy's address and whether it gets a login, or `None` for the host itself.
    fn way(https_proxy: &str, no_proxy: &str, destination: &str) -> Option<(String, bool)> {
        let network =
            ApiNetwork { https_proxy: Some(Secret::new(https_proxy)), no_proxy: Some(no_proxy.to_owned()), ..ApiNetwork::default() };
        let proxy = proxies(&network).unwrap().intercept(&destination.parse().unwrap())?;
        Some((proxy.uri().to_string(), proxy.basic_auth().is_some()))
    }

    #[test]
    fn https_goes_through_the_proxy_unless_no_proxy_or_loopback() {
        let proxied = Some(("http://proxy.example:3128/".to_owned(), false));
        assert_eq!(way("http://proxy.example:3128", "", "https://dbc.example/api"), proxied);
        assert_eq!(way("http://proxy.example:3128", "other.example", "https://dbc.example:8443/"), proxied);
        for direct in ["https://a.internal.example", "https://10.1.2.3", "https://localhost:8443", "https://127.8.8.8", "https://[::1]:1"] {
            assert_eq!(way("http://proxy.example:3128", " .internal.example , 10.0.0.0/8", direct), None, "{direct}");
        }
        assert_eq!(way("http://proxy.example:3128", "", "http://169.254.169.254/"), None, "http is never proxied");
    }

    #[test]
    fn a_proxy_may_have_tls_a_login_and_an_international_name() {
        assert_eq!(
            way("https://u:p%40@prüfung.example", "", "https://dbc.example"),
            Some(("https://xn--prfung-4ya.example/".to_owned(), true))
        );
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_its_password() {
        for url in ["socks4b://u:SENTINEL@host", "http://u:SENTINEL@", "SENTINEL"] {
            let network = ApiNetwork { https_proxy: Some(Secret::new(url)), ..ApiNetwork::default() };
            let error = proxies(&network).err().unwrap();
            assert!(!format!("{error:?}").contains("SENTINEL"), "{error:?}");
            assert_eq!(error.code(), Some("CONFIGURATION_ERROR"));
        }
    }
}
