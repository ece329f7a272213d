//! Where a body ends, told piece by piece and without copying it.

use crate::chunked::Chunked;
use crate::{BodyError, Framing};
use std::ops::Range;

/// What a call to [`BodyDecoder::decode`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// How many bytes of the input are dealt with. Less than all of it: call again with the rest (there is more data
    /// in it), or where the body is done, what follows belongs to the next message.
    pub consumed: usize,
    /// The body's data in the input; may be empty.
    pub data: Range<usize>,
    /// Whether the body goes on.
    pub state: BodyState,
}

/// Whether a body goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyState {
    /// Call again: with the rest of the input, or where all of it was consumed, with more.
    More,
    /// That was the end.
    Done,
}

/// Finds a body's data in what a connection delivers.
///
/// ```
/// use secbeat_http1::{BodyDecoder, BodyState, Framing};
/// let mut decoder = BodyDecoder::new(Framing::Chunked);
/// let (input, mut at, mut body) = (b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nGET", 0, Vec::new());
/// loop {
///     let step = decoder.decode(&input[at..])?;
///     body.extend_from_slice(&input[at..][step.data]);
///     at += step.consumed;
///     if step.state == BodyState::Done || at == input.len() {
///         break;
///     }
/// }
/// assert_eq!((&body[..], &input[at..]), (&b"abcde"[..], &b"GET"[..]));
/// # Ok::<(), secbeat_http1::BodyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BodyDecoder {
    kind: Kind,
    failed: Option<BodyError>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

impl BodyDecoder {
    /// A decoder for one body. Allocates nothing unless trailers come.
    pub fn new(framing: Framing) -> Self {
        let kind = match framing {
            Framing::None => Kind::Length(0),
            Framing::Length(length) => Kind::Length(length),
            Framing::Chunked => Kind::Chunked(Chunked::new()),
            Framing::UntilClose => Kind::UntilClose,
        };
        BodyDecoder { kind, failed: None }
    }

    /// Finds the next stretch of data in `input`, which begins where the last call stopped consuming. The data and
    /// the end do not depend on how the bytes are cut into calls. After an error every call gives the same error.
    pub fn decode(&mut self, input: &[u8]) -> Result<Decoded, BodyError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match &mut self.kind {
            Kind::Length(remaining) => {
                let len =
                    usize::try_from(*remaining).map_or(input.len(), |remaining| remaining.min(input.len()));
                *remaining -= len as u64;
                let state = if *remaining == 0 { BodyState::Done } else { BodyState::More };
                Ok(Decoded { consumed: len, data: 0..len, state })
            }
            Kind::UntilClose => {
                Ok(Decoded { consumed: input.len(), data: 0..input.len(), state: BodyState::More })
            }
            Kind::Chunked(chunked) => {
                let decoded = chunked.decode(input);
                self.failed = decoded.as_ref().err().copied();
                decoded
            }
        }
    }

    /// Whether the body is at its end.
    pub fn is_done(&self) -> bool {
        match &self.kind {
            Kind::Length(remaining) => *remaining == 0,
            Kind::Chunked(chunked) => chunked.is_done(),
            Kind::UntilClose => false,
        }
    }

    /// What the peer's closing of the connection means: the end of a body that lasts until then, or a body cut short.
    pub fn close(&self) -> Result<(), BodyError> {
        match self.kind {
            Kind::UntilClose => Ok(()),
            _ if self.is_done() => Ok(()),
            _ => Err(BodyError::Truncated),
        }
    }

    /// How many bytes of the body are still to come, where that is known.
    pub fn remaining(&self) -> Option<u64> {
        match self.kind {
            Kind::Length(remaining) => Some(remaining),
            _ => None,
        }
    }

    /// The trailers, names and values: whole once the body is done. None of them is special ([`crate::Known::Other`]).
    pub fn trailers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let chunked = match &self.kind {
            Kind::Chunked(chunked) => Some(chunked),
            _ => None,
        };
        chunked.into_iter().flat_map(Chunked::trailers)
    }
}
