//! What goes through an open tunnel.

use std::sync::atomic::Ordering;

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::inflight::Pending;
use super::super::tunnel::{Inspected, Tunnel, TunnelCommand, inspect};
use super::Task;
use crate::error::Error;

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    /// Whether nothing is read because the caller at the end of a tunnel is behind.
    pub(super) fn is_held_up(&self) -> bool {
        matches!(self.pending.front(), Some(Pending::Tunnel(tunnel)) if tunnel.is_behind())
    }

    pub(super) fn tunnel(&mut self, command: TunnelCommand) {
        match command {
            TunnelCommand::Begin(end) => self.pending.push_back(Pending::Tunnel(Tunnel::new(end))),
            TunnelCommand::Write(bytes) => {
                if let Some(Pending::Tunnel(tunnel)) = self.pending.front_mut() {
                    tunnel.note_write(&bytes);
                    self.out.extend_from_slice(&bytes);
                }
            }
            TunnelCommand::End { named } => {
                if matches!(self.pending.front(), Some(Pending::Tunnel(_))) {
                    self.pending.pop_front();
                    self.encoder.note_named(named);
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                    self.completed = true;
                }
            }
        }
    }

    pub(super) fn receive_for_tunnel(&mut self) -> Result<(), Error> {
        let (end, inspected) = inspect(&self.read)?;
        let Some(Pending::Tunnel(tunnel)) = self.pending.front_mut() else { return Ok(()) };
        for message in inspected {
            match message {
                Inspected::Tag(tag) => tunnel.tags.push(tag),
                Inspected::Ready(status) => {
                    self.shared.transaction_status.store(status, Ordering::Relaxed);
                    self.encoder.note_tunnel(&std::mem::take(&mut tunnel.tags), tunnel.take_schema_change(), status);
                }
            }
        }
        if end > 0 {
            tunnel.receive(&self.read[..end]);
            self.read.advance(end);
        }
        Ok(())
    }
}
