//! A workspace for tests: HTTPS on loopback, with scripted faults, that records what it is asked.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use lakebase_native::auth::Settings;
use lakebase_native::certificate;
use lakebase_native::config::{CredentialTarget, TokenConfig};
use lakebase_native::http::ApiNetwork;
use lakebase_native::secret::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub const TOKEN: &str = "/oidc/v1/token";
pub const CREDENTIALS: &str = "/api/2.0/postgres/credentials";
pub const DATABASE_CREDENTIALS: &str = "/api/2.0/database/credentials";
pub const DISCOVERY: &str = "/oidc/.well-known/oauth-authorization-server";

/// Part of every secret in these tests; must never be seen in an error.
pub const SENTINEL: &str = "S3NT1NEL";

pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

pub enum Reply {
    /// Status, further header lines, body.
    Answer(u16, Vec<String>, String),
    /// The connection is closed without an answer.
    Close,
    /// No answer, ever.
    Hang,
}

impl Reply {
    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.into())
    }

    pub fn json(body: impl ToString) -> Self {
        Self::Answer(200, vec!["content-type: application/json".into()], body.to_string())
    }
}

/// RFC 3339 of `seconds` from now.
pub fn time(seconds: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).to_string()
}

pub struct Server {
    pub port: u16,
    pub connections: AtomicUsize,
    pub asked: Mutex<Vec<Asked>>,
    ca_file: PathBuf,
    /// Replies by path, each used once, before the usual ones.
    script: Mutex<HashMap<String, VecDeque<Reply>>>,
    tokens: AtomicUsize,
}

impl Server {
    pub async fn start() -> Arc<Self> {
        static SERVERS: AtomicUsize = AtomicUsize::new(0);
        let issued = certificate::issue(vec!["127.0.0.1".into(), "workspace.test".into()]).unwrap();
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let ca_file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ca-{}-{number}.pem", std::process::id()));
        std::fs::write(&ca_file, &issued.ca).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            connections: AtomicUsize::new(0),
            asked: Mutex::default(),
            ca_file,
            script: Mutex::default(),
            tokens: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                let (server, acceptor) = (Arc::clone(&accepting), acceptor.clone());
                tokio::spawn(async move {
                    // A client that distrusts the certificate ends the handshake.
                    if let Ok(stream) = acceptor.accept(socket).await {
                        let _ = server.serve(stream).await;
                    }
                });
            }
        });
        server
    }

    /// HTTP/1.1 with keep-alive.
    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(asked) = read_request(&mut stream).await? {
            let reply = self.reply(&asked);
            self.asked.lock().unwrap().push(asked);
            let (status, headers, body) = match reply {
                Reply::Answer(status, headers, body) => (status, headers, body),
                Reply::Close => return Ok(()),
                Reply::Hang => std::future::pending().await,
            };
            let mut answer = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
            if !headers.iter().any(|header| header.starts_with("date:")) {
                answer += &format!("date: {}\r\n", httpdate::fmt_http_date(SystemTime::now()));
            }
            headers.iter().for_each(|header| answer += &format!("{header}\r\n"));
            stream.write_all(format!("{answer}\r\n{body}").as_bytes()).await?;
            stream.flush().await?;
        }
        Ok(())
    }

    fn reply(&self, asked: &Asked) -> Reply {
        if let Some(reply) = self.script.lock().unwrap().get_mut(&asked.path).and_then(VecDeque::pop_front) {
            return reply;
        }
        let number = self.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        match asked.path.as_str() {
            TOKEN => Reply::json(
                serde_json::json!({ "access_token": format!("access-{number}-{SENTINEL}"), "token_type": "Bearer", "expires_in": 3600 }),
            ),
            CREDENTIALS => Reply::json(serde_json::json!({ "token": format!("db-{number}-{SENTINEL}"), "expire_time": time(3600) })),
            DATABASE_CREDENTIALS => {
                Reply::json(serde_json::json!({ "token": format!("db-{number}-{SENTINEL}"), "expiration_time": time(3600) }))
            }
            _ => Reply::status(404, ""),
        }
    }

    /// The next call of `path` is answered with `reply`; called again, the one after it.
    pub fn next(&self, path: &str, reply: Reply) {
        self.script.lock().unwrap().entry(path.into()).or_default().push_back(reply);
    }

    pub fn calls(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path == path).count()
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub fn network(&self) -> ApiNetwork {
        ApiNetwork { extra_ca_files: vec![self.ca_file.clone()], https_proxy: None, no_proxy: None }
    }

    /// M2M for an Autoscaling endpoint of this workspace.
    pub fn config(&self) -> TokenConfig {
        TokenConfig {
            workspace_url: self.url(),
            target: CredentialTarget::Endpoint("projects/p/branches/b/endpoints/e".into()),
            auth: Settings::with_client_credentials(self.url(), "client", Secret::new(format!("secret-{SENTINEL}"))),
            claims: None,
            refresh_buffer: Duration::from_secs(120),
            network: self.network(),
            owner: None,
            warnings: Vec::new(),
        }
    }

    pub fn config_with_fixed_token(&self) -> TokenConfig {
        TokenConfig { auth: Settings::with_token(self.url(), Secret::new(format!("dapi-{SENTINEL}"))), ..self.config() }
    }
}

/// With the runtime, whose task accepts connections.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca_file);
    }
}

async fn read_request(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(Asked { method, path, headers, body: String::from_utf8(body).unwrap() }))
}
