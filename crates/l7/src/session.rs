//! The life of a client's connection: one request after another, until one side has had enough.

use crate::connection::Connection;
use crate::outcome::Next;
use crate::pipeline;
use crate::scratch::Scratch;
use secbeat_edge::registry::State;
use std::future::poll_fn;
use std::task::Poll;

/// How long, and for how many bytes, a client that was refused may go on sending before it is cut off.
const LINGER_MS: u64 = 2_000;
const LINGER_BYTES_MAX: usize = 1 << 20;

impl Connection {
    /// Serves the connection to its end. `first_wait_ms`: how long until the first byte must be there.
    pub async fn serve(self, first_wait_ms: u64) {
        let mut wait_ms = first_wait_ms;
        // A client that was let in is heard once, also when the program stops meanwhile; after that it may be sent away.
        let mut is_idle = false;
        let mut in_hand: Option<Box<Scratch>> = None;
        let next = loop {
            let mut scratch = match in_hand.take() {
                Some(scratch) => scratch,
                None => match self.first_bytes(wait_ms, is_idle).await {
                    Some(scratch) => scratch,
                    None => break Next::Close,
                },
            };
            let policy = self.worker.policy();
            let next = pipeline::run(&self, &policy, &mut scratch).await;
            (wait_ms, is_idle) = (policy.timeouts.keepalive_ms, true);
            if next != Next::Request {
                self.worker.scratch.give(scratch);
                break next;
            }
            if scratch.input.is_empty() {
                self.worker.scratch.give(scratch);
            } else {
                in_hand = Some(scratch);
            }
        };
        Box::pin(self.close(next)).await;
    }

    /// Waits for a request to begin, holding no memory while it waits. `None`: the client has gone, or was idle for too
    /// long, or the program stops.
    async fn first_bytes(&self, wait_ms: u64, is_idle: bool) -> Option<Box<Scratch>> {
        self.registration.deadline_in(wait_ms);
        self.registration.set_idle(is_idle);
        self.registration.set_state(State::Idle);
        let read = poll_fn(|context| {
            let mut scratch = self.worker.scratch.take();
            match self.client.poll_read(context, scratch.input.room()) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    scratch.input.filled(count);
                    Poll::Ready(Some(scratch))
                }
                other => {
                    self.worker.scratch.give(scratch);
                    other.map(|_| None)
                }
            }
        });
        let scratch = self.registration.within(read).await.ok().flatten();
        self.registration.set_idle(false);
        self.registration.set_state(State::Request);
        scratch
    }

    async fn close(self, next: Next) {
        if next == Next::Abort {
            // A reset is the one end that nobody takes for the end of an answer. Where it cannot be had, nothing is said at all.
            let _ = self.client.with(|client| client.socket().set_zero_linger());
            return;
        }
        self.registration.deadline_in(LINGER_MS);
        let farewell = async {
            if self.client.shutdown().await.is_err() || next != Next::Linger {
                return;
            }
            // A socket that is closed with bytes unread resets the connection, and the reset can overtake our answer.
            let mut scratch = self.worker.scratch.take();
            let mut dropped = 0;
            while let Ok(count) = self.client.read(scratch.input.room()).await {
                dropped += count;
                if count == 0 || dropped > LINGER_BYTES_MAX {
                    break;
                }
            }
            self.worker.scratch.give(scratch);
        };
        // A client that does not wait for the end has no need of it.
        let _ = self.registration.within(farewell).await;
    }
}
