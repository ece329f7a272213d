//! Escapes of JavaScript, as `jsDecode` knows them.

use crate::bytes::{control, four_digits, hex_pair, low_byte, octal, rewrite};

/// `\uHHHH` (its low byte; full-width forms their ASCII), `\xHH`, `\OOO`, `\n` and the like; before any other character the
/// backslash goes.
pub fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(
        input,
        out,
        |rest| memchr::memchr(b'\\', rest),
        |escape, out| {
            let (byte, read) = one(escape);
            out.push(byte);
            read
        },
    )
}

fn one(escape: &[u8]) -> (u8, usize) {
    if let [_, b'u', rest @ ..] = escape
        && let Some(digits) = four_digits(rest)
    {
        return (low_byte(digits), 6);
    }
    if let [_, b'x', rest @ ..] = escape
        && let Some(byte) = hex_pair(rest)
    {
        return (byte, 4);
    }
    // Three octal digits only where they still make one byte.
    let most = if let [_, b'4'..=b'7', ..] = escape { 2 } else { 3 };
    if let Some((byte, len)) = octal(escape.get(1..).unwrap_or_default(), most) {
        return (byte, 1 + len);
    }
    match escape {
        [_, letter, ..] => (control(*letter).unwrap_or(*letter), 2),
        _ => (b'\\', 1),
    }
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
        assert_eq!(decoded(r"\u003cscript\x3e\74\uff1c"), b"<script><<");
        assert_eq!(decoded(r"\n\t\v\q\'\\"), b"\n\t\x0bq'\\");
        assert_eq!(decoded(r"\377\400\0"), b"\xff 0\0");
        assert_eq!(decoded(r"\u12\x1\"), b"u12x1\\");
    }
}
