//! Patterns in which `*` stands for any characters: of paths, of hosts, of the names of variables. Linear, and small
//! enough that ten thousand of them are nothing.

/// A pattern for the whole of a text; `*` stands for any characters, also none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Vec<Box<[u8]>>);

impl Glob {
    /// The pattern that `text` is. Everything but `*` stands for itself.
    pub fn new(text: &str) -> Glob {
        Glob(text.split('*').map(|piece| piece.as_bytes().into()).collect())
    }

    /// Whether every text is of this form.
    pub(crate) fn is_for_all(&self) -> bool {
        self.0.len() > 1 && self.0.iter().all(|piece| piece.is_empty())
    }

    /// Whether `text` is of this form.
    pub fn is_match(&self, text: &[u8]) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| **whole == *text);
        };
        let Some(mut rest) = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
            return false;
        };
        middle.iter().all(|piece| match memchr::memmem::find(rest, piece) {
            Some(at) => {
                rest = rest.get(at + piece.len()..).unwrap_or_default();
                true
            }
            None => false,
        })
    }
}

/// Patterns of paths, as rules, exceptions and limits name them: `/admin` is `/admin` and all below it;
/// `/api/*/login` is a [`Glob`] for the whole path, `=/admin` that path alone, whatever characters it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths(Vec<PathPattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathPattern {
    /// A path, without a slash at its end, and all below it.
    Below(Box<[u8]>),
    Whole(Glob),
    /// A path and nothing below it.
    Alone(Box<[u8]>),
}

impl Paths {
    /// Reads patterns.
    ///
    /// # Errors
    /// One does not begin with `/`, behind its `=` where it has one.
    pub fn new(patterns: &[String]) -> Result<Paths, String> {
        let read = |pattern: &String| match pattern.as_str() {
            alone if alone.starts_with("=/") => {
                Ok(PathPattern::Alone(alone.trim_start_matches('=').as_bytes().into()))
            }
            other if !other.starts_with('/') => {
                Err(format!("expected a path that begins with `/`, found `{other}`"))
            }
            glob if glob.contains('*') => Ok(PathPattern::Whole(Glob::new(glob))),
            path => Ok(PathPattern::Below(path.trim_end_matches('/').as_bytes().into())),
        };
        patterns.iter().map(read).collect::<Result<_, _>>().map(Paths)
    }

    /// Whether there is no pattern; what such a list means is its owner's to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the patterns is for every path: `/`, `/*`.
    pub(crate) fn is_for_all(&self) -> bool {
        self.0.iter().any(|pattern| match pattern {
            PathPattern::Below(folder) => folder.is_empty(),
            PathPattern::Whole(Glob(pieces)) => match pieces.as_slice() {
                [first, rest @ ..] => **first == *b"/" && rest.iter().all(|piece| piece.is_empty()),
                [] => false,
            },
            PathPattern::Alone(_) => false,
        })
    }

    /// Whether one of the patterns is for this path.
    pub fn is_match(&self, path: &[u8]) -> bool {
        self.0.iter().any(|pattern| match pattern {
            PathPattern::Below(folder) => {
                path.strip_prefix(&**folder).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
            }
            PathPattern::Whole(glob) => glob.is_match(path),
            PathPattern::Alone(alone) => **alone == *path,
        })
    }
}

/// Patterns of hosts: `shop.example`, and `*.shop.example` for all names below it, but not itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hosts(Vec<Box<str>>);

impl Hosts {
    /// Reads patterns, in any case.
    ///
    /// # Errors
    /// One is not a host name or an address, or has a port.
    pub fn new(patterns: &[String]) -> Result<Hosts, String> {
        let read = |pattern: &String| {
            let name = pattern.strip_prefix("*.").unwrap_or(pattern);
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            let is_address = name.starts_with('[') && name.ends_with(']');
            if name.is_empty() || !(is_address || name.bytes().all(legal)) {
                return Err(format!(
                    "expected a host such as shop.example or *.shop.example, without a port, found `{pattern}`"
                ));
            }
            Ok(pattern.to_ascii_lowercase().into_boxed_str())
        };
        patterns.iter().map(read).collect::<Result<_, _>>().map(Hosts)
    }

    /// Whether there is no pattern; what such a list means is its owner's to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the patterns is for this host; a port, a dot at the end and case do not count.
    pub fn is_match(&self, host: &[u8]) -> bool {
        let host = split_port(host).0;
        let host = host.strip_suffix(b".").unwrap_or(host);
        self.0.iter().any(|pattern| match pattern.strip_prefix('*') {
            Some(suffix) => {
                host.len().checked_sub(suffix.len()).and_then(|at| host.split_at_checked(at)).is_some_and(
                    |(name, end)| !name.is_empty() && end.eq_ignore_ascii_case(suffix.as_bytes()),
                )
            }
            None => host.eq_ignore_ascii_case(pattern.as_bytes()),
        })
    }
}

/// Host and port of `shop.example:8443`, `[::1]:80`, `shop.example`.
pub(crate) fn split_port(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memrchr(b':', authority) {
        Some(at) if !authority.get(at..).unwrap_or_default().contains(&b']') => {
            (authority.get(..at).unwrap_or_default(), authority.get(at + 1..))
        }
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_prefixes_of_segments_or_patterns() {
        let paths = |path: &str| Paths::new(&[path.to_owned()]).unwrap();
        assert!(paths("/admin").is_match(b"/admin") && paths("/admin/").is_match(b"/admin/x"));
        assert!(!paths("/admin").is_match(b"/administrator") && !paths("/admin").is_match(b"/x/admin"));
        assert!(paths("/").is_match(b"/anything"));
        assert!(paths("/api/*/login").is_match(b"/api/v1/login"));
        assert!(!paths("/api/*/login").is_match(b"/api/v1/logins"));
        assert!(!paths("/a.b").is_match(b"/axb"));
        assert!(paths("=/a*").is_match(b"/a*") && paths("=/").is_match(b"/"));
        assert!(!paths("=/a*").is_match(b"/ab") && !paths("=/").is_match(b"/a") && !paths("=/").is_for_all());
        assert!(Paths::new(&["admin".to_owned()]).unwrap_err().contains("begins with `/`"));
    }

    #[test]
    fn hosts_are_names_or_all_below_one() {
        let hosts = |host: &str| Hosts::new(&[host.to_owned()]).unwrap();
        assert!(hosts("Shop.example").is_match(b"shop.EXAMPLE.:8443"));
        assert!(hosts("[::1]").is_match(b"[::1]:80"));
        assert!(hosts("*.shop.example").is_match(b"a.b.shop.example"));
        for other in ["shop.example", ".shop.example", "xshop.example", "a.shop.example.evil"] {
            assert!(!hosts("*.shop.example").is_match(other.as_bytes()), "{other}");
        }
        for bad in ["", "*.", "a b", "shop.example:80", "https://shop.example", "*"] {
            assert!(Hosts::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_glob_is_the_regular_expression_that_it_looks_like(glob in "[ab*]{0,6}", text in "[ab]{0,8}") {
            let pattern = format!("^{}$", glob.split('*').map(regex::escape).collect::<Vec<_>>().join(".*"));
            let expected = regex::Regex::new(&pattern).unwrap().is_match(&text);
            prop_assert_eq!(Glob::new(&glob).is_match(text.as_bytes()), expected);
        }
    }
}
