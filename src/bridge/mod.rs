//! The boundary to Node.js: thin, plain data only, the same names on both sides (`ts/native.ts`).
//!
//! JavaScript calls in with small integers for pools, connections and requests; everything that comes back crosses in batches
//! ([`crate::batch`]). This is the only module with `unsafe` code, each with its reason.
#![allow(unsafe_code)]

mod certificate;
mod checkouts;
mod clients;
mod deferred;
mod environment;
mod events;
mod lookup;
mod owner;
mod params;
mod proxies;
mod questions;
mod queue;
mod strings;
mod tokens;
mod tunnels;
mod url;
mod workspace;
