//! Percent encoding (RFC 3986 2.1), with `%uXXXX` of IIS and classic ASP.

use super::{changed, hex, push_code_point};

/// Decodes `%XX` and `%uXXXX`, and `+` to a space where `plus`. What is no escape stays as it is: a backend may do
/// either, and refusing a lone `%` would stop honest clients. Full-width forms in `%uXXXX` (U+FF01 to U+FF5E) become
/// the ASCII that IIS maps them to.
pub fn decode_url(input: &[u8], plus: bool) -> Option<Vec<u8>> {
    if plus { memchr::memchr2(b'%', b'+', input) } else { memchr::memchr(b'%', input) }?;
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' if plus => out.push(b' '),
            b'%' => rest = escape(tail, &mut out),
            _ => out.push(byte),
        }
    }
    changed(out, input)
}

/// Decodes the escape whose `%` has been read and returns what follows it.
fn escape<'i>(tail: &'i [u8], out: &mut Vec<u8>) -> &'i [u8] {
    if let Some((digits, after)) = tail.split_at_checked(2)
        && let Some(byte) = hex(digits).and_then(|value| u8::try_from(value).ok())
    {
        out.push(byte);
        return after;
    }
    if let Some((mark, after)) = tail.split_at_checked(5)
        && let [b'u' | b'U', digits @ ..] = mark
        && let Some(code) = hex(digits)
    {
        let half_width = if (0xFF01..=0xFF5E).contains(&code) { code - 0xFEE0 } else { code };
        push_code_point(out, half_width);
        return after;
    }
    out.push(b'%');
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_the_rest_stays() {
        let decoded =
            |text: &str| decode_url(text.as_bytes(), true).map(|out| String::from_utf8(out).unwrap());
        assert_eq!(decoded("%3Cb%3e"), Some("<b>".into()));
        assert_eq!(decoded("union+select"), Some("union select".into()));
        assert_eq!(decoded("%u003cb%uff1e"), Some("<b>".into()));
        assert_eq!(decoded("%253C"), Some("%3C".into()));
        assert_eq!(decoded("100%"), None);
        assert_eq!(decoded("%zz%4"), None);
        assert_eq!(decoded("plain"), None);
        assert_eq!(decode_url(b"a+b", false), None);
        assert_eq!(decode_url(b"%c0%ae", false), Some(vec![0xc0, 0xae]));
    }
}
