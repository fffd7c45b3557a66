//! How much memory a peer can make this process use. Everything else is bounded by what was received: buffers grow with the bytes that have
//! come, never with what a header promises, and an allocation of such a size that fails is an error of the query or of the connection.

/// Longest message of a session, in bytes. PostgreSQL itself sends nothing larger than 1 GiB; a longer one is not PostgreSQL.
pub const MAX_MESSAGE: usize = (1 << 30) + 1024;

/// Longest message before the session begins, in bytes: authentication, parameters, notices, an error. All are far shorter.
pub const MAX_STARTUP_MESSAGE: usize = 64 * 1024;

/// All messages before the session begins together, in bytes. PostgreSQL sends about 500.
pub const MAX_STARTUP: usize = 1024 * 1024;

/// Shapes of results (their columns) that one JavaScript thread remembers: texts made up at run time must not fill the memory.
pub const MAX_SHAPES: usize = 2_000;

/// The columns of all these shapes together.
pub const MAX_SHAPE_COLUMNS: usize = 200_000;

/// A shared buffer that has grown beyond this is given back once it is empty, in bytes.
pub const MAX_KEPT_BUFFER: usize = 1024 * 1024;
