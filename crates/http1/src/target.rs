//! The forms of a request's target, RFC 9112 3.2.

use crate::{Method, RequestError, host};
use std::ops::Range;

/// What a target names, as offsets into it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The authority of an absolute form.
    pub(crate) authority: Option<Range<usize>>,
    /// Path and query. Of an absolute form without a path it is empty or begins with `?`.
    pub(crate) path: Range<usize>,
}

/// Which form `target` has, or why it has none.
#[inline]
pub(crate) fn parse(target: &[u8], method: Method) -> Result<Target, RequestError> {
    if method == Method::Connect {
        return Err(RequestError::ConnectNotSupported);
    }
    if target.contains(&b'#') {
        return Err(RequestError::FragmentInTarget);
    }
    match target {
        [b'/', ..] => Ok(Target { authority: None, path: 0..target.len() }),
        b"*" if method == Method::Options => Ok(Target { authority: None, path: 0..1 }),
        b"*" => Err(RequestError::AsteriskWithoutOptions),
        _ => absolute(target),
    }
}

/// `http://authority/path?query`, no user information.
fn absolute(target: &[u8]) -> Result<Target, RequestError> {
    let is_scheme =
        |scheme: &&[u8]| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let schemes: [&[u8]; 2] = [b"http://", b"https://"];
    let scheme = schemes.into_iter().find(is_scheme).ok_or(RequestError::InvalidTargetForm)?;
    let rest = target.get(scheme.len()..).unwrap_or_default();
    let authority_len = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    if !rest.get(..authority_len).is_some_and(host::is_valid) {
        return Err(RequestError::InvalidTargetForm);
    }
    let path = scheme.len() + authority_len;
    Ok(Target { authority: Some(scheme.len()..path), path: path..target.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is() {
        for target in ["/", "/a?b=<script>\"", "//a/b", "/\u{e9}{|}^`"] {
            let parsed = parse(target.as_bytes(), Method::Get);
            assert_eq!(parsed, Ok(Target { authority: None, path: 0..target.len() }), "{target}");
        }
    }

    #[test]
    fn an_absolute_form_has_an_authority_and_a_path() {
        for (target, authority, path) in [
            ("http://a.b:80/c?d", "a.b:80", "/c?d"),
            ("HTTPS://[::1]?x", "[::1]", "?x"),
            ("http://a", "a", ""),
        ] {
            let parsed = parse(target.as_bytes(), Method::Get).unwrap();
            assert_eq!(&target[parsed.authority.unwrap()], authority);
            assert_eq!(&target[parsed.path], path);
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        use RequestError::*;
        for (method, target, error) in [
            (Method::Connect, "a:443", ConnectNotSupported),
            (Method::Get, "*", AsteriskWithoutOptions),
            (Method::Options, "**", InvalidTargetForm),
            (Method::Get, "/a#b", FragmentInTarget),
            (Method::Get, "http://a/#", FragmentInTarget),
            (Method::Get, "a", InvalidTargetForm),
            (Method::Get, "ftp://a/", InvalidTargetForm),
            (Method::Get, "http:/a/", InvalidTargetForm),
            (Method::Get, "http:///", InvalidTargetForm),
            (Method::Get, "http://u@a/", InvalidTargetForm),
            (Method::Get, "http://a\\b/", InvalidTargetForm),
        ] {
            assert_eq!(parse(target.as_bytes(), method), Err(error), "{target}");
        }
    }
}
