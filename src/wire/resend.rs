//! Requests that are sent again on the same connection: the server ran nothing of them, because the cached statement they were sent with no
//! longer fits, or may not.

use std::collections::VecDeque;

use super::inflight::{Attempt, InFlight};
use super::request::Request;

/// An answered request, with the transaction's status behind it.
pub(super) type Answered = (Box<InFlight>, u8);

/// What a connection has to send again, and what has to wait for that.
///
/// Where calls are to run `in_order` (in a pool of one connection, as in pg), a read that was on the wire behind a failed one has run too
/// early if that one runs after all: it is asked again after it. Only plain reads may share the wire there.
pub(super) struct Resends {
    in_order: bool,
    to_send: VecDeque<(Request, Attempt)>,
    /// In order: from a failed request on, what was on the wire with it.
    failed: VecDeque<Answered>,
    /// In order: what is behind the requests that are being sent again.
    held: VecDeque<Answered>,
    /// One of those has run.
    ran: bool,
}

impl Resends {
    pub fn new(in_order: bool) -> Self {
        Self { in_order, to_send: VecDeque::new(), failed: VecDeque::new(), held: VecDeque::new(), ran: false }
    }

    pub fn is_empty(&self) -> bool {
        self.to_send.is_empty() && self.failed.is_empty() && self.held.is_empty()
    }

    /// Takes a request that has to be sent again or to wait; gives back one that is done.
    pub fn keep(&mut self, request: Box<InFlight>, status: u8) -> Option<Answered> {
        let next = request.next_attempt(status);
        match next {
            Some(attempt) if !self.in_order => self.to_send.push_back((request.into_request(), attempt)),
            _ if self.in_order && (next.is_some() || !self.failed.is_empty()) => self.failed.push_back((request, status)),
            _ => {
                self.ran |= request.attempt != Attempt::First && request.is_bound();
                return Some((request, status));
            }
        }
        None
    }

    /// Nothing is on the wire any more: gives back, in order, what is done now.
    pub fn settle(&mut self) -> Vec<Answered> {
        let mut done = Vec::new();
        if !self.to_send.is_empty() {
            return done;
        }
        let behind = std::mem::take(&mut self.held);
        self.held = std::mem::take(&mut self.failed);
        self.held.extend(behind);
        let all = std::mem::take(&mut self.ran);
        while let Some((request, status)) = self.held.pop_front() {
            match request.next_attempt(status) {
                Some(attempt) => self.to_send.push_back((request.into_request(), attempt)),
                None if all => self.to_send.push_back((request.into_request(), Attempt::First)),
                None if self.to_send.is_empty() => done.push((request, status)),
                None => {
                    self.held.push_front((request, status));
                    break;
                }
            }
        }
        done
    }

    /// What is to be sent next, before anything else.
    pub fn next(&self) -> Option<&Request> {
        self.to_send.front().map(|(request, _)| request)
    }

    pub fn take_next(&mut self) -> Option<(Request, Attempt)> {
        self.to_send.pop_front()
    }

    /// The connection has ended: what was answered, and what never ran.
    pub fn end(&mut self) -> (Vec<Answered>, Vec<Request>) {
        let (mut answered, mut unsent) = (Vec::new(), Vec::new());
        unsent.extend(self.to_send.drain(..).map(|(request, _)| request));
        for (request, status) in self.failed.drain(..).chain(self.held.drain(..)) {
            match request.next_attempt(status) {
                Some(_) => unsent.push(request.into_request()),
                None => answered.push((request, status)),
            }
        }
        (answered, unsent)
    }
}
