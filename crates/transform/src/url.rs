//! Percent encoding, as `urlDecode`, `urlDecodeUni` and `urlEncode` know it.

use crate::bytes::{byte_of, four_digits, hex_pair, low_byte, rewrite};
use crate::code_page::best_fit;

/// `%HH` is a byte and `+` a space; what is no escape stays.
pub fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(input, out, |rest| memchr::memchr2(b'%', b'+', rest), percent)
}

/// [`decode`], with `%uHHHH` of IIS.
pub fn decode_uni(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(
        input,
        out,
        |rest| memchr::memchr2(b'%', b'+', rest),
        |escape, out| match escape {
            [b'%', b'u' | b'U', rest @ ..] => match four_digits(rest) {
                Some(digits) => {
                    out.push(unicode(digits));
                    6
                }
                None => {
                    out.extend(escape.first_chunk::<2>().into_iter().flatten());
                    2
                }
            },
            _ => percent(escape, out),
        },
    )
}

fn percent(escape: &[u8], out: &mut Vec<u8>) -> usize {
    let (byte, read) = match escape {
        [b'+', ..] => (b' ', 1),
        [_, digits @ ..] => hex_pair(digits).map_or((b'%', 1), |byte| (byte, 3)),
        [] => return 0,
    };
    out.push(byte);
    read
}

fn unicode(digits: [u8; 4]) -> u8 {
    let [a, b, c, d] = digits;
    let code = u16::from_be_bytes([byte_of(a, b), byte_of(c, d)]);
    best_fit(code).unwrap_or_else(|| low_byte(digits))
}

/// A space is `+`; letters, digits and `*` stay; all else is `%hh`.
pub fn encode(input: &[u8], out: &mut Vec<u8>) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(input.len());
    for &byte in input {
        match byte {
            b' ' => out.push(b'+'),
            b'*' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(byte),
            // A half byte is below sixteen.
            _ => out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if decode_uni(text, &mut out) { out } else { text.to_vec() }
    }

    #[test]
    fn escapes_are_decoded_and_what_is_none_stays() {
        assert_eq!(decoded(b"a+b%3Cc%3e%"), b"a b<c>%");
        assert_eq!(decoded(b"%zz%4%u12%u00zz"), b"%zz%4%u12%u00zz");
        assert_eq!(decoded(b"%%41"), b"%A");
        assert_eq!(decoded(b"%253c"), b"%3c");
    }

    #[test]
    fn code_points_are_what_the_code_page_makes_of_them() {
        assert_eq!(decoded(b"%u003cscript%U003E"), b"<script>");
        assert_eq!(decoded(b"%uff1cscript%uFF1e"), b"<script>");
        assert_eq!(decoded(b"%u2039%u0127%u2032"), b"<h'");
        assert_eq!(decoded(b"%u4141"), b"A");
    }

    #[test]
    fn the_plain_decoder_leaves_code_points_alone() {
        let mut out = Vec::new();
        decode(b"%u003c+%41", &mut out);
        assert_eq!(out, b"%u003c A");
    }

    #[test]
    fn all_but_letters_digits_and_stars_is_encoded() {
        let mut out = Vec::new();
        encode(b"aZ9* -_/\xff", &mut out);
        assert_eq!(out, b"aZ9*+%2d%5f%2f%ff");
    }
}
