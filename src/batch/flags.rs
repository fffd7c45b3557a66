//! Bits of a query's flags; the low six are [`Decoding`](super::Decoding).

/// Use the extended protocol.
pub const EXTENDED: u32 = 1 << 8;
/// Ask for binary results.
pub const BINARY: u32 = 1 << 9;
/// Of a pool's query: begin one more connection.
pub const GROW: u32 = 1 << 10;
