//! A path as a backend may read it, so that no spelling of it has a count of its own.

use secbeat_waf::decode::{decode_url, normalize_path};
use std::borrow::Cow;

/// Rounds of decoding, as many as rules have.
const ROUNDS_MAX: usize = secbeat_waf::transform::ROUNDS_MAX;

/// `path` (without its query) decoded and resolved. Allocates only where something changes.
pub(super) fn plain(path: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = Cow::Borrowed(path);
    for _ in 0..ROUNDS_MAX {
        let is_plain = !plain.contains(&b'%') && !has_detour(&plain);
        if is_plain {
            break;
        }
        let decoded = decode_url(&plain, false);
        let resolved = normalize_path(decoded.as_deref().unwrap_or(&plain));
        match resolved.or(decoded) {
            Some(next) => plain = Cow::Owned(next),
            None => break,
        }
    }
    plain
}

/// Whether the path has something to resolve: a backslash, an empty segment, or one that begins with a dot.
fn has_detour(path: &[u8]) -> bool {
    path.contains(&b'\\') || path.windows(2).any(|pair| matches!(pair, b"//" | b"/."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_a_path_is_one() {
        for spelling in [
            "/login",
            "/%6cogin",
            "//login",
            "/./login",
            "/a/../login",
            r"\login",
            "/%252e/%6Cogin",
            "/%2flogin",
        ] {
            assert_eq!(plain(spelling.as_bytes()), &b"/login"[..], "{spelling}");
        }
        assert!(matches!(plain(b"/a/b.html"), Cow::Borrowed(_)));
        assert_eq!(plain(b"*"), &b"*"[..]);
        assert_eq!(plain(b""), &b""[..]);
    }

    proptest! {
        #[test]
        fn what_is_called_plain_at_once_has_nothing_to_decode(path in "/[a-c/.%2e\\\\]{0,12}") {
            if let Cow::Borrowed(same) = plain(path.as_bytes()) {
                prop_assert_eq!(decode_url(same, false), None);
                prop_assert_eq!(normalize_path(same), None);
            }
        }
    }
}
