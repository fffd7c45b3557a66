//! A PostgreSQL that does as it is told: enough of the protocol for the pool's tests, in this process.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::config::{ConnectConfig, Host, SslConfig, SslMode};

/// Statements are `select <what to do>`, or `update <what to do>`:
/// - `hold <name>`: answered after [`let_go`](FakeServer::let_go) of the name;
/// - `fail`: an error;
/// - `log`: an error in a transaction that is read only;
/// - `die`: the session is ended, as by an administrator;
/// - `crash`: it is ended by a pooler, which has lost its server;
/// - anything else: no rows.
///
/// `begin read only` and `commit` are understood.
pub struct FakeServer {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    opened: AtomicUsize,
    open: AtomicUsize,
    refusals: AtomicUsize,
    silent: AtomicBool,
    is_proxied: AtomicBool,
    deadly_begin: AtomicBool,
    logins: watch::Sender<bool>,
    free: watch::Sender<HashSet<String>>,
    /// Number of the connection and text, in order of arrival.
    seen: Mutex<Vec<(usize, String)>>,
}

impl FakeServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State {
            opened: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            refusals: AtomicUsize::new(0),
            silent: AtomicBool::new(false),
            is_proxied: AtomicBool::new(false),
            deadly_begin: AtomicBool::new(false),
            logins: watch::Sender::new(true),
            free: watch::Sender::default(),
            seen: Mutex::default(),
        });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move {
                    let number = state.opened.fetch_add(1, Ordering::Relaxed) + 1;
                    state.open.fetch_add(1, Ordering::Relaxed);
                    // A client that hangs up ends its session.
                    let _ = session(&state, socket, number).await;
                    state.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { port, state }
    }

    /// Connections ever accepted.
    pub fn opened(&self) -> usize {
        self.state.opened.load(Ordering::Relaxed)
    }

    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::Relaxed)
    }

    /// The next so many logins fail.
    pub fn refuse_logins(&self, count: usize) {
        self.state.refusals.store(count, Ordering::Relaxed);
    }

    /// Whether logins are answered.
    pub fn answer_logins(&self, answer: bool) {
        self.state.logins.send_replace(answer);
    }

    /// Later logins are told a process id that is not the server's.
    pub fn tell_other_process_ids(&self) {
        self.state.is_proxied.store(true, Ordering::Relaxed);
    }

    /// From now on no session gets another answer.
    pub fn fall_silent(&self) {
        self.state.silent.store(true, Ordering::Relaxed);
    }

    pub fn speak_again(&self) {
        self.state.silent.store(false, Ordering::Relaxed);
    }

    /// The session that begins a transaction next is ended, as by an administrator.
    pub fn end_next_transaction(&self) {
        self.state.deadly_begin.store(true, Ordering::Relaxed);
    }

    pub fn let_go(&self, name: &str) {
        self.state.free.send_modify(|free| _ = free.insert(name.to_owned()));
    }

    pub fn seen(&self) -> Vec<(usize, String)> {
        self.state.seen.lock().expect("no test panics here").clone()
    }

    /// Waits until the statement has arrived; the number of its connection.
    pub async fn arrival(&self, text: &str) -> usize {
        loop {
            if let Some((number, _)) = self.seen().iter().find(|(_, seen)| seen == text) {
                return *number;
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn session(state: &State, mut socket: TcpStream, number: usize) -> std::io::Result<()> {
    // As PostgreSQL: otherwise an answer may wait 40 ms for the acknowledgement of the one before.
    socket.set_nodelay(true)?;
    let length = socket.read_u32().await?;
    let mut startup = vec![0; length as usize - 4];
    socket.read_exact(&mut startup).await?;
    let _ = state.logins.subscribe().wait_for(|answer| *answer).await;
    if state.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        return socket.write_all(&error("FATAL", "53300", "sorry, too many clients already")).await;
    }
    let mut greeting = message(b'R', &0_i32.to_be_bytes());
    let process_id = if state.is_proxied.load(Ordering::Relaxed) { 100 + number } else { number };
    greeting.extend(message(b'K', &[0, 0, 0, process_id as u8, 0, 0, 0, 1]));
    greeting.extend(message(b'Z', b"I"));
    socket.write_all(&greeting).await?;
    let mut status = b'I';
    loop {
        let tag = socket.read_u8().await?;
        let length = socket.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        socket.read_exact(&mut body).await?;
        if state.silent.load(Ordering::Relaxed) {
            continue;
        }
        match tag {
            b'Q' => {
                let text = String::from_utf8_lossy(&body[..body.len() - 1]).into_owned();
                state.seen.lock().expect("no test panics here").push((number, text.clone()));
                let (verb, order) = text.split_once(' ').unwrap_or((&text, ""));
                status = match verb {
                    "begin" => b'T',
                    "commit" => b'I',
                    _ => status,
                };
                let order = if verb == "begin" && state.deadly_begin.swap(false, Ordering::Relaxed) { "die" } else { order };
                let answer = answer(state, order, &mut status).await;
                socket.write_all(&answer).await?;
                if answer.ends_with(b"\0\0") {
                    return say_goodbye(socket).await;
                }
            }
            // The question which server process this is; of the answer only the row counts.
            b'P' if body.windows(14).any(|word| word == b"pg_backend_pid") => {
                let digits = format!("{number} 1");
                let row = [&[0, 1, 0, 0, 0, digits.len() as u8], digits.as_bytes()].concat();
                socket.write_all(&message(b'D', &row)).await?;
            }
            b'S' => socket.write_all(&message(b'Z', &[status])).await?,
            b'X' => return Ok(()),
            _ => {}
        }
    }
}

/// Closes without a reset, which would take along what the client has not read yet.
async fn say_goodbye(mut socket: TcpStream) -> std::io::Result<()> {
    socket.shutdown().await?;
    tokio::io::copy(&mut socket, &mut tokio::io::sink()).await.map(drop)
}

async fn answer(state: &State, order: &str, status: &mut u8) -> Vec<u8> {
    match order.split_once(' ').unwrap_or((order, "")) {
        ("hold", name) => {
            let _ = state.free.subscribe().wait_for(|free| free.contains(name)).await;
        }
        ("fail", _) => return failure("22012", "division by zero", status),
        ("log", _) if *status == b'T' => return failure("25006", "cannot execute INSERT in a read-only transaction", status),
        ("crash", _) => return message(b'E', b"SFATAL\0VFATAL\0C08P01\0Mserver conn crashed?\0\0"),
        ("die", _) => return error("FATAL", "57P01", "terminating connection due to administrator command"),
        _ => {}
    }
    let mut answer = message(b'C', b"SELECT 0\0");
    answer.extend(message(b'Z', &[*status]));
    answer
}

fn failure(code: &str, text: &str, status: &mut u8) -> Vec<u8> {
    if *status == b'T' {
        *status = b'E';
    }
    let mut answer = error("ERROR", code, text);
    answer.extend(message(b'Z', &[*status]));
    answer
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![tag];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

fn error(severity: &str, code: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("S{severity}\0V{severity}\0C{code}\0M{text}\0Fpostgres.c\0L3301\0RProcessInterrupts\0\0").as_bytes())
}

/// How to reach it.
pub fn connect_config(port: u16) -> ConnectConfig {
    ConnectConfig {
        host: Host::Tcp("127.0.0.1".into()),
        port,
        user: "tester".into(),
        database: "tester".into(),
        ssl: SslConfig {
            mode: SslMode::Disable,
            ca: None,
            client_certificate: None,
            client_key: None,
            server_name: None,
            asks_identity: false,
            tls_version: None,
            extra_ca_files: Vec::new(),
        },
        direct_tls: false,
        application_name: None,
        options: None,
        startup_parameters: Vec::new(),
        keep_alive: None,
        channel_binding: false,
        requires_password: true,
        scram_max_iterations: 100_000,
    }
}
