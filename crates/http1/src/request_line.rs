//! `method SP target SP HTTP-version CRLF`, RFC 9112 3.

use crate::bytes::{CR, HTAB, LF, SP, target_len, token_len};
use crate::{FieldError, Limits, Method, RequestError, RequestHead, Span, Version};

/// No registered method is longer than 17 bytes (`UPDATEREDIRECTREF`).
const METHOD_BYTES_MAX: usize = 32;
/// The content type of a handshake record, RFC 8446 5.1.
const TLS_HANDSHAKE: u8 = 0x16;

/// What comes of reading the request line.
pub(crate) enum RequestLine {
    /// It is not all here.
    Partial,
    /// It is read; where the next line begins.
    Complete(usize),
}

impl RequestHead {
    /// Reads the request line, behind one empty line at most (RFC 9112 2.2). The method and the target are kept as
    /// soon as they are read, whatever follows. A longer `buf` never changes an answer other than `Partial`.
    #[inline]
    pub(crate) fn request_line(&mut self, buf: &[u8], limits: &Limits) -> Result<RequestLine, RequestError> {
        let Some(start) = skip_empty_line(buf)? else { return Ok(RequestLine::Partial) };
        let rest = buf.get(start..).unwrap_or_default();

        let method_len = token_len(rest.get(..METHOD_BYTES_MAX + 1).unwrap_or(rest));
        match rest.get(method_len) {
            _ if method_len > METHOD_BYTES_MAX => return Err(RequestError::MethodTooLong),
            Some(&SP) if method_len > 0 => {}
            Some(&byte) => return Err(method_error(byte, method_len)),
            None => return Ok(RequestLine::Partial),
        }
        let method = rest.get(..method_len).unwrap_or_default();
        self.method = Span::new(start, start + method_len);
        self.known_method = Method::of(method);

        let target_start = start + method_len + 1;
        let rest = buf.get(target_start..).unwrap_or_default();
        let target_max = limits.target_bytes_max as usize;
        let target_len = target_len(rest.get(..target_max.saturating_add(1)).unwrap_or(rest));
        match rest.get(target_len) {
            _ if target_len > target_max => {
                self.target = Span::new(target_start, target_start + target_max);
                return Err(RequestError::TargetTooLong(limits.target_bytes_max));
            }
            Some(&SP) if target_len > 0 => {}
            Some(&byte) => {
                self.target = Span::new(target_start, target_start + target_len);
                return Err(target_error(byte, target_len));
            }
            None => return Ok(RequestLine::Partial),
        }
        self.target = Span::new(target_start, target_start + target_len);

        let version_start = target_start + target_len + 1;
        let rest = buf.get(version_start..).unwrap_or_default();
        if rest.starts_with(b"HTTP/1.1\r\n") {
            self.version = Version::Http11;
        } else {
            match version(rest)? {
                None => return Ok(RequestLine::Partial),
                Some((1, 1)) => self.version = Version::Http11,
                Some((1, 0)) => self.version = Version::Http10,
                Some((2, 0)) if method == b"PRI" => return Err(RequestError::Http2Preface),
                // The rest is read first, so that all that was sent can be shown.
                Some((major, minor)) => self.refusal = Some(RequestError::UnsupportedVersion(major, minor)),
            }
        }
        Ok(RequestLine::Complete(version_start + b"HTTP/1.1\r\n".len()))
    }
}

#[inline]
fn skip_empty_line(buf: &[u8]) -> Result<Option<usize>, RequestError> {
    match buf {
        [] => Ok(None),
        [CR, rest @ ..] => match rest {
            [] => Ok(None),
            [LF, CR | LF, ..] => Err(RequestError::EmptyLines),
            [LF, ..] => Ok(Some(2)),
            _ => Err(FieldError::BareCarriageReturn.into()),
        },
        _ => Ok(Some(0)),
    }
}

#[cold]
fn method_error(byte: u8, len: usize) -> RequestError {
    match byte {
        TLS_HANDSHAKE if len == 0 => RequestError::TlsOnPlainPort,
        SP | HTAB => RequestError::ExtraSpace,
        LF => FieldError::BareLineFeed.into(),
        CR => RequestError::MissingVersion,
        byte => RequestError::InvalidMethod(byte),
    }
}

#[cold]
fn target_error(byte: u8, len: usize) -> RequestError {
    match byte {
        SP | HTAB if len == 0 => RequestError::ExtraSpace,
        LF => FieldError::BareLineFeed.into(),
        CR => RequestError::MissingVersion,
        byte => RequestError::InvalidTarget(byte),
    }
}

/// Reads `HTTP/d.d CRLF`; `None`: not all here.
#[cold]
fn version(rest: &[u8]) -> Result<Option<(u8, u8)>, RequestError> {
    for (index, pattern) in b"HTTP/0.0\r\n".iter().enumerate() {
        let unexpected = match rest.get(index) {
            None => return Ok(None),
            Some(&byte) => match pattern {
                b'0' if byte.is_ascii_digit() => continue,
                _ if byte == *pattern => continue,
                _ => byte,
            },
        };
        return Err(match (index, unexpected) {
            (0 | 8, SP | HTAB) => RequestError::ExtraSpace,
            (0, CR) => RequestError::MissingVersion,
            (9, _) => FieldError::BareCarriageReturn.into(),
            (_, LF) => FieldError::BareLineFeed.into(),
            _ => RequestError::InvalidVersion,
        });
    }
    let digit = |index| rest.get(index).map_or(0, |byte: &u8| byte - b'0');
    Ok(Some((digit(5), digit(7))))
}
