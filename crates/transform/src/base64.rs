//! Base64 (RFC 4648, 4), as `base64Decode`, `base64DecodeExt` and `base64Encode` know it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a byte is worth; [`END`] and [`NONE`] are no digits.
const VALUES: [u8; 256] = values();
/// `=`.
const END: u8 = 64;
/// Not of the alphabet.
const NONE: u8 = 65;
/// CR and LF.
const LINE_BREAK: u8 = 66;

const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut byte = 0;
    while byte < 256 {
        values[byte] = match byte as u8 {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'a'..=b'z' => letter - b'a' + 26,
            digit @ b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => END,
            b'\r' | b'\n' => LINE_BREAK,
            _ => NONE,
        };
        byte += 1;
    }
    values
}

/// Up to the first byte that is not of the alphabet, line breaks passed over; a last group that is not full gives the bytes it
/// holds.
///
/// As ModSecurity 2 and Coraza. ModSecurity 3 gives the same where it gives anything, without an unpadded last group, and
/// nothing at all for a value with one strange byte anywhere: a `!` at the end would hide an attack from the rules.
pub fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.reserve(input.len() / 4 * 3 + 3);
    // Groups of four digits, as long as they come.
    let (groups, mut rest) = input.as_chunks::<4>();
    let before = out.len();
    for group in groups {
        let [a, b, c, d] = group.map(value);
        if (a | b | c | d) >= END {
            break;
        }
        let [_, bytes @ ..] = pack(a, b, c, d).to_be_bytes();
        out.extend_from_slice(&bytes);
    }
    rest = input.get((out.len() - before) / 3 * 4..).unwrap_or(rest);
    let digits = rest.iter().map(|&b| value(b)).filter(|&v| v != LINE_BREAK).take_while(|&v| v < END);
    group_up(digits, out);
    true
}

/// What is not of the alphabet is passed over; a last group that is not full gives the bytes it holds.
///
/// ModSecurity gives nothing for a value that ends in the middle of a group after its first digit, where the next byte is `=`
/// or the digit is `9` (its code is that of `=`): kept, as rules may have been written against it.
pub fn decode_ext(input: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let mut seen = 0usize;
    let mut rest = input;
    let mut refused = false;
    let digits = std::iter::from_fn(|| {
        while let [byte, tail @ ..] = rest {
            rest = tail;
            let value = value(*byte);
            if value == END && seen % 4 == 1 && tail.first() != Some(&b'=') {
                refused = true;
                return None;
            }
            if value < END {
                seen += 1;
                return Some(value);
            }
        }
        None
    });
    group_up(digits, out);
    if refused || (seen % 4 == 1 && matches!(input.last(), Some(b'=' | b'9'))) {
        out.truncate(before);
    }
    true
}

/// Bytes from digits; a last group of two gives one byte, of three two.
fn group_up(digits: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let (mut group, mut held) = (0u32, 0u8);
    for digit in digits {
        group = group << 6 | u32::from(digit);
        held += 1;
        if held == 4 {
            let [_, bytes @ ..] = group.to_be_bytes();
            out.extend_from_slice(&bytes);
            (group, held) = (0, 0);
        }
    }
    match held {
        2 => out.push((group >> 4) as u8),
        3 => out.extend_from_slice(&((group >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

const fn value(byte: u8) -> u8 {
    VALUES[byte as usize]
}

fn pack(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d)
}

/// With padding, in one line.
pub fn encode(input: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    out.resize(before + input.len().div_ceil(3) * 4, 0);
    let space = out.get_mut(before..).unwrap_or_default();
    // The space is as long as the text: padding fills every group.
    STANDARD.encode_slice(input, space).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(transform: fn(&[u8], &mut Vec<u8>) -> bool, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        transform(input, &mut out);
        out
    }

    #[test]
    fn decoding_ends_at_the_first_strange_byte() {
        assert_eq!(run(decode, b"VGVzdA=="), b"Test");
        assert_eq!(run(decode, b"VGVzdA"), b"Test");
        assert_eq!(run(decode, b"VGV!zdA="), b"Te");
        assert_eq!(run(decode, b"VG\r\nVz\ndA="), b"Test");
        assert_eq!(run(decode, b"VGVzdA==VGVzdA=="), b"Test");
        assert_eq!(run(decode, b"V"), b"");
        assert_eq!(run(decode, b"!VGVzdA"), b"");
    }

    #[test]
    fn the_forgiving_one_passes_over_what_is_strange() {
        assert_eq!(run(decode_ext, b"V.G-V z\0dA=="), b"Test");
        assert_eq!(run(decode_ext, b"VGVzdA==VGVzdA"), b"Test\x05FW7@");
        assert_eq!(run(decode_ext, b"VGVzd="), b"");
        assert_eq!(run(decode_ext, b"VGVz9"), b"");
        assert_eq!(run(decode_ext, b"VGVz8"), b"Tes");
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(input: Vec<u8>) {
            let encoded = run(encode, &input);
            prop_assert_eq!(encoded.len(), input.len().div_ceil(3) * 4);
            prop_assert_eq!(&run(decode, &encoded), &input);
            prop_assert_eq!(&run(decode_ext, &encoded), &input);
        }
    }
}
