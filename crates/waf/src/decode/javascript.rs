//! Escapes in string literals of JavaScript and JSON (ECMA-262 12.9.4).

use super::{changed, hex, push_code_point};

/// Decodes `\xHH`, `\uHHHH` and `\u{H…}`. Other escapes stay: they hide little, and `\n` is part of Windows paths.
pub fn decode_javascript_escapes(input: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', input)?;
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte == b'\\').then(|| escape(tail)).flatten() {
            Some((code, after)) => {
                push_code_point(&mut out, code);
                rest = after;
            }
            None => out.push(byte),
        }
    }
    changed(out, input)
}

fn escape(tail: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, after) = match tail {
        [b'x', rest @ ..] => rest.split_at_checked(2)?,
        [b'u', b'{', rest @ ..] => {
            let end = rest.iter().take(7).position(|&b| b == b'}')?;
            (rest.get(..end)?, rest.get(end + 1..)?)
        }
        [b'u', rest @ ..] => rest.split_at_checked(4)?,
        _ => return None,
    };
    Some((hex(digits)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_the_rest_stays() {
        let decoded =
            |text: &str| decode_javascript_escapes(text.as_bytes()).map(|o| String::from_utf8(o).unwrap());
        assert_eq!(decoded(r"\x3cscript\u003e\u{3c}"), Some("<script><".into()));
        assert_eq!(decoded(r"C:\new\users"), None);
        assert_eq!(decoded(r"\u{}\x3\u12"), None);
    }
}
