//! The way to the server: TCP or a Unix socket, and TLS on top of it.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[cfg(not(unix))]
use tokio::net::TcpStream as UnixStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::address::{ATTEMPT_DELAY, first_to_answer};
use super::message::violation;
use super::target::Target;
use crate::config::{Host, SslMode};
use crate::error::Error;
use crate::tls::{self, Peer};

/// A socket before TLS: TCP on the left, Unix on the right.
pub type Plain = Either<TcpStream, UnixStream>;

/// Encrypted on the left, plain on the right.
pub type Socket = Either<Box<TlsStream<Plain>>, Plain>;

/// A socket that is ready for the startup message.
pub struct Connected {
    pub(super) stream: Socket,
    /// The traffic does not leave this machine.
    pub(super) is_local: bool,
    /// How long the first packet took, there and back.
    pub(super) link: Duration,
}

/// Opens the socket and, unless TLS is off, encrypts it.
pub async fn connect(target: &Target) -> Result<Connected, Error> {
    let config = &target.config;
    let (mut socket, link) = open(target).await?;
    let is_local = match &socket {
        Either::Left(tcp) => tcp.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()),
        Either::Right(_) => true,
    };
    if config.ssl.mode == SslMode::Disable || matches!(config.host, Host::Unix(_)) {
        return Ok(Connected { stream: Either::Right(socket), is_local, link });
    }
    if !config.direct_tls {
        request_tls(&mut socket, target).await?;
    }
    let name = tls::server_name(&config.ssl, target.host())?;
    let handshake = TlsConnector::from(target.tls()?).connect(name, socket);
    let stream = handshake
        .await
        .map_err(|error| tls::describe_io(&error, &target.address(), Peer::Database).unwrap_or_else(|| target.unreachable(error)))?;
    if let Some(check) = target.identity() {
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        check(config.ssl.server_name.as_deref().unwrap_or(target.host()), certificates).await?;
    }
    Ok(Connected { stream: Either::Left(Box::new(stream)), is_local, link })
}

async fn open(target: &Target) -> Result<(Plain, Duration), Error> {
    if let Some(path) = target.socket_path() {
        #[cfg(unix)]
        return match UnixStream::connect(path).await {
            Ok(socket) => Ok((Either::Right(socket), Duration::ZERO)),
            Err(error) => Err(target.unreachable(error)),
        };
        #[cfg(not(unix))]
        return Err(
            target.unreachable(io::Error::new(io::ErrorKind::Unsupported, format!("no Unix sockets on this platform: {}", path.display())))
        );
    }
    let (socket, link) = open_tcp(target).await?;
    prepare(&socket, target).map_err(|error| target.unreachable(error))?;
    Ok((Either::Left(socket), link))
}

/// Resolves the host and connects to the first of its addresses that answers.
async fn open_tcp(target: &Target) -> Result<(TcpStream, Duration), Error> {
    let addresses = lookup_host((target.host(), target.config.port)).await.map_err(|error| target.unreachable(error))?;
    first_to_answer(addresses, ATTEMPT_DELAY).await.map_err(|failures| target.none_reachable(failures))
}

fn prepare(socket: &TcpStream, target: &Target) -> io::Result<()> {
    socket.set_nodelay(true)?;
    if let Some(delay) = target.config.keep_alive {
        let probes = if delay.is_zero() { TcpKeepalive::new() } else { TcpKeepalive::new().with_time(delay) };
        SockRef::from(socket).set_tcp_keepalive(&probes)?;
    }
    Ok(())
}

/// Asks the server to speak TLS (SSLRequest).
async fn request_tls(socket: &mut Plain, target: &Target) -> Result<(), Error> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    let mut answer = [0u8; 1];
    let exchange = async {
        socket.write_all(&request).await?;
        socket.read_exact(&mut answer).await
    };
    exchange.await.map_err(|error| target.unreachable(error))?;
    match answer[0] {
        b'S' => Ok(()),
        b'N' => Err(Error::tls_not_supported("The server does not support SSL connections")
            .with_hint(format!("is {} the right host and port? sslMode disable is for loopback only", target.address()))),
        b'E' => Err(Error::tls_refused("There was an error establishing an SSL connection")),
        other => Err(violation(format!("the answer to SSLRequest is {:?}", char::from(other)))),
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
