//! A strict HTTP/1 codec (RFC 9110, RFC 9112), both directions. Pure: bytes in, spans and bytes out, no I/O.
//!
//! Ambiguity is refused by name, never repaired: what is accepted has exactly one reading, and the proxy sends on
//! only what it has written anew. Nothing is copied while reading: a head is spans into the caller's buffer, and
//! heads are reused, so a parse allocates nothing once the list of fields has grown to its usual size.
//!
//! | module | idea |
//! | --- | --- |
//! | [`request`] | the head of a request: [`RequestHead`] |
//! | [`response`] | the head of a response: [`ResponseHead`] |
//! | [`body`] | where a body ends: [`BodyDecoder`], fed piece by piece |
//! | [`encode`] | writing heads, chunks and trailers |
//! | [`framing`] | how a body's end is told: [`Framing`] |
//! | [`field`], [`known`] | a field line, and [`Known`]: the names a proxy treats specially |
//! | [`method`] | methods and versions |
//! | [`span`] | where something stands in the buffer that was parsed |
//! | [`limits`] | how much a peer may send before it is refused |
//! | [`host`] | the grammar of `Host` |
//! | [`request_error`], [`response_error`], [`body_error`] | each refusal: its name, its status, its sentence |

#[macro_use]
mod errors;
mod bytes;
mod chunked;
mod connection;
mod request_line;
mod status_line;
mod target;
mod trailers;

pub mod body;
pub mod body_error;
pub mod encode;
pub mod field;
pub mod framing;
pub mod host;
pub mod known;
pub mod limits;
pub mod method;
pub mod request;
pub mod request_error;
pub mod response;
pub mod response_error;
pub mod span;

pub use body::{BodyDecoder, BodyState, Decoded};
pub use body_error::BodyError;
pub use connection::ConnectionError;
pub use field::{Field, FieldError};
pub use framing::{Framing, FramingError};
pub use known::Known;
pub use limits::Limits;
pub use method::{Method, Version};
pub use request::RequestHead;
pub use request_error::RequestError;
pub use response::ResponseHead;
pub use response_error::ResponseError;
pub use span::Span;

/// What came of a call to `parse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// The head is not all here: call again with the same bytes and more behind them.
    Partial,
    /// The head is read; its `len` says where the body begins.
    Complete,
}
