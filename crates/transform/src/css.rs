//! Escapes of CSS 2, as `cssDecode` knows them.

use crate::bytes::{byte_of, digit, is_space, low_byte, rewrite};

/// The most hexadecimal digits of an escape (CSS 2, 4.1.3).
const DIGITS_MAX: usize = 6;

/// `\` with one to six hexadecimal digits becomes a byte, the lowest, and takes one white space behind it along; before a
/// line feed both go, before any other character the backslash.
pub fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(
        input,
        out,
        |rest| memchr::memchr(b'\\', rest),
        |escape, out| {
            let rest = escape.get(1..).unwrap_or_default();
            let len = rest.iter().take(DIGITS_MAX).take_while(|b| b.is_ascii_hexdigit()).count();
            if let Some(byte) = code(rest.get(..len).unwrap_or_default()) {
                out.push(byte);
                let ends_in_space = rest.get(len).is_some_and(|&b| is_space(b));
                return 1 + len + usize::from(ends_in_space);
            }
            match rest.first() {
                None => 1,
                Some(b'\n') => 2,
                Some(&byte) => {
                    out.push(byte);
                    2
                }
            }
        },
    )
}

/// The byte that the digits stand for; where they may be a full-width form, the ASCII it looks like.
fn code(digits: &[u8]) -> Option<u8> {
    Some(match digits {
        [] => return None,
        [only] => digit(*only),
        [a, b, c, d] | [b'0', a, b, c, d] | [b'0', b'0', a, b, c, d] => low_byte([*a, *b, *c, *d]),
        [.., a, b] => byte_of(*a, *b),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        if decode(text.as_bytes(), &mut out) { out } else { text.as_bytes().to_vec() }
    }

    #[test]
    fn escapes_become_bytes() {
        assert_eq!(decoded(r"ja\vascript\3a x\00003cy"), b"javascript:x<y");
        assert_eq!(decoded(r"\ff1c\0ff1c\00ff1c\1ff1c"), b"<<<\x1c");
        assert_eq!(decoded("a\\\nb\\41\tc\\"), b"abAc");
        assert_eq!(decoded(r"\9z"), b"\tz");
    }
}
