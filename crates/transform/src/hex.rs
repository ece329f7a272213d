//! Hexadecimal, as `hexDecode`, `hexEncode` and `sqlHexDecode` know it.

use crate::bytes::{byte_of, hex_pair, rewrite};

/// Two digits a byte; what is no digit counts as one all the same, and the last of an odd number goes.
pub fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    let (pairs, _) = input.as_chunks::<2>();
    out.extend(pairs.iter().map(|&[high, low]| byte_of(high, low)));
    true
}

/// Two lower-case digits a byte.
pub fn encode(input: &[u8], out: &mut Vec<u8>) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // A half byte is below sixteen.
    out.extend(input.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]));
    true
}

/// `0x414243`, as in SQL, becomes its bytes.
///
/// As ModSecurity from 3.0.13 on: before it, the last byte of every value was lost, and all behind a NUL.
pub fn decode_sql(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(input, out, find_prefix, |number, out| {
        let pairs = number.get(2..).unwrap_or_default().as_chunks::<2>().0;
        let before = out.len();
        out.extend(pairs.iter().map_while(|pair| hex_pair(pair)));
        match out.len() - before {
            0 => {
                out.push(b'0');
                1
            }
            bytes => 2 + 2 * bytes,
        }
    })
}

/// Where `0x` stands.
fn find_prefix(text: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'x', b'X', text)
        .filter_map(|at| at.checked_sub(1))
        .find(|&at| text.get(at) == Some(&b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_two_bytes_are_a_byte() {
        let mut out = Vec::new();
        decode(b"4142zz6", &mut out);
        assert_eq!(out, [b'A', b'B', 0x53]);
        out.clear();
        encode(b"A\xff\0", &mut out);
        assert_eq!(out, b"41ff00");
    }

    #[test]
    fn numbers_of_sql_become_their_bytes() {
        let decoded = |text: &[u8]| {
            let mut out = Vec::new();
            if decode_sql(text, &mut out) { out } else { text.to_vec() }
        };
        assert_eq!(decoded(b"select 0x414243, 0X61"), b"select ABC, a");
        assert_eq!(decoded(b"0x4142434"), b"ABC4");
        assert_eq!(decoded(b"0x0x41 00x41 0x 0xg x41 0x4"), b"0xA 0A 0x 0xg x41 0x4");
    }
}
