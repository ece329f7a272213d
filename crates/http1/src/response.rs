//! The head of a response, RFC 9112 4 to 6.

use crate::connection::Options;
use crate::field::{head_window, section};
use crate::framing::FramingFields;
use crate::status_line::StatusLine;
use crate::{Field, FieldError, Framing, Known, Limits, Method, Parsed, ResponseError, Span, Version};

/// The head of a response, as spans into the buffer that it was parsed from. Reusable: keep one for each connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version.
    pub version: Version,
    /// The status, 100 to 999. Where it [is interim](ResponseHead::is_interim), another head follows.
    pub status: u16,
    /// The reason as it was sent; often empty.
    pub reason: Span,
    /// The fields in the order they were sent.
    pub fields: Vec<Field>,
    /// Where the body ends: RFC 9112 6.3.
    pub framing: Framing,
    /// What `Content-Length` says, even where there is no body: in an answer to HEAD, or a 304.
    pub content_length: Option<u64>,
    /// Whether the connection may be used for another request once the body is read.
    pub keep_alive: bool,
    /// The protocol that a 101 changes to.
    pub upgrade: Option<Span>,
    /// The length of the head in bytes; the body, or the next head, begins there.
    pub len: usize,
}

impl ResponseHead {
    /// An empty head with room for the fields of a usual response.
    pub fn new() -> Self {
        ResponseHead { fields: Vec::with_capacity(32), ..Self::default() }
    }

    /// Reads the head at the start of `buf`, of an answer to a request with `request_method`. It is called like
    /// [`RequestHead::parse`](crate::RequestHead::parse).
    pub fn parse(
        &mut self,
        buf: &[u8],
        request_method: Method,
        limits: &Limits,
    ) -> Result<Parsed, ResponseError> {
        self.clear();
        let parsed = self.tokenise(buf, limits)?;
        if parsed == Parsed::Complete {
            self.understand(buf, request_method)?;
        }
        Ok(parsed)
    }

    /// Forgets everything but the memory for fields.
    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = ResponseHead { fields, ..Self::default() };
    }

    /// Whether another head follows: 1xx but 101, RFC 9110 15.2.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// The value of the first field of this kind.
    pub fn value<'a>(&self, buf: &'a [u8], known: Known) -> Option<&'a [u8]> {
        self.fields.iter().find(|field| field.known == known).map(|field| field.value.of(buf))
    }

    /// Reads every line.
    #[inline]
    fn tokenise(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, ResponseError> {
        let (window, is_full) = head_window(buf, limits);
        let at = match self.status_line(window, limits)? {
            StatusLine::Complete(at) => at,
            StatusLine::Partial if is_full => {
                return Err(FieldError::HeadTooLarge(limits.head_bytes_max).into());
            }
            StatusLine::Partial => return Ok(Parsed::Partial),
        };
        let Some(len) = section(buf, at, &mut self.fields, limits)? else { return Ok(Parsed::Partial) };
        self.len = len;
        Ok(Parsed::Complete)
    }

    /// Settles what the head says, or refuses it.
    #[inline]
    fn understand(&mut self, buf: &[u8], request_method: Method) -> Result<(), ResponseError> {
        let mut framing = FramingFields::default();
        let mut has_connection = false;
        for &Field { known, value, .. } in &self.fields {
            match known {
                Known::ContentLength => framing.content_length(value)?,
                Known::TransferEncoding => framing.transfer_encoding(value)?,
                Known::Connection => has_connection = true,
                Known::Upgrade if self.status == 101 => self.upgrade = Some(value),
                _ => {}
            }
        }
        let told = framing.resolve(buf, self.version)?;
        self.content_length = match told {
            Some(Framing::Length(length)) => Some(length),
            _ => None,
        };
        let never_has_body = matches!(self.status, 100..200 | 204);
        if never_has_body && told == Some(Framing::Chunked) {
            return Err(ResponseError::TransferEncodingWithoutBody);
        }
        self.framing = match told {
            _ if never_has_body || self.status == 304 || request_method == Method::Head => Framing::None,
            Some(framing) => framing,
            None => Framing::UntilClose,
        };
        let options = if has_connection { Options::read(buf, &mut self.fields)? } else { Options::default() };
        // A server that announces a body where there is none may well send it: nothing after it can be trusted.
        let may_send_more = never_has_body && self.content_length.is_some_and(|length| length > 0);
        self.keep_alive =
            options.persists(self.version) && self.framing != Framing::UntilClose && !may_send_more;
        Ok(())
    }
}
