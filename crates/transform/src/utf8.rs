//! UTF-8, as `utf8toUnicode` knows it.
//!
//! What ModSecurity does with what is no UTF-8 is kept: a first byte without the others that belong to it goes, NUL goes, and
//! behind an overlong form or a surrogate its first byte is left standing.

use crate::bytes::rewrite;

/// Each character beyond ASCII becomes `%uhhhh`, in at least four lower-case digits.
pub fn to_unicode(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(input, out, |rest| rest.iter().position(|b| matches!(b, 0 | 0xc0..=0xf7)), one)
}

fn one(text: &[u8], out: &mut Vec<u8>) -> usize {
    let &[first, ref rest @ ..] = text else { return 0 };
    let len = match first {
        0 => return 1,
        1..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    if first >= 0xf5 {
        out.push(first);
    }
    let Some(rest) = rest.get(..len - 1).filter(|rest| rest.iter().all(|b| b & 0xc0 == 0x80)) else {
        return 1;
    };
    let lead = u32::from(first) & (0x7f >> len);
    let code = rest.iter().fold(lead, |code, b| code << 6 | u32::from(b & 0x3f));
    push_code(code, out);
    let overlong = code < [0x80, 0x800, 0x1_0000][len - 2];
    let surrogate = (0xd800..0xe000).contains(&code);
    for _ in 0..u8::from(overlong) + u8::from(surrogate) {
        out.push(first);
    }
    len
}

fn push_code(code: u32, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"%u");
    let places = (u32::BITS - code.leading_zeros()).div_ceil(4).max(4);
    for place in (0..places).rev() {
        // A half byte is below sixteen.
        out.push(DIGITS[(code >> (4 * place) & 15) as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unicode(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if to_unicode(text, &mut out) { out } else { text.to_vec() }
    }

    #[test]
    fn characters_beyond_ascii_are_spelt_out() {
        assert_eq!(unicode("a‹é😀".as_bytes()), b"a%u2039%u00e9%u1f600");
        assert_eq!(unicode(b"\xc0\xbcscript"), b"%u003c\xc0script");
        assert_eq!(unicode(b"\xed\xa0\x80"), b"%ud800\xed");
    }

    #[test]
    fn what_is_no_character_goes_or_stays_as_in_modsecurity() {
        assert_eq!(unicode(b"\xc3<\xe2\x80<\xf0\x9f"), b"<\x80<\x9f");
        assert_eq!(unicode(b"\x80\xbf\xf8\xff"), b"\x80\xbf\xf8\xff");
        assert_eq!(unicode(b"a\0b\0"), b"ab");
        assert_eq!(unicode(b"\xf5x"), b"\xf5x");
    }
}
