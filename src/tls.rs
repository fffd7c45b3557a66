use std::sync::Arc;
use crate::config::SslConfig;
use crate::error::{Error, Kind};
pub fn database_client_config(_ssl: &SslConfig, _direct: bool) -> Result<Arc<rustls::ClientConfig>, Error> { todo!() }
pub fn channel_binding(_der: &[u8]) -> Option<Vec<u8>> { None }
pub fn handshake_error(error: std::io::Error, address: &str) -> Error { Error::new(Kind::Connection, format!("{address} {error}")) }
