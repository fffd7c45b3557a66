//! Cancellation: a second connection that names the first.

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::session::Session;
use super::socket::connect;
use super::target::Target;
use crate::error::Error;

/// Asks the server to cancel what `session` is running. The server answers by closing the connection, whether it did or not.
pub async fn cancel(target: &Target, session: &Session) -> Result<(), Error> {
    let mut request = BytesMut::new();
    frontend::cancel_request(session.process_id, session.secret_key, &mut request);
    let mut stream = connect(target).await?.stream;
    let exchange = async {
        stream.write_all_buf(&mut request).await?;
        stream.flush().await?;
        // Servers answer nothing; a reset instead of a clean end is as good.
        let _ = stream.read(&mut [0u8; 1]).await;
        Ok(())
    };
    exchange.await.map_err(|error| target.unreachable(error))
}
