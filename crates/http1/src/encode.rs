//! Writing heads, chunks and trailers: each function appends to `out`.
//!
//! Names and values must be such as the parsers accept; what they were parsed from is.

use crate::Version;
use crate::bytes::{is_token, value_len};

/// The end of a body in chunks, without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// The end of a chunk's data.
pub const CHUNK_END: &[u8] = b"\r\n";
/// The end of a line, and of a head behind its last field.
pub const CRLF: &[u8] = b"\r\n";
/// The interim head that has a client send its body.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// `GET /path HTTP/1.1`
#[inline]
pub fn request_line(out: &mut Vec<u8>, method: &[u8], target: &[u8], version: Version) {
    debug_assert!(is_token(method) && !target.contains(&b' '));
    put(out, [method, b" ", target, b" ", version.as_str().as_bytes(), CRLF]);
}

/// `HTTP/1.1 200 OK`. `status` is 100 to 999; a `reason` may be empty.
#[inline]
pub fn status_line(out: &mut Vec<u8>, status: u16, reason: &[u8]) {
    debug_assert!((100..1000).contains(&status) && value_len(reason) == reason.len());
    if status == 200 && reason == b"OK" {
        return out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    }
    put(out, [b"HTTP/1.1 ", itoa::Buffer::new().format(status).as_bytes(), b" ", reason, CRLF]);
}

/// `name: value`
#[inline]
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    debug_assert!(is_token(name) && value_len(value) == value.len());
    put(out, [name, b": ", value, CRLF]);
}

/// `Content-Length: 42`
#[inline]
pub fn content_length(out: &mut Vec<u8>, length: u64) {
    put(out, [b"Content-Length: ", itoa::Buffer::new().format(length).as_bytes(), CRLF]);
}

/// `Transfer-Encoding: chunked`
#[inline]
pub fn transfer_encoding_chunked(out: &mut Vec<u8>) {
    out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
}

/// The empty line that ends a head.
#[inline]
pub fn end_of_head(out: &mut Vec<u8>) {
    out.extend_from_slice(CRLF);
}

/// The end of a body in chunks with these trailers; [`LAST_CHUNK`] where there are none.
pub fn last_chunk<'a>(out: &mut Vec<u8>, trailers: impl Iterator<Item = (&'a [u8], &'a [u8])>) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        field(out, name, value);
    }
    out.extend_from_slice(CRLF);
}

/// A chunk's size line: its data, then [`CHUNK_END`], follow. A chunk of no bytes would be the last: send none.
#[inline]
pub fn chunk_head(len: usize) -> ChunkHead {
    let mut head = ChunkHead { bytes: [0; CHUNK_HEAD_MAX], start: CHUNK_HEAD_MAX };
    head.push(b'\n');
    head.push(b'\r');
    let mut rest = len;
    loop {
        head.push(char::from_digit((rest & 0xf) as u32, 16).map_or(b'0', |digit| digit as u8));
        rest >>= 4;
        if rest == 0 {
            return head;
        }
    }
}

/// Sixteen digits and CR LF.
const CHUNK_HEAD_MAX: usize = 18;

/// A chunk's size line; see [`chunk_head`].
#[derive(Debug, Clone, Copy)]
pub struct ChunkHead {
    bytes: [u8; CHUNK_HEAD_MAX],
    start: usize,
}

impl ChunkHead {
    /// The line with its CR LF.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.start.checked_sub(1).and_then(|start| self.bytes.get_mut(start)) {
            *slot = byte;
            self.start -= 1;
        }
    }
}

#[inline]
fn put<const N: usize>(out: &mut Vec<u8>, parts: [&[u8]; N]) {
    out.reserve(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// The reason that RFC 9110 15 gives a status (431: RFC 6585); empty for a status that we never send.
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_head_is_its_length_in_hexadecimal() {
        for len in [1, 9, 10, 15, 16, 255, 4096, usize::MAX] {
            assert_eq!(chunk_head(len).as_bytes(), format!("{len:x}\r\n").as_bytes());
        }
    }

    #[test]
    fn lines_are_written_as_the_rfc_has_them() {
        let mut out = Vec::new();
        request_line(&mut out, b"GET", b"/a?b", Version::Http11);
        status_line(&mut out, 200, b"OK");
        status_line(&mut out, 999, b"");
        field(&mut out, b"Host", b"a");
        content_length(&mut out, u64::MAX);
        transfer_encoding_chunked(&mut out);
        end_of_head(&mut out);
        last_chunk(&mut out, [(&b"a"[..], &b"b"[..])].into_iter());
        let expected = "GET /a?b HTTP/1.1\r\nHTTP/1.1 200 OK\r\nHTTP/1.1 999 \r\nHost: a\r\n\
            Content-Length: 18446744073709551615\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: b\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
