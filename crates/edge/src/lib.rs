//! What every listener shares, from the socket to a stream of plain bytes.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`listener`] | binds the sockets of a worker |
//! | [`tls`] | certificates and keys from disk to a `rustls` configuration |
//! | [`stream`] | a client's bytes, with or without TLS |
//! | [`registry`] | one worker's open connections: their deadlines, and how one is cut from outside |
//! | [`buffers`] | one worker's spare buffers, so that an idle connection holds none |

pub mod buffers;
pub mod listener;
pub mod registry;
pub mod stream;
pub mod tls;

pub use buffers::BufferPool;
pub use listener::{ListenerConfig, bind};
pub use registry::{Cut, Registry, Slot};
pub use stream::Stream;
