//! HTTPS calls to the workspace: small requests with a JSON or form body, JSON answers, typed failures.
//!
//! One client per [`ApiNetwork`] and process, so that the token call and the credential call share one connection. Retrying is not done
//! here but in `token`, which knows who is waiting and until when; a [`Failure`] says whether it would make sense.

mod connector;
mod failure;
mod network;
mod request;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

pub use failure::Failure;
pub use network::ApiNetwork;
pub use request::{Authorization, Body, Request, Response};
pub(crate) use request::{is_link_local, is_loopback};

use crate::error::Error;
use crate::scrub::Scrub;
use crate::tls;
use connector::Connector;
use failure::{bad_status, no_answer, secrets, transport};

/// How this package names itself to servers and proxies.
const PRODUCT: &str = concat!("lakebase-native/", env!("CARGO_PKG_VERSION"));
/// Bound on one call; leaves room for another inside the default connect timeout of 10 s.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);
/// The answers read here are a few kilobytes; whatever sends more is not the workspace.
const MAX_BODY: usize = 1024 * 1024;
/// How long a connection that was not used is trusted to be alive, by the wall clock. Two calls of one cold start share a connection, as do
/// the refreshes of short-lived tokens; after a frozen function thaws, an old connection would only cost a timeout.
const IDLE: Duration = Duration::from_secs(30);

/// The HTTP client of one [`ApiNetwork`].
pub struct Client {
    network: ApiNetwork,
    tls: Arc<rustls::ClientConfig>,
    current: Mutex<Current>,
}

/// HTTP/1.1 with keep-alive. It follows no redirect and repeats no request that a server may have seen.
type Http = hyper_util::client::legacy::Client<Connector, Full<Bytes>>;

struct Current {
    client: Http,
    used: SystemTime,
}

impl Client {
    /// The process' client for `network`. Building one reads the CA files, so the first call can fail.
    ///
    /// # Errors
    /// [`Kind::Configuration`] for an unusable CA file or proxy.
    pub fn shared(network: &ApiNetwork) -> Result<Arc<Self>, Error> {
        // Networks come from the environment: a process has one or two, so nothing is ever evicted.
        static CLIENTS: LazyLock<Mutex<HashMap<ApiNetwork, Arc<Client>>>> = LazyLock::new(Mutex::default);
        let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(network) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(Self::new(network)?);
        clients.insert(network.clone(), Arc::clone(&client));
        Ok(client)
    }

    fn new(network: &ApiNetwork) -> Result<Self, Error> {
        let tls = Arc::new(tls::api_client_config(&network.extra_ca_files)?);
        let current = Current { client: build(network, &tls)?, used: SystemTime::now() };
        Ok(Self { network: network.clone(), tls, current: Mutex::new(current) })
    }

