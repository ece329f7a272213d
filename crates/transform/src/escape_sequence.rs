//! Escapes of ANSI C, as `escapeSeqDecode` knows them.

use crate::bytes::{control, hex_pair, octal, rewrite};

/// `\n` and the like, `\xHH` and `\OOO` (its low byte) become a byte; before any other character the backslash goes.
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
    if let [_, b'x' | b'X', rest @ ..] = escape
        && let Some(byte) = hex_pair(rest)
    {
        return (byte, 4);
    }
    if let Some((byte, len)) = octal(escape.get(1..).unwrap_or_default(), 3) {
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

    #[test]
    fn escapes_become_bytes() {
        let mut out = Vec::new();
        assert!(decode(br#"\a\x41\X42\103\q\xzz\?\"\777\"#, &mut out));
        assert_eq!(out, b"\x07ABCqxzz?\"\xff\\");
    }
}
