//! The boundary to Node.js: thin, plain data only.

mod certificate;
