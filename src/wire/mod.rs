//! The PostgreSQL connection: socket, startup, statement cache, one I/O task per connection.
//!
//! `tokio-postgres`' own client asks for binary results, hides command tags and column metadata, and looks types up in the catalogue,
//! so a result as node-postgres gives it cannot be built on it. This layer speaks the same codec (`postgres-protocol`) and keeps the
//! server's text as it came.

mod address;
mod cancel;
mod connection;
mod delivery;
mod effects;
mod encoder;
#[cfg(fuzzing)]
pub mod fuzzing;
mod handle;
mod inflight;
mod lasting;
mod lexer;
mod message;
mod plain_read;
mod pooler;
mod probe;
mod request;
mod resend;
#[cfg(test)]
mod resend_tests;
mod result;
mod scram;
#[cfg(test)]
mod scripted_server;
mod session;
mod socket;
mod startup;
mod statements;
mod target;
mod tunnel;
#[cfg(test)]
mod tunnel_tests;

pub use cancel::cancel;
pub use connection::open;
pub use encoder::SchemaGeneration;
pub use handle::{Connection, Duplicate, Observer};
pub use plain_read::is_plain_read;
pub use pooler::Sharing;
pub use request::{Execution, Fetch, Outcome, Param, Query, Reply, Request};
pub use result::{Field, Response, RowCursor, RowDescription, Rows, StatementResult};
pub use session::{ConnectionId, Session};
pub use socket::{Connected, Socket, connect};
pub use startup::{FirstQuery, Options, Password, PasswordFuture, Started, start};
pub use target::{CheckIdentity, Target};
pub use tunnel::TunnelEnd;
