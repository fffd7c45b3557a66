//! `HTTPS_PROXY` and `NO_PROXY`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lakebase_native::config::TokenConfig;
use lakebase_native::error::Kind;
use lakebase_native::secret::Secret;
use lakebase_native::token::TokenSource;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::server::{CREDENTIALS, SENTINEL, Server, TOKEN};

/// A proxy that connects every name to `port` of this machine, or refuses with `refusal`. It has no name server to ask, and needs none.
struct Proxy {
    url: String,
    heads: Mutex<Vec<String>>,
}

impl Proxy {
    async fn start(port: u16, refusal: Option<&'static str>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://user:{SENTINEL}@{}", listener.local_addr().unwrap());
        let proxy = Arc::new(Self { url, heads: Mutex::default() });
        let accepting = Arc::clone(&proxy);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let proxy = Arc::clone(&accepting);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(socket.read_u8().await?);
                    }
                    proxy.heads.lock().unwrap().push(String::from_utf8(head).unwrap());
                    if let Some(refusal) = refusal {
                        return socket.write_all(format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
                    }
                    let mut target = TcpStream::connect(("127.0.0.1", port)).await?;
                    socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                    copy_bidirectional(&mut socket, &mut target).await.map(drop)
                });
            }
        });
        proxy
    }
}

fn config(server: &Server, proxy: &Proxy, host: &str, no_proxy: Option<&str>) -> TokenConfig {
    let mut config = TokenConfig { workspace_url: format!("https://{host}:{}", server.port), ..server.config() };
    config.network.https_proxy = Some(Secret::new(&*proxy.url));
    config.network.no_proxy = no_proxy.map(str::to_owned);
    config
}

#[tokio::test]
async fn calls_go_through_the_proxy_with_its_credentials_and_end_to_end_tls() {
    let server = Server::start().await;
    let proxy = Proxy::start(server.port, None).await;
    TokenSource::shared(&config(&server, &proxy, "workspace.test", None)).token(None).await.unwrap();
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (1, 1));
    let heads = proxy.heads.lock().unwrap();
    assert_eq!(heads.len(), 1, "both calls share one tunnel");
    assert!(heads[0].starts_with(&format!("CONNECT workspace.test:{} HTTP/1.1\r\n", server.port)));
    let head = heads[0].to_ascii_lowercase();
    assert!(head.contains("proxy-authorization: basic "), "{head}");
    assert!(!heads[0].contains("Bearer"));
}

#[tokio::test]
async fn no_proxy_and_loopback_are_reached_directly() {
    let server = Server::start().await;
    let proxy = Proxy::start(server.port, None).await;
    TokenSource::shared(&config(&server, &proxy, "127.0.0.1", None)).token(None).await.unwrap();
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
    // Without the proxy there is nobody to find this name.
    let deadline = Instant::now() + Duration::from_secs(1);
    for no_proxy in ["other.example, workspace.test", ".test", "*"] {
        let direct = TokenSource::shared(&config(&server, &proxy, "workspace.test", Some(no_proxy)));
        assert_eq!(direct.token(Some(deadline)).await.unwrap_err().kind(), Kind::Connection, "{no_proxy}");
    }
    assert!(proxy.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let server = Server::start().await;
    for refusal in ["407 Proxy Authentication Required", "403 Forbidden"] {
        let proxy = Proxy::start(server.port, Some(refusal)).await;
        let source = TokenSource::shared(&config(&server, &proxy, "workspace.test", None));
        let error = source.token(Some(Instant::now() + Duration::from_secs(2))).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Connection, Some("EPROXY")), "{error}");
        assert!(error.hint().unwrap().contains("HTTPS_PROXY"));
        assert!(!format!("{error} {error:?}").contains(SENTINEL));
    }
}

#[tokio::test]
async fn a_proxy_url_that_cannot_be_read_is_a_configuration_error_that_does_not_quote_it() {
    let server = Server::start().await;
    let mut config = server.config();
    config.network.https_proxy = Some(Secret::new(format!("http://user:{SENTINEL}@:bad port")));
    let error = TokenSource::shared(&config).token(None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(!format!("{error} {error:?}").contains(SENTINEL));
}
