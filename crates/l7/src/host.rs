//! The name of a host, out of an authority.

use smallvec::SmallVec;

/// The host of `host[:port]` in lower case, without the port, the brackets of an IPv6 address and the dot of a fully qualified
/// name: whatever spelling a client takes, a site is the same site.
pub fn name(authority: &[u8]) -> Name {
    let host = match authority {
        [b'[', rest @ ..] => rest.split(|byte| *byte == b']').next().unwrap_or_default(),
        _ => authority.split(|byte| *byte == b':').next().unwrap_or_default(),
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    Name(SmallVec::from_iter(host.iter().map(u8::to_ascii_lowercase)))
}

/// A host's name in lower case; without an allocation up to 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(SmallVec<[u8; 64]>);

impl std::ops::Deref for Name {
    type Target = str;

    /// A host that was let through is ASCII; anything else is the empty name, which no site has.
    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_host_is_one_name() {
        for (authority, expected) in [
            ("Shop.Example", "shop.example"),
            ("shop.example.:8443", "shop.example"),
            ("[2001:DB8::1]:443", "2001:db8::1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("", ""),
        ] {
            assert_eq!(&*name(authority.as_bytes()), expected);
        }
        assert_eq!(&*name(b"\xff"), "");
    }
}
