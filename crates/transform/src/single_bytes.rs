//! What looks at each byte alone: letters' case, NUL, parity.

/// Small letters, of ASCII.
pub fn lowercase(input: &[u8], out: &mut Vec<u8>) -> bool {
    map(input, out, |b| b.to_ascii_lowercase())
}

/// Capital letters, of ASCII.
pub fn uppercase(input: &[u8], out: &mut Vec<u8>) -> bool {
    map(input, out, |b| b.to_ascii_uppercase())
}

/// Nothing for NUL.
pub fn remove_nulls(input: &[u8], out: &mut Vec<u8>) -> bool {
    crate::bytes::rewrite(input, out, |rest| memchr::memchr(0, rest), |_, _| 1)
}

/// A space for NUL.
pub fn replace_nulls(input: &[u8], out: &mut Vec<u8>) -> bool {
    map(input, out, |b| if b == 0 { b' ' } else { b })
}

/// The highest bit such that the number of bits is even.
pub const fn parity_even(byte: u8) -> u8 {
    let seven = byte & 0x7f;
    // The highest bit counts too when ModSecurity reckons the parity, and is then set or cleared.
    if !byte.count_ones().is_multiple_of(2) { seven | 0x80 } else { seven }
}

/// The highest bit such that the number of bits is odd.
pub const fn parity_odd(byte: u8) -> u8 {
    let seven = byte & 0x7f;
    if byte.count_ones().is_multiple_of(2) { seven | 0x80 } else { seven }
}

/// The highest bit cleared.
pub const fn parity_zero(byte: u8) -> u8 {
    byte & 0x7f
}

/// Each byte by itself.
pub fn map(input: &[u8], out: &mut Vec<u8>, one: impl Fn(u8) -> u8) -> bool {
    out.extend(input.iter().map(|&b| one(b)));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_changed_by_itself() {
        let run = |transform: fn(&[u8], &mut Vec<u8>) -> bool| {
            let mut out = Vec::new();
            transform(b"aZ\0\xc4", &mut out);
            out
        };
        assert_eq!(run(lowercase), b"az\0\xc4");
        assert_eq!(run(uppercase), b"AZ\0\xc4");
        assert_eq!(run(remove_nulls), b"aZ\xc4");
        assert_eq!(run(replace_nulls), b"aZ \xc4");
    }

    #[test]
    fn parity_counts_the_bits_as_they_come() {
        assert_eq!([parity_even(0x41), parity_even(0x43), parity_even(0xc1)], [0x41, 0xc3, 0xc1]);
        assert_eq!([parity_odd(0x41), parity_odd(0x43), parity_odd(0xc1)], [0xc1, 0x43, 0x41]);
        assert_eq!(parity_zero(0xc1), 0x41);
    }
}
