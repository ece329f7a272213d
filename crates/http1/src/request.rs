//! The head of a request, RFC 9112 3 to 6.

use crate::bytes::CR;
use crate::connection::Options;
use crate::field::{head_window, section};
use crate::framing::FramingFields;
use crate::request_line::RequestLine;
use crate::{
    Field, FieldError, Framing, Known, Limits, Method, Parsed, RequestError, Span, Version, host, target,
};
use std::borrow::Cow;

/// The head of a request, as spans into the buffer that it was parsed from. Reusable: keep one for each connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// The method as it was sent: a token of at most 32 bytes.
    pub method: Span,
    /// Which method it is.
    pub known_method: Method,
    /// The target as it was sent.
    pub target: Span,
    /// The part of the target that a backend is asked for: see [`RequestHead::origin_form`].
    pub path: Span,
    /// The version.
    pub version: Version,
    /// The fields in the order they were sent.
    pub fields: Vec<Field>,
    /// Where the body ends; never [`Framing::UntilClose`].
    pub framing: Framing,
    /// Whether the client wants the connection to last beyond this request.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// The protocol that the client asks to change to, such as `websocket`. Absent, and so to be ignored (RFC 9110
    /// 7.8), where the request is not one that can be passed on as such: HTTP/1.0, a body, no `Connection: upgrade`,
    /// more than one protocol, or h2c.
    pub upgrade: Option<Span>,
    /// The host with its port, of `Host` or the target; absent only in HTTP/1.0.
    pub host: Option<Span>,
    /// The length of the head in bytes; the body begins there.
    pub len: usize,
    /// What is wrong with the request line, told when the whole head is read.
    pub(crate) refusal: Option<RequestError>,
    is_tokenised: bool,
}

impl RequestHead {
    /// An empty head with room for the fields of a usual request.
    pub fn new() -> Self {
        RequestHead { fields: Vec::with_capacity(32), ..Self::default() }
    }

    /// Reads the head at the start of `buf`.
    ///
    /// After [`Parsed::Partial`], call again with the same bytes and more behind them. Nothing is remembered between
    /// calls, so a head that is reused can never mix two connections; reading again costs less than the system call that
    /// brought the bytes. The answer does not depend on how the bytes were cut into calls. On an error, whatever was
    /// read stays in place to be shown.
    #[inline]
    pub fn parse(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, RequestError> {
        self.clear();
        let parsed = self.tokenise(buf, limits)?;
        if parsed == Parsed::Complete {
            self.is_tokenised = true;
            self.understand(buf)?;
        }
        Ok(parsed)
    }

    /// Forgets everything but the memory for fields.
    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = RequestHead { fields, ..Self::default() };
    }

    /// Whether method, target and every field were read, even where the request is refused for what they say.
    pub fn is_tokenised(&self) -> bool {
        self.is_tokenised
    }

