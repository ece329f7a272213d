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

/// The length of `HTTP/1.1 200`.
const STATUS_END: usize = 12;

impl ResponseHead {
    /// Reads the status line. A longer `buf` never changes an answer other than `Partial`.
    #[inline]
    pub(crate) fn status_line(&mut self, buf: &[u8], limits: &Limits) -> Result<StatusLine, ResponseError> {
        let (true, Some(&[minor @ b'0'..=b'1', SP, a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'])) =
            (buf.starts_with(b"HTTP/1."), buf.get(7..STATUS_END))
        else {
            return incomplete(buf);
        };
        self.version = if minor == b'0' { Version::Http10 } else { Version::Http11 };
        self.status = [a, b, c].iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));

        // Many servers leave out the space where there is no reason, and it says nothing.
        let start = match buf.get(STATUS_END) {
            None => return Ok(StatusLine::Partial),
            Some(&SP) => STATUS_END + 1,
            Some(&CR | &LF) => STATUS_END,
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

/// What is wrong with a line that does not begin with version and status, unless it is only short.
#[cold]
fn incomplete(buf: &[u8]) -> Result<StatusLine, ResponseError> {
    let fits = |(index, byte): (usize, &u8)| match index {
        7 => matches!(byte, b'0' | b'1'),
        9 => matches!(byte, b'1'..=b'9'),
        10.. => byte.is_ascii_digit(),
        _ => b"HTTP/1.1 ".get(index) == Some(byte),
    };
    match buf.iter().take(STATUS_END).enumerate().position(|at| !fits(at)) {
        None => Ok(StatusLine::Partial),
        Some(0..8) => Err(ResponseError::InvalidVersion),
        Some(_) => Err(ResponseError::InvalidStatus),
    }
}