    /// The client to use now: a new one, without old connections but with the TLS tickets, when the last use is long ago by the wall clock.
    /// The monotonic clock, which hyper's own idle bound uses, may have stood still meanwhile.
    fn current(&self) -> Result<Http, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        if now.duration_since(current.used).map_or(true, |idle| idle > IDLE) {
            current.client = build(&self.network, &self.tls)?;
        }
        current.used = now;
        Ok(current.client.clone())
    }

    /// Makes one call, in at most 6 s and never past `deadline`, and reads the whole answer.
    ///
    /// # Errors
    /// Every way to get no 2xx answer; see [`Failure`]. None carries a secret of the request.
    pub async fn send(&self, request: Request<'_>, deadline: Instant) -> Result<Response, Failure> {
        let Answer { call, scrub, status, headers, body } = self.ask(request, deadline).await?;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if !status.is_success() {
            return Err(bad_status(status, text(RETRY_AFTER), &body, &call, &scrub));
        }
        let content_type = text(CONTENT_TYPE).map(str::to_owned);
        let date = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
        Ok(Response { call, content_type, date, body })
    }

    /// Where `url` redirects to, which is not followed; `None` if it does not. Nothing secret goes there.
    ///
    /// # Errors
    /// As [`Client::send`], but for answers with a status.
    pub async fn location(&self, url: &str, deadline: Instant) -> Result<Option<String>, Failure> {
        let request = Request { method: Method::GET, url, authorization: Authorization::None, headers: &[], body: Body::None };
        let Answer { call, scrub, status, headers, body } = self.ask(request, deadline).await?;
        match status.is_redirection() {
            true => Ok(headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned)),
            false if status.is_success() || status.is_client_error() => Ok(None),
            false => Err(bad_status(status, None, &body, &call, &scrub)),
        }
    }

    async fn ask(&self, request: Request<'_>, deadline: Instant) -> Result<Answer, Failure> {
        let url = request.url()?;
        let host = request::host_of(&url);
        let scrub = secrets(&request, &self.network);
        let call = format!("{} {} to {host}", request.method, url.path());

        let client = self.current()?;
        let mut builder = http::Request::builder()
            .method(request.method.clone())
            .uri(url.as_str())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, PRODUCT);
        if let Some(authorization) = request.authorization.header() {
            let mut value = HeaderValue::try_from(authorization).map_err(|_| {
                Error::invalid_token("the workspace credential has characters that no HTTP header can carry")
                    .with_hint("look for line breaks or other stray characters in DATABRICKS_TOKEN or DATABRICKS_CLIENT_SECRET")
            })?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        for (name, value) in request.headers {
            let mut value = HeaderValue::try_from(value.expose()).map_err(|_| {
                Error::invalid_token(format!("the value for {name} has characters that no HTTP header can carry"))
                    .with_hint("look for line breaks or other stray characters in the setting that it comes from")
            })?;
            value.set_sensitive(true);
            builder = builder.header(*name, value);
        }
        let mut body = Full::default();
        if let Some((content_type, encoded)) = request.body.encode() {
            builder = builder.header(CONTENT_TYPE, content_type);
            body = Full::from(encoded);
        }
        // What the URL library reads as a URL, and the HTTP library does not: some characters in paths.
        let request = builder.body(body).map_err(|_| Error::unusable_setting(format!("{call}: no HTTP request can be made of it")))?;

        let sent_at = Instant::now();
        let until = deadline.min(sent_at + CALL_TIMEOUT);
        let answer = timeout_at(until, async {
            let (head, body) = client.request(request).await?.into_parts();
            let body = match Limited::new(body, MAX_BODY).collect().await {
                Ok(body) => Some(body.to_bytes()),
                Err(error) if error.is::<LengthLimitError>() => None,
                Err(error) => return Err(error),
            };
            Ok((head.status, head.headers, body))
        })
        .await;
        let (status, headers, body) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(transport(error, &call, &host, &self.network)),
            Err(_) => return Err(no_answer(&call, sent_at.elapsed(), until == deadline)),
        };
        let Some(body) = body else {
            return Err(Error::invalid_response(format!("the answer to {call} is larger than {MAX_BODY} bytes"))
                .with_hint("check that DATABRICKS_HOST is the URL of a Databricks workspace")
                .into());
        };
        Ok(Answer { call, scrub, status, headers, body: body.into() })
    }
}

/// An answer with any status.
struct Answer {
    call: String,
    /// The request's secrets.
    scrub: Scrub,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("network", &self.network).finish_non_exhaustive()
    }
}

fn build(network: &ApiNetwork, tls: &Arc<rustls::ClientConfig>) -> Result<Http, Error> {
    Ok(hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(Connector::new(network, tls)?))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers every request on a connection with `{}`; counts connections.
    async fn serve() -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut bytes = [0; 4096];
                    while socket.read(&mut bytes).await.is_ok_and(|length| length > 0) {
                        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                    }
                });
            }
        });
        (url, connections)
    }

    #[tokio::test]
    async fn a_connection_is_reused_unless_the_wall_clock_says_that_it_is_old() {
        let (url, connections) = serve().await;
        let client = Client::new(&ApiNetwork::default()).unwrap();
        let call = async || {
            let request = Request { method: Method::GET, url: &url, authorization: Authorization::None, headers: &[], body: Body::None };
            client.send(request, Instant::now() + CALL_TIMEOUT).await.unwrap();
            connections.load(Ordering::Relaxed)
        };
        assert_eq!((call().await, call().await), (1, 1));
        client.current.lock().unwrap().used -= 2 * IDLE;
        assert_eq!((call().await, call().await), (2, 2), "thawed");
        client.current.lock().unwrap().used += 2 * IDLE;
        assert_eq!(call().await, 3, "the clock was set back");
    }
}