    /// The target to ask a backend for: a path with its query, or `*`. Allocates only for an absolute form without a
    /// path, which is asked for as `/` (RFC 9112 3.2.1).
    pub fn origin_form<'a>(&self, buf: &'a [u8]) -> Cow<'a, [u8]> {
        match self.path.of(buf) {
            path @ ([] | [b'?', ..]) => Cow::Owned([b"/", path].concat()),
            path => Cow::Borrowed(path),
        }
    }

    /// The host that is asked for, with its port where it was given: of the target or of `Host`; empty where there is none
    /// (HTTP/1.0).
    pub fn authority<'a>(&self, buf: &'a [u8]) -> &'a [u8] {
        self.host.map(|host| host.of(buf)).or_else(|| self.value(buf, Known::Host)).unwrap_or_default()
    }

    /// The protocol as the request line names it, also where the request is refused for it: `HTTP/1.1`, `HTTP/3.0`. Of a head
    /// whose lines were read ([`is_tokenised`](Self::is_tokenised)).
    pub fn protocol<'a>(&self, buf: &'a [u8]) -> &'a [u8] {
        let behind_target = buf.get(self.target.range().end..).unwrap_or_default();
        behind_target.split(|byte| *byte == CR).next().unwrap_or_default().trim_ascii()
    }

    /// The value of the first field of this kind.
    pub fn value<'a>(&self, buf: &'a [u8], known: Known) -> Option<&'a [u8]> {
        self.fields.iter().find(|field| field.known == known).map(|field| field.value.of(buf))
    }

    /// The value of the first field of this name, in any case.
    pub fn named<'a>(&self, buf: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
        let found = self.fields.iter().find(|field| field.name.of(buf).eq_ignore_ascii_case(name));
        found.map(|field| field.value.of(buf))
    }

    /// Reads every line.
    #[inline]
    fn tokenise(&mut self, buf: &[u8], limits: &Limits) -> Result<Parsed, RequestError> {
        let (window, is_full) = head_window(buf, limits);
        let at = match self.request_line(window, limits)? {
            RequestLine::Complete(at) => at,
            RequestLine::Partial if is_full => {
                return Err(FieldError::HeadTooLarge(limits.head_bytes_max).into());
            }
            RequestLine::Partial => return Ok(Parsed::Partial),
        };
        let Some(len) = section(buf, at, &mut self.fields, limits)? else { return Ok(Parsed::Partial) };
        self.len = len;
        Ok(Parsed::Complete)
    }

    /// Settles what the head says, or refuses it.
    #[inline]
    fn understand(&mut self, buf: &[u8]) -> Result<(), RequestError> {
        if let Some(error) = self.refusal {
            return Err(error);
        }
        let mut framing = FramingFields::default();
        let (mut upgrades, mut has_connection, mut has_type, mut expects) = (0, false, false, false);
        for &Field { name, value, known, .. } in &self.fields {
            match known {
                Known::Other if Known::is_mimicked_by(name.of(buf)) => {
                    return Err(RequestError::MimickedField);
                }
                Known::Host if self.host.replace(value).is_some() => return Err(RequestError::DuplicateHost),
                Known::ContentType if std::mem::replace(&mut has_type, true) => {
                    return Err(RequestError::DuplicateContentType);
                }
                Known::ContentLength => framing.content_length(value)?,
                Known::TransferEncoding => framing.transfer_encoding(value)?,
                Known::Connection => has_connection = true,
                Known::Upgrade => {
                    upgrades += 1;
                    self.upgrade = Some(value);
                }
                Known::Expect if self.version == Version::Http11 => {
                    if expects || !value.of(buf).eq_ignore_ascii_case(b"100-continue") {
                        return Err(RequestError::UnknownExpectation);
                    }
                    expects = true;
                }
                _ => {}
            }
        }
        self.framing = framing.resolve(buf, self.version)?.unwrap_or(Framing::None);
        let has_body = !matches!(self.framing, Framing::None | Framing::Length(0));
        self.expect_continue = expects && has_body;

        let options = if has_connection { Options::read(buf, &mut self.fields)? } else { Options::default() };
        self.keep_alive = options.persists(self.version);
        let may_upgrade = options.upgrade && upgrades == 1 && !has_body && self.version == Version::Http11;
        self.upgrade = self.upgrade.filter(|protocol| may_upgrade && is_one_protocol(protocol.of(buf)));

        self.route(buf)
    }

    /// Settles host and path.
    #[inline]
    fn route(&mut self, buf: &[u8]) -> Result<(), RequestError> {
        match self.host.map(|host| host.of(buf)) {
            Some(text) if !host::is_valid(text) => return Err(RequestError::InvalidHost),
            None if self.version == Version::Http11 => return Err(RequestError::MissingHost),
            _ => {}
        }
        let parsed = target::parse(self.target.of(buf), self.known_method)?;
        self.path = self.target.sub(parsed.path);
        if let Some(authority) = parsed.authority {
            let authority = self.target.sub(authority);
            let host = *self.host.get_or_insert(authority);
            if !host.of(buf).eq_ignore_ascii_case(authority.of(buf)) {
                return Err(RequestError::HostDisagreesWithTarget);
            }
        }
        Ok(())
    }
}

/// Whether `Upgrade` names one protocol, with or without a version, that can be passed on (RFC 9110 7.8). h2c cannot:
/// the proxy would be blind to every request behind it.
fn is_one_protocol(value: &[u8]) -> bool {
    let (name, version) = value.split_at(value.iter().position(|&byte| byte == b'/').unwrap_or(value.len()));
    let is_token = crate::bytes::is_token;
    is_token(name)
        && (version.is_empty() || version.strip_prefix(b"/").is_some_and(is_token))
        && !name.eq_ignore_ascii_case(b"h2c")
}
