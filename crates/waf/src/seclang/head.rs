//! The head of a request: request line, arguments of the query, header fields, cookies.

use super::arguments::{arguments, path_decoded};
use super::processor::Processor;
use super::variables::Variables;
use crate::Request;
use secbeat_seclang::Variable;

/// What of the settings bears on a head.
#[derive(Debug, Clone, Copy)]
pub struct HeadLimits {
    /// `SecArgumentSeparator`.
    pub separator: u8,
    /// The most arguments of the query that are read.
    pub args_max: usize,
}

/// Gives the variables of a request's head. The processor that the content type asks for.
///
/// `REQUEST_URI` is as it was sent, without a fragment and without scheme and host, as in ModSecurity 2; ModSecurity 3
/// decodes it once. `REQUEST_FILENAME` and what follows from it are decoded once, as in both.
pub fn head(request: &Request<'_>, limits: &HeadLimits, out: &mut impl Variables) -> Option<Processor> {
    let uri = without_fragment(request.origin_form());
    let (path, query) = match memchr::memchr(b'?', uri) {
        Some(at) => (uri.get(..at).unwrap_or_default(), uri.get(at + 1..).unwrap_or_default()),
        None => (uri, &b""[..]),
    };
    out.set(Variable::RequestMethod, request.method);
    out.set(Variable::RequestProtocol, request.protocol);
    out.set(Variable::RequestUriRaw, request.target);
    let line = [request.method, b" ", request.target, b" ", request.protocol].concat();
    out.set(Variable::RequestLine, &line);
    out.set(Variable::RequestUri, uri);
    let file_name = path_decoded(path);
    out.set(Variable::RequestFilename, &file_name);
    out.set(Variable::PathInfo, &file_name);
    out.set(Variable::RequestBasename, basename(&file_name));
    out.set(Variable::QueryString, query);
    out.set(Variable::UniqueId, request.id.as_bytes());
    let mut sink = |name: &[u8], value: &[u8]| out.add(Variable::ArgsGet, name, value);
    let read = arguments(query, limits.separator, limits.args_max, &mut sink);
    if read.has_bad_encoding {
        out.set(Variable::UrlencodedError, b"1");
    }
    let mut processor = None;
    for &(name, value) in request.fields {
        out.add(Variable::RequestHeaders, name, value);
        if name.eq_ignore_ascii_case(b"cookie") {
            cookies(value, out);
        } else if name.eq_ignore_ascii_case(b"content-type") {
            processor = Processor::of_content_type(value).or(processor);
        } else if name.eq_ignore_ascii_case(b"host") {
            out.set(Variable::ServerName, host_name(value));
        } else if name.eq_ignore_ascii_case(b"authorization") {
            out.set(Variable::AuthType, value.split(|&b| b == b' ').next().unwrap_or_default());
        }
    }
    if let Some(processor) = processor {
        out.set(Variable::ReqbodyProcessor, processor.name().as_bytes());
    }
    processor
}

fn without_fragment(uri: &[u8]) -> &[u8] {
    uri.get(..memchr::memchr(b'#', uri).unwrap_or(uri.len())).unwrap_or_default()
}

/// What follows the last `/` or `\`.
fn basename(path: &[u8]) -> &[u8] {
    path.get(memchr::memrchr2(b'/', b'\\', path).map_or(0, |at| at + 1)..).unwrap_or_default()
}

/// A host without its port; an address in brackets stays whole.
fn host_name(host: &[u8]) -> &[u8] {
    if host.starts_with(b"[") {
        return host.get(..memchr::memchr(b']', host).map_or(host.len(), |at| at + 1)).unwrap_or_default();
    }
    host.get(..memchr::memchr(b':', host).unwrap_or(host.len())).unwrap_or_default()
}

/// Cookies as ModSecurity splits them: white space before a name and behind the last value is dropped, a pair without a
/// name as well; values are as they were sent.
fn cookies(field: &[u8], out: &mut impl Variables) {
    let field = field.trim_ascii_end();
    for pair in field.split(|&byte| byte == b';') {
        let (name, value) = match memchr::memchr(b'=', pair) {
            Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
            None => (pair, &b""[..]),
        };
        let name = name.trim_ascii_start();
        if !name.is_empty() {
            out.add(Variable::RequestCookies, name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::variables::Listed;
    use super::*;

    const LIMITS: HeadLimits = HeadLimits { separator: b'&', args_max: 100 };

    fn read(target: &str, fields: &[(&[u8], &[u8])]) -> (Listed, Option<Processor>) {
        let mut out = Listed::default();
        let request = Request {
            method: b"GET",
            target: target.as_bytes(),
            protocol: b"HTTP/1.1",
            fields,
            ..Request::default()
        };
        let processor = head(&request, &LIMITS, &mut out);
        (out, processor)
    }

    #[test]
    fn a_request_line_is_taken_apart() {
        let (out, _) = read("/a%2Fb/c.php?x=%41&y#z?q", &[]);
        for (variable, expected) in [
            (Variable::RequestLine, "GET /a%2Fb/c.php?x=%41&y#z?q HTTP/1.1"),
            (Variable::RequestUriRaw, "/a%2Fb/c.php?x=%41&y#z?q"),
            (Variable::RequestUri, "/a%2Fb/c.php?x=%41&y"),
            (Variable::RequestFilename, "/a/b/c.php"),
            (Variable::RequestBasename, "c.php"),
            (Variable::QueryString, "x=%41&y"),
            (Variable::RequestMethod, "GET"),
            (Variable::RequestProtocol, "HTTP/1.1"),
        ] {
            assert_eq!(out.of(variable), [expected], "{variable:?}");
        }
        assert_eq!(out.of(Variable::ArgsGet), ["x=A", "y="]);
    }

    #[test]
    fn an_absolute_target_has_its_path_and_a_fragment_hides_a_query() {
        assert_eq!(read("http://h:1/a?b", &[]).0.of(Variable::RequestUri), ["/a?b"]);
        let (out, _) = read("/a#?b=c", &[]);
        assert_eq!(out.of(Variable::RequestUri), ["/a"]);
        assert_eq!(out.of(Variable::ArgsGet), [""; 0]);
    }

    #[test]
    fn header_fields_cookies_and_what_follows_from_them() {
        let (out, processor) = read(
            "/",
            &[
                (b"Host", b"shop.example:8080"),
                (b"Cookie", b" a=1;b=x=y; c ;; =z; d=2 "),
                (b"Content-Type", b"Multipart/Form-Data; boundary=x"),
            ],
        );
        assert_eq!(out.of(Variable::RequestHeaders).len(), 3);
        assert_eq!(out.of(Variable::RequestCookies), ["a=1", "b=x=y", "c =", "d=2"]);
        assert_eq!(out.of(Variable::ServerName), ["shop.example"]);
        assert_eq!(out.of(Variable::ReqbodyProcessor), ["MULTIPART"]);
        assert_eq!(processor, Some(Processor::Multipart));
    }
}
