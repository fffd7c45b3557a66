//! Tokens from a workspace over real HTTPS: the shapes on the wire, sharing, faults, proxies.

mod faults;
mod proxy;
mod server;
mod sharing;
mod wire;
