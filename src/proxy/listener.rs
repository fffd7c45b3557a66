//! The port that clients connect to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{Client, Database};
use super::scram::Verifier;
use super::sessions::Sessions;
use super::{Events, MAX_CLIENTS, Settings};
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::pool::Login;
use crate::wire::Target;

/// After a failure to accept (no more file descriptors, say) the next attempt waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A proxy that listens until it is dropped, or closed. With it end the sessions of all its clients.
pub struct Proxy {
    address: SocketAddr,
    /// Dropped: everybody ends.
    end: watch::Sender<()>,
}

impl Proxy {
    /// Listens. The database is asked for nothing before the first client comes. `config` has to be complete: nothing left to look up.
    pub async fn listen(config: Config, login: Login, settings: Settings, events: Arc<dyn Events>) -> Result<Self, Error> {
        if !settings.address.is_loopback() {
            let message = format!("{} is no loopback address: whoever reaches the proxy reaches the database", settings.address);
            return Err(Error::proxy_address(message).with_hint("use 127.0.0.1 or ::1, and an SSH tunnel from other machines"));
        }
        let verifier = match settings.password {
            Some(password) => Some(Arc::new(verifier(&password)?)),
            None => None,
        };
        let target = Arc::new(Target::new(config.connect));
        // Certificates that are not usable are told now, not to the first client.
        if target.config.ssl.mode != crate::config::SslMode::Disable {
            target.tls()?;
        }
        let wanted = SocketAddr::new(settings.address, settings.port);
        let listener = TcpListener::bind(wanted).await.map_err(|error| not_bound(wanted, error))?;
        let address = listener.local_addr().map_err(|error| not_bound(wanted, error))?;
        let (end, ended) = watch::channel(());
        let database = Arc::new(Database { pool: config.pool, target, login, verifier, sessions: Sessions::default(), events });
        tokio::spawn(serve(listener, database, ended));
        Ok(Self { address, end })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and ends every session; done when all are.
    pub async fn close(self) {
        let _ = self.end.send(());
        self.end.closed().await;
    }
}

async fn serve(listener: TcpListener, database: Arc<Database>, mut ended: watch::Receiver<()>) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let room = Arc::new(Semaphore::new(MAX_CLIENTS));
    let mut clients = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = ended.changed() => break,
            Some(_) = clients.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, peer)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Small messages of an interactive protocol; a socket that does not know that is only slower.
        let _ = socket.set_nodelay(true);
        let place: Option<OwnedSemaphorePermit> = room.clone().try_acquire_owned().ok();
        let client = Client { number: NEXT.fetch_add(1, Ordering::Relaxed), peer, database: database.clone() };
        clients.spawn(async move { client.serve(socket, place.is_some()).await });
    }
    drop(listener);
    clients.shutdown().await;
}

fn verifier(password: &crate::secret::Secret) -> Result<Verifier, Error> {
    if !password.is_empty() && password.expose().bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(Verifier::new(password));
    }
    Err(Error::proxy_password("the proxy's password has to be printable ASCII, and not empty"))
}

fn not_bound(address: SocketAddr, error: io::Error) -> Error {
    let (code, hint) = match error.kind() {
        io::ErrorKind::AddrInUse => ("EADDRINUSE", "another program listens there: choose another port, or 0 for any free one"),
        io::ErrorKind::PermissionDenied => ("EACCES", "ports below 1024 need more rights: choose another"),
        _ => ("EADDRNOTAVAIL", "does this machine have the address?"),
    };
    Error::new(Kind::Connection, format!("the proxy cannot listen on {address}: {error}"))
        .with_code(code)
        .with_hint(hint)
        .with_source(error)
}
