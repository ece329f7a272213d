//! What stands for a whole value: its digest or its length.

use md5::{Digest, Md5};
use sha1::Sha1;

/// MD5 (RFC 1321), 16 bytes.
pub fn md5(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&Md5::digest(input));
    true
}

/// SHA-1 (FIPS 180-4), 20 bytes.
pub fn sha1(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&Sha1::digest(input));
    true
}

/// The number of bytes, in decimal.
pub fn length(input: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let mut rest = input.len();
    loop {
        // A remainder of ten is a digit.
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.get_mut(before..).unwrap_or_default().reverse();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_length_stand_for_the_value() {
        let run = |transform: fn(&[u8], &mut Vec<u8>) -> bool, input: &[u8]| {
            let mut out = b"before".to_vec();
            transform(input, &mut out);
            out.split_off(6)
        };
        assert_eq!(run(md5, b"").first_chunk(), Some(&[0xd4, 0x1d, 0x8c, 0xd9]));
        assert_eq!(run(sha1, b"abc").first_chunk(), Some(&[0xa9, 0x99, 0x3e, 0x36]));
        assert_eq!(run(length, b""), b"0");
        assert_eq!(run(length, &[b'a'; 1203]), b"1203");
    }
}
