//! How a request can end, and what follows on its connection.

use crate::refusal::Refusal;
use secbeat_edge::Cut;
use std::io;

/// What follows a request on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another request may come.
    Request,
    /// Nothing; what was written is to reach the client.
    Close,
    /// Nothing, and the client must see that what it has is not whole: a connection that ends in order would say it is.
    Abort,
    /// Nothing, and the client may still be sending: its bytes are read and dropped for a while, so that it sees the answer.
    Linger,
}

/// Why a request ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// It is refused, and the client is told.
    Refused(Refusal),
    /// The client has gone, or its connection was cut: nobody is left to be told.
    Gone,
    /// The answer had begun and cannot be finished: the connection breaks off, so that the client sees that it is short.
    Broken(String),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

/// What a wait on the client's side came to.
pub fn client_side<T>(waited: Result<io::Result<T>, Cut>, late: impl FnOnce() -> Refusal) -> Result<T, Stop> {
    match waited {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(Cut::Decision | Cut::Shutdown) => Err(Stop::Gone),
        Err(Cut::Deadline) => Err(late().into()),
    }
}
