//! Connections on which JavaScript speaks the protocol itself.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::clients::not_queryable;
use super::environment::Environment;
use super::queue::{Answer, Queue};
use crate::batch::Event;
use crate::wire::TunnelEnd;

/// Answers its request with the event `done` when it is dropped.
struct End {
    queue: Arc<Queue>,
    request: u32,
}

impl TunnelEnd for End {
    fn receive(&mut self, messages: &[u8]) {
        self.queue.tunnel(self.request, messages);
    }

    fn sent(&mut self, bytes: usize) {
        self.queue.sent(self.request, bytes);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.queue.answer(self.request, &Event::Done);
    }
}

#[napi]
impl Environment {
    /// Opens a tunnel through the connection, after what it is running; answered by the server's messages and at last the event `done`.
    #[napi(catch_unwind)]
    pub fn tunnel(&self, connection: u32, request: u32) {
        match self.clients.connection(connection) {
            Some(connection) => connection.tunnel(Box::new(End { queue: self.queue().clone(), request })),
            None => Answer::new(self.queue(), request).fail(&not_queryable()),
        }
    }

    /// Sends messages, or a part of one; acknowledged in bytes when they have left.
    #[napi(catch_unwind)]
    pub fn tunnel_write(&self, connection: u32, bytes: Uint8Array) {
        if let Some(connection) = self.clients.connection(connection) {
            connection.tunnel_write(bytes.to_vec());
        }
    }

    /// JavaScript has taken so many of the bytes that came.
    #[napi(catch_unwind)]
    pub fn tunnel_taken(&self, connection: u32, bytes: u32) {
        if let Some(connection) = self.clients.connection(connection) {
            connection.tunnel_taken(bytes as usize);
        }
    }

    /// Ends the tunnel. `named`: names and texts, in turn, of the statements that were prepared through it.
    #[napi(catch_unwind)]
    pub fn tunnel_end(&self, connection: u32, named: Vec<String>) {
        if let Some(connection) = self.clients.connection(connection) {
            let mut parts = named.into_iter();
            let pairs = std::iter::from_fn(|| Some((parts.next()?, parts.next()?)));
            connection.tunnel_end(pairs.collect());
        }
    }
}
