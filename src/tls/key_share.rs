//! Two key shares in the first message of a handshake.
//!
//! A TLS 1.3 server that takes none of the key shares it is offered asks for another (HelloRetryRequest), which costs a round trip.
//! PostgreSQL up to version 17 takes P-256 only (`ssl_ecdh_curve`), others X25519 only. rustls offers a second share beside the first of its
//! groups where the first one is a hybrid that names it as a component; so this group does, although there is nothing hybrid about it.

use rustls::crypto::ring::kx_group::{SECP256R1, X25519};
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup};

/// X25519, and a share of P-256 beside it.
#[derive(Debug)]
pub(super) struct X25519AndP256;

impl SupportedKxGroup for X25519AndP256 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Shares { x25519: X25519.start()?, p256: SECP256R1.start()? }))
    }

    fn name(&self) -> NamedGroup {
        X25519.name()
    }
}

struct Shares {
    x25519: Box<dyn ActiveKeyExchange>,
    p256: Box<dyn ActiveKeyExchange>,
}

impl ActiveKeyExchange for Shares {
    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<SharedSecret, Error> {
        self.x25519.complete(peer_public_key)
    }

    fn pub_key(&self) -> &[u8] {
        self.x25519.pub_key()
    }

    fn group(&self) -> NamedGroup {
        self.x25519.group()
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.p256.group(), self.p256.pub_key()))
    }

    fn complete_hybrid_component(self: Box<Self>, peer_public_key: &[u8]) -> Result<SharedSecret, Error> {
        self.p256.complete(peer_public_key)
    }
}
