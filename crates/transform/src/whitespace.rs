//! White space: `compressWhitespace`, `removeWhitespace`, `trim`, `trimLeft`, `trimRight`.
//!
//! White space is what `isspace` of C says: space, `\t`, `\n`, `\v`, `\f`, `\r`. Only `removeWhitespace` also takes the
//! no-break space, and the byte that UTF-8 puts before it, for such.

use crate::bytes::{is_space, within};

/// One space for each run of white space.
pub fn compress(input: &[u8], out: &mut Vec<u8>) -> bool {
    within(input, out, |input, room| {
        let (mut len, mut after_space) = (0, false);
        for &byte in input {
            let space = is_space(byte);
            if let Some(place) = room.get_mut(len) {
                *place = if space { b' ' } else { byte };
            }
            len += usize::from(!(space & after_space));
            after_space = space;
        }
        len
    })
}

/// Nothing for white space, and for the bytes 0xA0 and 0xC2.
pub fn remove(input: &[u8], out: &mut Vec<u8>) -> bool {
    within(input, out, |input, room| {
        let mut len = 0;
        for &byte in input {
            if let Some(place) = room.get_mut(len) {
                *place = byte;
            }
            len += usize::from(!(is_space(byte) | (byte == 0xa0) | (byte == 0xc2)));
        }
        len
    })
}

/// No white space on the left, on the right, or on either side.
pub fn trim(input: &[u8], out: &mut Vec<u8>, left: bool, right: bool) -> bool {
    let mut rest = input;
    while let [first, tail @ ..] = rest
        && left
        && is_space(*first)
    {
        rest = tail;
    }
    while let [head @ .., last] = rest
        && right
        && is_space(*last)
    {
        rest = head;
    }
    if rest.len() == input.len() {
        return false;
    }
    out.extend_from_slice(rest);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_white_space_is_one_space() {
        let mut out = Vec::new();
        compress(b"\t a\r\n\x0b\x0c b \xa0 c\n", &mut out);
        assert_eq!(out, b" a b \xa0 c ");
    }

    #[test]
    fn white_space_goes() {
        let mut out = Vec::new();
        remove(b" a\t\n\r\x0b\x0c\xc2\xa0b c", &mut out);
        assert_eq!(out, b"abc");
    }

    #[test]
    fn white_space_at_the_sides_goes() {
        let trimmed = |left, right| {
            let mut out = Vec::new();
            trim(b" \na b\t ", &mut out, left, right).then_some(out).unwrap()
        };
        assert_eq!(trimmed(true, true), b"a b");
        assert_eq!(trimmed(true, false), b"a b\t ");
        assert_eq!(trimmed(false, true), b" \na b");
        assert!(!trim(b"a b", &mut Vec::new(), true, true));
    }
}
