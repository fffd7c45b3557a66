//! Where connections go, and what it means when the way there is blocked.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;

use crate::config::{ConnectConfig, Host};
use crate::error::{Error, Kind, SystemFailure};
use crate::tls;

/// Asks the owner's `checkServerIdentity` function whether the certificates (the server's first) belong to the name.
pub type CheckIdentity = Arc<dyn Fn(&str, &[CertificateDer<'_>]) -> IdentityCheck + Send + Sync>;

/// An error is the connection's.
pub type IdentityCheck = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The settings of a pool's connections, and the TLS state that they share (session tickets make the next handshake cheap).
pub struct Target {
    pub config: ConnectConfig,
    tls: OnceLock<Arc<rustls::ClientConfig>>,
    identity: Option<CheckIdentity>,
}

impl Target {
    pub fn new(config: ConnectConfig) -> Self {
        Self { config, tls: OnceLock::new(), identity: None }
    }

    /// Lets `identity` judge the servers' names, if that is configured.
    pub fn asking(mut self, identity: CheckIdentity) -> Self {
        self.identity = Some(identity).filter(|_| self.config.ssl.asks_identity);
        self
    }

    /// The same server for other sessions. What TLS knows of the server is shared.
    pub fn with_session(&self, change: impl FnOnce(&mut ConnectConfig)) -> Self {
        let mut config = self.config.clone();
        change(&mut config);
        Self { config, tls: self.tls.clone(), identity: self.identity.clone() }
    }

    pub(super) fn identity(&self) -> Option<&CheckIdentity> {
        self.identity.as_ref()
    }

    /// The TLS settings; an error when certificates or keys are not usable.
    pub fn tls(&self) -> Result<Arc<rustls::ClientConfig>, Error> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls.clone());
        }
        let tls = tls::database_client_config(&self.config.ssl, self.config.direct_tls)?;
        Ok(self.tls.get_or_init(|| tls).clone())
    }

    pub(super) fn host(&self) -> &str {
        match &self.config.host {
            Host::Tcp(host) => host,
            Host::Unix(_) => "localhost",
        }
    }

    /// libpq's name of a server's socket in its directory.
    pub(super) fn socket_path(&self) -> Option<PathBuf> {
        match &self.config.host {
            Host::Tcp(_) => None,
            Host::Unix(directory) => Some(directory.join(format!(".s.PGSQL.{}", self.config.port))),
        }
    }

    /// `host:port` or the socket's path, for messages.
    pub fn address(&self) -> String {
        match self.socket_path() {
            Some(path) => path.display().to_string(),
            None => format!("{}:{}", self.host(), self.config.port),
        }
    }

    /// No session within `connectionTimeoutMillis`. Text as in pg-pool.
    pub fn timed_out(&self) -> Error {
        Error::connection_timeout("Connection terminated due to connection timeout").with_hint(format!(
            "no session with {} within connectionTimeoutMillis: check the host, firewalls and whether the database is awake",
            self.address()
        ))
    }

    /// A socket error on the way to the server, with the code Node.js gives it.
    pub(super) fn unreachable(&self, error: io::Error) -> Error {
        use io::ErrorKind as On;
        let address = self.address();
        let (code, what, hint) = match error.kind() {
            On::ConnectionRefused => {
                ("ECONNREFUSED", format!("connect ECONNREFUSED {address}"), "nothing listens there: check the host and port")
            }
            On::ConnectionReset | On::ConnectionAborted | On::BrokenPipe => {
                ("ECONNRESET", format!("the connection to {address} was reset"), "the server or something on the way hung up")
            }
            On::UnexpectedEof => ("ECONNRESET", "Connection terminated unexpectedly".into(), "the server hung up before the session began"),
            On::TimedOut => ("ETIMEDOUT", format!("connect ETIMEDOUT {address}"), "the host does not answer: check the host and firewalls"),
            On::NotFound => ("ENOENT", format!("connect ENOENT {address}"), "there is no such socket: is PostgreSQL running?"),
            On::PermissionDenied => ("EACCES", format!("connect EACCES {address}"), "this user may not open the socket"),
            On::HostUnreachable => ("EHOSTUNREACH", format!("connect EHOSTUNREACH {address}"), "there is no route to the host"),
            On::NetworkUnreachable => ("ENETUNREACH", format!("connect ENETUNREACH {address}"), "there is no route to the network"),
            // The resolver's errors carry no number of the system's.
            _ if error.raw_os_error().is_none() => {
                ("ENOTFOUND", format!("getaddrinfo ENOTFOUND {}", self.host()), "the host name does not resolve: check it")
            }
            _ => ("ECONNECTION", format!("the connection to {address} failed: {error}"), "check the host and port"),
        };
        let failure = self.failure(code, &error);
        Error::new(Kind::Connection, what).with_code(code).with_hint(hint).with_system(failure.into_iter().collect()).with_source(error)
    }

    /// All addresses of the host were tried in vain. The last failure stands for all, but each is told.
    pub(super) fn none_reachable(&self, failures: Vec<(SocketAddr, io::Error)>) -> Error {
        let mut system = Vec::with_capacity(failures.len());
        let mut last = None;
        for (address, error) in failures {
            let failed = self.unreachable(error);
            system.extend(failed.system().first().map(|failure| SystemFailure {
                address: Some(address.ip().to_string()),
                port: Some(address.port()),
                ..failure.clone()
            }));
            last = Some(failed);
        }
        match last {
            Some(error) => error.with_attempts(system),
            None => self.unreachable(io::Error::other("the host has no address")),
        }
    }

    /// What Node.js would say. A peer that hangs up is no error there.
    fn failure(&self, code: &str, error: &io::Error) -> Option<SystemFailure> {
        let (syscall, address, port) = match error.kind() {
            io::ErrorKind::UnexpectedEof => return None,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => ("read", None, None),
            io::ErrorKind::BrokenPipe => ("write", None, None),
            _ if error.raw_os_error().is_none() => ("getaddrinfo", Some(self.host().to_owned()), None),
            _ => match self.socket_path() {
                Some(path) => ("connect", Some(path.display().to_string()), None),
                None => ("connect", Some(self.host().to_owned()), Some(self.config.port)),
            },
        };
        Some(SystemFailure { syscall, code: code.to_owned(), errno: error.raw_os_error(), address, port })
    }
}
