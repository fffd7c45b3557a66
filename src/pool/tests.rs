//! The pool against a server of its own.
