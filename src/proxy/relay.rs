//! Bytes in both directions, until one side ends.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;

/// Read at once; the only bytes that wait here, since nothing is read before they are written.
const CHUNK: usize = 32 * 1024;

/// How long a client is listened to after the server has ended the session: a socket that is closed with unread bytes is reset, and the
/// server's last words with it.
const LINGER: Duration = Duration::from_secs(2);

/// Bytes that have passed.
#[derive(Default)]
pub struct Traffic {
    pub sent: AtomicU64,
    pub received: AtomicU64,
}

/// Ends when both sides have ended, or one is gone. A client that only stops sending gets what the server still answers.
pub async fn relay(client: impl AsyncRead + AsyncWrite, server: impl AsyncRead + AsyncWrite, traffic: &Traffic) {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let up = pass_up(&mut from_client, &mut to_server, &traffic.sent);
    let down = pass_down(&mut from_server, &mut to_client, &traffic.received);
    tokio::pin!(up, down);
    tokio::select! {
        sent = &mut up => if sent.is_ok() {
            // A client that is gone shows as an error here, too.
            let _ = down.await;
        },
        received = &mut down => if received.is_ok() {
            let _ = timeout(LINGER, up).await;
        },
    }
}

/// An error is the client's. What a server that is gone would not read is dropped.
async fn pass_up(client: &mut (impl AsyncRead + Unpin), server: &mut (impl AsyncWrite + Unpin), count: &AtomicU64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut is_gone = false;
    loop {
        let length = client.read(&mut chunk).await?;
        if length == 0 {
            // A server that is gone needs no goodbye.
            let _ = server.shutdown().await;
            return Ok(());
        }
        if !is_gone {
            is_gone = write(server, &chunk[..length]).await.is_err();
            count.fetch_add(length as u64, Ordering::Relaxed);
        }
    }
}

/// An error is the client's.
async fn pass_down(server: &mut (impl AsyncRead + Unpin), client: &mut (impl AsyncWrite + Unpin), count: &AtomicU64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    // A reset, or TLS without a goodbye, is the end as well.
    while let Ok(length @ 1..) = server.read(&mut chunk).await {
        write(client, &chunk[..length]).await?;
        count.fetch_add(length as u64, Ordering::Relaxed);
    }
    client.shutdown().await
}

async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;

    use super::*;

    struct Ends {
        client: DuplexStream,
        server: DuplexStream,
        relayed: JoinHandle<(u64, u64)>,
    }

    fn start(buffer: usize) -> Ends {
        let (client, ours) = duplex(buffer);
        let (theirs, server) = duplex(buffer);
        let relayed = tokio::spawn(async move {
            let traffic = Traffic::default();
            relay(ours, theirs, &traffic).await;
            (traffic.sent.into_inner(), traffic.received.into_inner())
        });
        Ends { client, server, relayed }
    }

    #[tokio::test]
    async fn a_client_that_stops_sending_gets_the_rest_of_the_answer() {
        let Ends { mut client, mut server, relayed } = start(1024);
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = Vec::new();
        server.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
        drop(client);
        assert_eq!(relayed.await.unwrap(), (8, 6));
    }

    #[tokio::test]
    async fn the_servers_last_words_reach_a_client_that_still_sends() {
        let Ends { mut client, mut server, relayed } = start(1024);
        server.write_all(b"FATAL").await.unwrap();
        drop(server);
        let mut words = [0; 5];
        client.read_exact(&mut words).await.unwrap();
        client.write_all(&[0; 900]).await.unwrap();
        assert_eq!(client.read(&mut words).await.unwrap(), 0);
        drop(client);
        relayed.await.unwrap();
    }

    #[tokio::test]
    async fn each_side_is_slowed_down_by_the_other() {
        let Ends { mut client, mut server, relayed } = start(4096);
        let written = tokio::spawn(async move {
            server.write_all(&vec![7; 4 * 1024 * 1024]).await.unwrap();
            server.shutdown().await.unwrap();
            server
        });
        // Nobody reads: what is under way is the two sockets' buffers and one chunk.
        tokio::task::yield_now().await;
        assert!(!written.is_finished());
        let mut total = 0;
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = client.read(&mut chunk).await {
            total += length;
        }
        assert_eq!(total, 4 * 1024 * 1024);
        drop((client, written.await.unwrap()));
        assert_eq!(relayed.await.unwrap().1, 4 * 1024 * 1024);
    }

    #[tokio::test]
    async fn a_client_that_is_gone_ends_the_session() {
        let Ends { client, mut server, relayed } = start(1024);
        drop(client);
        let mut nothing = [0; 1];
        assert_eq!(server.read(&mut nothing).await.unwrap(), 0);
        drop(server);
        relayed.await.unwrap();
    }
}
