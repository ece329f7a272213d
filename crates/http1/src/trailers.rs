//! The trailers behind a chunked body, RFC 9112 7.1.2: kept, so that they can be sent on.

use crate::bytes::{CR, LF};
use crate::field::{Line, line};
use crate::{BodyError, Field, Known};

/// All trailers with their line ends, in bytes.
const TRAILER_BYTES_MAX: usize = 4096;
/// Trailers in a body.
const TRAILERS_MAX: usize = 32;

/// The trailers read so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trailers {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    line_start: usize,
}

impl Trailers {
    /// Takes one byte of the section. `Ok(true)`: it was the last. A line is judged when it is whole.
    pub(crate) fn push(&mut self, byte: u8) -> Result<bool, BodyError> {
        if self.bytes.len() == TRAILER_BYTES_MAX {
            return Err(BodyError::TrailersTooLarge);
        }
        self.bytes.push(byte);
        if byte != LF && self.bytes.last_chunk::<2>().is_none_or(|end| end[0] != CR) {
            return Ok(false);
        }
        match line(&self.bytes, self.line_start, TRAILER_BYTES_MAX as u32)? {
            Line::Partial => Ok(false),
            Line::End => Ok(true),
            Line::Field(field, _)
                if field.known != Known::Other || Known::is_mimicked_by(field.name.of(&self.bytes)) =>
            {
                Err(BodyError::ForbiddenTrailer)
            }
            Line::Field(..) if self.fields.len() == TRAILERS_MAX => Err(BodyError::TrailersTooLarge),
            Line::Field(field, len) => {
                self.fields.push(field);
                self.line_start += len;
                Ok(false)
            }
        }
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (field.name.of(&self.bytes), field.value.of(&self.bytes)))
    }
}
