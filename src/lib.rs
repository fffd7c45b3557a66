//! The core of lakebase-native. One direction of flow: `bridge` → `pool` → `wire`, with `token` → `credential` → `auth` beside it;
//! `config` reads what all of them are given. ARCHITECTURE.md draws it.

#![deny(unsafe_code)]

pub mod auth;
pub mod batch;
pub mod certificate;
pub mod config;
pub mod credential;
pub mod error;
mod fingerprint;
pub mod http;
mod limits;
pub mod pool;
pub mod proxy;
pub mod runtime;
mod scrub;
pub mod secret;
pub mod setting;
pub mod tls;
pub mod token;
pub mod trace;
pub mod wire;

// Node.js finds the bridge by its exports; a test binary has none.
#[cfg(all(feature = "node", not(test)))]
mod bridge;
