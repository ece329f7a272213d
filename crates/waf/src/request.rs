//! The head of a request, taken apart into values.

use std::fmt;

/// A request's head as it came: nothing decoded, nothing joined.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The request target: origin form, absolute form or `*` (RFC 9112 3.2).
    pub target: &'a [u8],
    /// The header fields, name and value, in order; names in any case.
    pub fields: &'a [(&'a [u8], &'a [u8])],
    /// The protocol as the request line names it: `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// What tells it from all other requests: `UNIQUE_ID` of SecLang.
    pub id: &'a str,
    /// Whether a body follows.
    pub body: BodyFollows,
}

/// Whether a body follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyFollows {
    /// There is none.
    #[default]
    No,
    /// It is given to [`Transaction::request_body`](crate::Transaction::request_body), if
    /// [`inspects_body`](crate::Transaction::inspects_body) says so.
    Inspected,
    /// It streams past, whatever it is.
    Streamed,
}

impl<'a> Request<'a> {
    /// The target from its path on: of an absolute form without scheme and authority.
    pub(crate) fn origin_form(&self) -> &'a [u8] {
        match memchr::memmem::find(self.target, b"://") {
            Some(at) if !self.target.starts_with(b"/") => {
                let authority = self.target.get(at + 3..).unwrap_or_default();
                let end = authority.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(authority.len());
                authority.get(end..).unwrap_or_default()
            }
            _ => self.target,
        }
    }

    /// The path and the query of the target, undecoded; of an absolute form without scheme and authority.
    pub fn path_and_query(&self) -> (&'a [u8], Option<&'a [u8]>) {
        let origin = self.origin_form();
        match memchr::memchr(b'?', origin) {
            Some(at) => (origin.get(..at).unwrap_or_default(), origin.get(at + 1..)),
            None => (origin, None),
        }
    }
}

/// Names and values of a `Cookie` field (RFC 6265 4.2.1), in order; a pair without `=` is a name alone.
pub fn cookies(field: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    field.split(|&b| b == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()).map(|pair| {
        match memchr::memchr(b'=', pair) {
            Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..)),
            None => (pair, None),
        }
    })
}

/// Headers whose form HTTP fixes and which backends do not take for text: rules on `headers` leave them out, rules on
/// `header:*` or on the header itself do not.
const ROUTINE_HEADERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "date",
    "dnt",
    "expect",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "pragma",
    "priority",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
];

/// Whether rules on `headers` leave this header out: those whose form HTTP fixes, and all of `Sec-*`.
pub fn is_routine_header(name: &[u8]) -> bool {
    name.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"sec-"))
        || ROUTINE_HEADERS.iter().any(|routine| name.eq_ignore_ascii_case(routine.as_bytes()))
}

/// Headers by which a request is read and sent on: nothing is taken out of them.
const STRUCTURAL_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a request is read and sent on by this header.
pub fn is_structural_header(name: &[u8]) -> bool {
    STRUCTURAL_HEADERS.iter().any(|structural| name.eq_ignore_ascii_case(structural.as_bytes()))
}

/// Where a value is, as a match names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable<'a> {
    /// The path.
    Path,
    /// An argument of the query, name or value.
    Query(&'a [u8]),
    /// A header field.
    Header(&'a [u8]),
    /// A cookie, name or value.
    Cookie(&'a [u8]),
    /// A value of the body; an empty name is the body as a whole.
    Body(&'a [u8]),
}

/// The longest name that a match shows.
const NAME_CHARS_MAX: usize = 80;

impl fmt::Display for Variable<'_> {
    /// `path`, `query:id`, `header:user-agent`, `cookie:sid`, `body:user.name`; names lossy UTF-8 and cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Variable::Path => return f.write_str("path"),
            Variable::Body(b"") => return f.write_str("body"),
            Variable::Query(name) => ("query", name),
            Variable::Header(name) => ("header", name),
            Variable::Cookie(name) => ("cookie", name),
            Variable::Body(name) => ("body", name),
        };
        write!(f, "{kind}:")?;
        let text =
            String::from_utf8_lossy(name.get(..name.len().min(4 * NAME_CHARS_MAX)).unwrap_or_default());
        for c in text.chars().take(NAME_CHARS_MAX) {
            fmt::Write::write_char(
                f,
                if matches!(self, Variable::Header(_)) { c.to_ascii_lowercase() } else { c },
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(target: &str) -> (String, Option<String>) {
        let request =
            Request { method: b"GET", target: target.as_bytes(), fields: &[], ..Request::default() };
        let (path, query) = request.path_and_query();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(path), query.map(text))
    }

    #[test]
    fn every_form_of_a_target_has_its_path_and_query() {
        assert_eq!(split("/a?b?c"), ("/a".into(), Some("b?c".into())));
        assert_eq!(split("http://host:1/a?u=http://x/"), ("/a".into(), Some("u=http://x/".into())));
        assert_eq!(split("http://host?a"), (String::new(), Some("a".into())));
        assert_eq!(split("/r/http://x/y"), ("/r/http://x/y".into(), None));
        assert_eq!(split("*"), ("*".into(), None));
    }

    #[test]
    fn cookies_are_split_at_semicolons() {
        let pairs: Vec<_> = cookies(b"a=1; _ga=GA1.2=3;; flag ").collect();
        assert_eq!(pairs, [(&b"a"[..], Some(&b"1"[..])), (b"_ga", Some(b"GA1.2=3")), (b"flag", None)]);
    }

    #[test]
    fn a_variable_is_named_as_an_operator_would() {
        assert_eq!(Variable::Header(b"User-Agent").to_string(), "header:user-agent");
        assert_eq!(Variable::Body(b"").to_string(), "body");
        assert_eq!(Variable::Query(&[b'x'; 500]).to_string().len(), "query:".len() + NAME_CHARS_MAX);
    }
}
