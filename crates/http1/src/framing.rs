//! How the end of a body is told: RFC 9112 6.

use crate::{Span, Version};

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// There is no body.
    #[default]
    None,
    /// This many bytes.
    Length(u64),
    /// Chunks (RFC 9112 7.1).
    Chunked,
    /// All that comes until the connection is closed; responses only.
    UntilClose,
}

errors! {
    /// Why the length of a body is ambiguous.
    FramingError {
        /// Two readings of where the body ends.
        ContentLengthAndTransferEncoding => 400, "content_length_and_transfer_encoding", "both Content-Length and Transfer-Encoding were sent; expected at most one of them";
        /// Two `Content-Length`, equal or not.
        DuplicateContentLength => 400, "duplicate_content_length", "Content-Length was sent more than once; expected it once";
        /// `5, 5`, which RFC 9110 8.6 lets a recipient repair.
        ContentLengthList => 400, "content_length_list", "Content-Length is a list; expected one number";
        /// Not a number.
        InvalidContentLength => 400, "invalid_content_length", "Content-Length is not a number; expected decimal digits alone";
        /// A number beyond 2⁶³−1.
        ContentLengthOverflow => 413, "content_length_overflow", "Content-Length is beyond 9223372036854775807; expected a length that a body can have";
        /// Two `Transfer-Encoding`.
        DuplicateTransferEncoding => 400, "duplicate_transfer_encoding", "Transfer-Encoding was sent more than once; expected it once";
        /// `Transfer-Encoding` in HTTP/1.0, which has none (RFC 9112 6.1).
        TransferEncodingOnHttp10 => 400, "transfer_encoding_on_http_1_0", "Transfer-Encoding was sent with HTTP/1.0, which has none; expected HTTP/1.1 or Content-Length";
        /// `chunked` in a list, repeated, or hidden in something else; or no coding at all.
        InvalidTransferEncoding => 400, "invalid_transfer_encoding", "Transfer-Encoding is empty or has more than chunked; expected exactly `chunked`";
        /// A coding other than `chunked`.
        UnsupportedTransferEncoding => 501, "unsupported_transfer_encoding", "Transfer-Encoding has a coding that is not supported; expected exactly `chunked`";
    }
    from {}
}

/// The fields that tell the end of a body, gathered from a head.
#[derive(Default)]
pub(crate) struct FramingFields {
    content_length: Option<Span>,
    transfer_encoding: Option<Span>,
}

impl FramingFields {
    pub(crate) fn content_length(&mut self, value: Span) -> Result<(), FramingError> {
        match self.content_length.replace(value) {
            None => Ok(()),
            Some(_) => Err(FramingError::DuplicateContentLength),
        }
    }

    pub(crate) fn transfer_encoding(&mut self, value: Span) -> Result<(), FramingError> {
        match self.transfer_encoding.replace(value) {
            None => Ok(()),
            Some(_) => Err(FramingError::DuplicateTransferEncoding),
        }
    }

    /// What they say together; `None` where neither was sent.
    #[inline]
    pub(crate) fn resolve(&self, buf: &[u8], version: Version) -> Result<Option<Framing>, FramingError> {
        match (self.content_length, self.transfer_encoding) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(FramingError::ContentLengthAndTransferEncoding),
            (Some(length), None) => parse_content_length(length.of(buf)).map(|n| Some(Framing::Length(n))),
            (None, Some(_)) if version == Version::Http10 => Err(FramingError::TransferEncodingOnHttp10),
            (None, Some(coding)) => check_transfer_encoding(coding.of(buf)).map(|()| Some(Framing::Chunked)),
        }
    }
}

/// `Content-Length = 1*DIGIT`, at most 2⁶³−1 and 19 digits: beyond that, implementations differ.
fn parse_content_length(value: &[u8]) -> Result<u64, FramingError> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        let is_list = value.contains(&b',');
        return Err(if is_list {
            FramingError::ContentLengthList
        } else {
            FramingError::InvalidContentLength
        });
    }
    if value.len() > 19 {
        return Err(FramingError::ContentLengthOverflow);
    }
    let length = value.iter().fold(0u64, |length, digit| length * 10 + u64::from(digit - b'0'));
    if length > i64::MAX as u64 { Err(FramingError::ContentLengthOverflow) } else { Ok(length) }
}

fn check_transfer_encoding(value: &[u8]) -> Result<(), FramingError> {
    const CHUNKED: &[u8] = b"chunked";
    if value.eq_ignore_ascii_case(CHUNKED) {
        return Ok(());
    }
    let mentions_chunked = value.windows(CHUNKED.len()).any(|part| part.eq_ignore_ascii_case(CHUNKED));
    Err(if value.is_empty() || mentions_chunked {
        FramingError::InvalidTransferEncoding
    } else {
        FramingError::UnsupportedTransferEncoding
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_decimal_digits_alone() {
        assert_eq!(parse_content_length(b"0"), Ok(0));
        assert_eq!(parse_content_length(b"0042"), Ok(42));
        assert_eq!(parse_content_length(b"9223372036854775807"), Ok(i64::MAX as u64));
        assert_eq!(parse_content_length(b"9223372036854775808"), Err(FramingError::ContentLengthOverflow));
        assert_eq!(parse_content_length(&[b'1'; 20]), Err(FramingError::ContentLengthOverflow));
        for wrong in ["", "+5", "-5", "5 5", "0x5", "5a", "5.0", "\u{665}"] {
            assert_eq!(
                parse_content_length(wrong.as_bytes()),
                Err(FramingError::InvalidContentLength),
                "{wrong}"
            );
        }
        for list in ["5, 5", "5,5", "5,", ","] {
            assert_eq!(parse_content_length(list.as_bytes()), Err(FramingError::ContentLengthList), "{list}");
        }
    }

    #[test]
    fn the_one_coding_is_chunked() {
        assert_eq!(check_transfer_encoding(b"Chunked"), Ok(()));
        for wrong in [
            "",
            "chunked, chunked",
            "gzip, chunked",
            "chunked, gzip",
            "xchunked",
            "chunked;a=b",
            "\"chunked\"",
        ] {
            assert_eq!(
                check_transfer_encoding(wrong.as_bytes()),
                Err(FramingError::InvalidTransferEncoding),
                "{wrong}"
            );
        }
        for other in ["gzip", "identity", "cow"] {
            assert_eq!(
                check_transfer_encoding(other.as_bytes()),
                Err(FramingError::UnsupportedTransferEncoding),
                "{other}"
            );
        }
    }
}
