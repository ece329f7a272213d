//! Whether a value is well encoded.

/// Whether after each `%` two hexadecimal digits stand.
pub fn is_url_encoding(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'%', rest) {
        match rest.get(at + 1..) {
            Some([high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest = after
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_percent_sign_needs_two_digits() {
        for good in ["", "a", "%41", "a%2fb%2F", "%41%42"] {
            assert!(is_url_encoding(good.as_bytes()), "{good}");
        }
        for bad in ["%", "%4", "%g0", "%0g", "a%", "%41%4", "%%41"] {
            assert!(!is_url_encoding(bad.as_bytes()), "{bad}");
        }
    }
}
