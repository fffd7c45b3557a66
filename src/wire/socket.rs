//! The way to the server: TCP or a Unix socket, and TLS on top of it.

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
#[cfg(not(unix))]
use tokio::net::TcpStream as UnixStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::message::violation;
use crate::config::{ConnectConfig, Host, SslMode};
use crate::error::{Error, Kind};
use crate::tls;

/// A socket before TLS: TCP on the left, Unix on the right.
pub type Plain = Either<TcpStream, UnixStream>;

/// Encrypted on the left, plain on the right.
pub type Socket = Either<Box<TlsStream<Plain>>, Plain>;

/// A socket that is ready for the startup message.
pub struct Connected {
    pub(super) stream: Socket,
    /// The traffic does not leave this machine.
    pub(super) is_local: bool,
}

/// Opens the socket and, unless TLS is off, encrypts it.
pub async fn connect(config: &ConnectConfig) -> Result<Connected, Error> {
    let mut socket = open(config).await.map_err(|error| unreachable(error, config))?;
    let is_local = match &socket {
        Either::Left(tcp) => tcp.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()),
        Either::Right(_) => true,
    };
    if config.ssl.mode == SslMode::Disable || matches!(config.host, Host::Unix(_)) {
        return Ok(Connected { stream: Either::Right(socket), is_local });
    }
    if !config.direct_tls {
        request_tls(&mut socket, config).await?;
    }
    let settings = tls::database_client_config(&config.ssl, config.direct_tls)?;
    let handshake = TlsConnector::from(settings).connect(server_name(config)?, socket);
    let stream = handshake.await.map_err(|error| tls::handshake_error(error, &address(config)))?;
    Ok(Connected { stream: Either::Left(Box::new(stream)), is_local })
}

/// `host:port` or the socket's path, for messages.
pub fn address(config: &ConnectConfig) -> String {
    match &config.host {
        Host::Tcp(host) => format!("{host}:{}", config.port),
        Host::Unix(directory) => unix_path(directory, config.port).display().to_string(),
    }
}

fn unix_path(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!(".s.PGSQL.{port}"))
}

async fn open(config: &ConnectConfig) -> io::Result<Plain> {
    match &config.host {
        Host::Tcp(host) => {
            let socket = TcpStream::connect((host.as_str(), config.port)).await?;
            socket.set_nodelay(true)?;
            if let Some(delay) = config.keep_alive {
                let probes = if delay.is_zero() { TcpKeepalive::new() } else { TcpKeepalive::new().with_time(delay) };
                SockRef::from(&socket).set_tcp_keepalive(&probes)?;
            }
            Ok(Either::Left(socket))
        }
        #[cfg(unix)]
        Host::Unix(directory) => UnixStream::connect(unix_path(directory, config.port)).await.map(Either::Right),
        #[cfg(not(unix))]
        Host::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "Unix sockets are not supported on this platform")),
    }
}

/// Asks the server to speak TLS (SSLRequest).
async fn request_tls(socket: &mut Plain, config: &ConnectConfig) -> Result<(), Error> {
    let mut request = bytes::BytesMut::new();
    postgres_protocol::message::frontend::ssl_request(&mut request);
    let mut answer = [0u8; 1];
    let exchange = async {
        socket.write_all(&request).await?;
        socket.read_exact(&mut answer).await
    };
    exchange.await.map_err(|error| unreachable(error, config))?;
    match answer[0] {
        b'S' => Ok(()),
        b'N' => Err(Error::new(Kind::Connection, "The server does not support SSL connections")
            .with_code("TLS_NOT_SUPPORTED")
            .with_hint(format!("is {} the right host and port? sslMode disable is for loopback only", address(config)))),
        b'E' => Err(Error::new(Kind::Connection, "There was an error establishing an SSL connection").with_code("TLS_REFUSED")),
        other => Err(violation(format!("the answer to SSLRequest is {:?}", char::from(other)))),
    }
}

fn server_name(config: &ConnectConfig) -> Result<ServerName<'static>, Error> {
    let name = match (&config.ssl.server_name, &config.host) {
        (Some(name), _) | (None, Host::Tcp(name)) => name.clone(),
        (None, Host::Unix(_)) => "localhost".to_owned(),
    };
    ServerName::try_from(name.trim_start_matches('[').trim_end_matches(']').to_owned())
        .map_err(|_| Error::new(Kind::Connection, format!("{name:?} is not a host name or address that TLS can verify")).with_code("ERR_TLS_INVALID_NAME"))
}

/// A socket error on the way to the server, with the code Node.js gives it.
pub(super) fn unreachable(error: io::Error, config: &ConnectConfig) -> Error {
    let address = address(config);
    let (code, what, hint) = match error.kind() {
        io::ErrorKind::ConnectionRefused => ("ECONNREFUSED", format!("connect ECONNREFUSED {address}"), "nothing listens there: check the host and port"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            ("ECONNRESET", format!("the connection to {address} was reset"), "the server or something on the way hung up")
        }
        io::ErrorKind::UnexpectedEof => {
            ("ECONNRESET", "Connection terminated unexpectedly".to_owned(), "the server hung up before the session began")
        }
        io::ErrorKind::TimedOut => ("ETIMEDOUT", format!("connect ETIMEDOUT {address}"), "the host does not answer: check the host and firewalls"),
        io::ErrorKind::NotFound => ("ENOENT", format!("connect ENOENT {address}"), "there is no such socket: is PostgreSQL running?"),
        io::ErrorKind::PermissionDenied => ("EACCES", format!("connect EACCES {address}"), "this user may not open the socket"),
        io::ErrorKind::HostUnreachable => ("EHOSTUNREACH", format!("connect EHOSTUNREACH {address}"), "there is no route to the host"),
        io::ErrorKind::NetworkUnreachable => ("ENETUNREACH", format!("connect ENETUNREACH {address}"), "there is no route to the network"),
        // The resolver's errors carry no kind of their own.
        _ if error.raw_os_error().is_none() => ("ENOTFOUND", format!("getaddrinfo ENOTFOUND {}", host(config)), "the host name does not resolve"),
        _ => ("ECONNECTION", format!("the connection to {address} failed: {error}"), "check the host and port"),
    };
    Error::new(Kind::Connection, what).with_code(code).with_hint(hint).with_source(error)
}

fn host(config: &ConnectConfig) -> &str {
    match &config.host {
        Host::Tcp(host) => host,
        Host::Unix(_) => "localhost",
    }
}

impl Connected {
    /// What SCRAM binds to: the hash of the server's certificate, when there is TLS.
    pub(super) fn channel_binding(&self) -> Option<Vec<u8>> {
        match &self.stream {
            Either::Left(tls) => tls::channel_binding(tls.get_ref().1.peer_certificates()?.first()?),
            Either::Right(_) => None,
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Either::Left(_))
    }
}
