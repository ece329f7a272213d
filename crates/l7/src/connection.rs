//! A client's connection, past its TLS handshake.

use crate::io::End;
use crate::outcome::{Stop, client_side};
use crate::refusal::Refusal;
use crate::scratch::Input;
use crate::worker::Worker;
use secbeat_edge::Stream;
use secbeat_edge::registry::Registration;
use std::net::SocketAddr;
use std::rc::Rc;

/// A client's connection, past its TLS handshake.
pub struct Connection {
    /// The thread it lives on.
    pub worker: Rc<Worker>,
    /// The client's side.
    pub client: End<Stream>,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// Whether it is encrypted.
    pub is_tls: bool,
    /// Its deadline, and the means to cut it.
    pub registration: Registration,
}

impl Connection {
    /// Reads more of the client's bytes into `input`, which has room; 0 is the end of the stream.
    pub async fn read_more(&self, input: &mut Input, late: impl FnOnce() -> Refusal) -> Result<usize, Stop> {
        let count = client_side(self.registration.within(self.client.read(input.room())).await, late)?;
        input.filled(count);
        Ok(count)
    }
}
