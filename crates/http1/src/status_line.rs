//! `HTTP-version SP status-code SP [reason] CRLF`, RFC 9112 4.

use crate::bytes::{CR, LF, SP, value_len};
use crate::{FieldError, Limits, ResponseError, ResponseHead, Span, Version};

/// What comes of reading the status line.
pub(crate) enum StatusLine {
    /// It is not all here.
    Partial,
    /// It is read; where the next line begins.
    Complete(usize),
}

const PREFIX: &[u8] = b"HTTP/1.1 200";

impl ResponseHead {
    /// Reads the status line. A longer `buf` never changes an answer other than `Partial`.
    #[inline]
    pub(crate) fn status_line(&mut self, buf: &[u8], limits: &Limits) -> Result<StatusLine, ResponseError> {
        for (index, pattern) in PREFIX.iter().enumerate() {
            let Some(byte) = buf.get(index) else { return Ok(StatusLine::Partial) };
            match index {
                7 if matches!(byte, b'0' | b'1') => {}
                9 if matches!(byte, b'1'..=b'9') => {}
                10 | 11 if byte.is_ascii_digit() => {}
                0..7 | 8 if byte == pattern => {}
                0..8 => return Err(ResponseError::InvalidVersion),
                _ => return Err(ResponseError::InvalidStatus),
            }
        }
        let digit = |index| buf.get(index).map_or(0, |byte: &u8| u16::from(byte - b'0'));
        self.version = if digit(7) == 0 { Version::Http10 } else { Version::Http11 };
        self.status = digit(9) * 100 + digit(10) * 10 + digit(11);

        // Many servers leave out the space where there is no reason, and it says nothing.
        let start = match buf.get(PREFIX.len()) {
            None => return Ok(StatusLine::Partial),
            Some(&SP) => PREFIX.len() + 1,
            Some(&CR | &LF) => PREFIX.len(),
            Some(_) => return Err(ResponseError::InvalidStatus),
        };
        let rest = buf.get(start..).unwrap_or_default();
        let window = limits.field_bytes_max as usize + 1;
        let len = value_len(rest.get(..window).unwrap_or(rest));
        if len == window {
            return Err(FieldError::FieldTooLarge(limits.field_bytes_max).into());
        }
        match (rest.get(len), rest.get(len + 1)) {
            (Some(&CR), Some(&LF)) => {}
            (None, _) | (Some(&CR), None) => return Ok(StatusLine::Partial),
            (Some(&CR), _) => return Err(FieldError::BareCarriageReturn.into()),
            (Some(&LF), _) => return Err(FieldError::BareLineFeed.into()),
            (Some(&byte), _) => return Err(ResponseError::InvalidReason(byte)),
        }
        self.reason = Span::new(start, start + len);
        Ok(StatusLine::Complete(start + len + 2))
    }
}
