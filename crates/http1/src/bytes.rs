//! Character classes, and how far a run of them goes.

pub(crate) const HTAB: u8 = b'\t';
pub(crate) const LF: u8 = b'\n';
pub(crate) const CR: u8 = b'\r';
pub(crate) const SP: u8 = b' ';
const DEL: u8 = 0x7f;

/// A set of bytes.
type Class = [bool; 256];

/// `tchar`, RFC 9110 5.6.2.
static TOKEN: Class = alphanumeric_and(b"!#$%&'*+-.^_`|~");
/// `unreserved`, RFC 3986 2.3.
static UNRESERVED: Class = alphanumeric_and(b"-._~");

const fn alphanumeric_and(marks: &[u8]) -> Class {
    let mut class = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < marks.len() {
        class[marks[index] as usize] = true;
        index += 1;
    }
    class
}

/// How many bytes at the start of `bytes` are in `class`. Four at a time, for one branch in four bytes.
#[inline]
fn run_of(class: &Class, bytes: &[u8]) -> usize {
    let is_in = |byte: &u8| class[*byte as usize];
    let (words, _) = bytes.as_chunks::<4>();
    let all_in = |word: &[u8; 4]| word.iter().fold(true, |all, byte| all & is_in(byte));
    let start = 4 * words.iter().take_while(|word| all_in(word)).count();
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| !is_in(byte)).unwrap_or(rest.len())
}

/// Whether `byte` may stand in a token.
#[inline]
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Whether `bytes` are one token.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && token_len(bytes) == bytes.len()
}

/// How many bytes at the start of `bytes` are of a token.
#[inline]
pub(crate) fn token_len(bytes: &[u8]) -> usize {
    run_of(&TOKEN, bytes)
}

/// Whether `bytes` are all unreserved.
#[inline]
pub(crate) fn is_unreserved(bytes: &[u8]) -> bool {
    run_of(&UNRESERVED, bytes) == bytes.len()
}

/// Whether `byte` is optional whitespace, RFC 9110 5.6.3.
#[inline]
pub(crate) fn is_ows(byte: u8) -> bool {
    byte == SP || byte == HTAB
}

/// How many bytes at the start of `bytes` may stand in a target: all but CTL, SP and DEL. More than RFC 3986 has,
/// since what a browser would never send is what a firewall must see.
#[inline]
pub(crate) fn target_len(bytes: &[u8]) -> usize {
    run_from::<0x21>(bytes)
}

/// How many bytes at the start of `bytes` may stand in a field's value: HTAB, SP, VCHAR and obs-text, RFC 9110 5.5.
#[inline]
pub(crate) fn value_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += run_from::<SP>(bytes.get(at..).unwrap_or_default());
        if bytes.get(at) != Some(&HTAB) {
            return at;
        }
        at += 1;
    }
}

/// `bytes` without optional whitespace at their ends.
pub(crate) fn trim_ows(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| !is_ows(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|&byte| !is_ows(byte)).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// How many bytes at the start of `bytes` are `FLOOR` or above and not DEL; `FLOOR` is at most 0x80.
///
/// Eight at a time ("Bit Twiddling Hacks", `hasless` and `haszero`): a subtraction borrows only upwards from a byte
/// that is truly below, so the lowest mark is always a true one.
#[inline]
fn run_from<const FLOOR: u8>(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let below = word.wrapping_sub(ONES * FLOOR as u64) & !word;
        let delete = word ^ (ONES * DEL as u64);
        let delete = delete.wrapping_sub(ONES) & !delete;
        let marks = (below | delete) & HIGH;
        if marks != 0 {
            return index * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + tail.iter().position(|&byte| byte < FLOOR || byte == DEL).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_has_the_characters_of_the_rfc_and_no_other() {
        let tokens: Vec<u8> = (0..=255).filter(|&byte| is_token_byte(byte)).collect();
        let expected: &[u8] =
            b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~";
        assert_eq!(tokens, expected);
    }

    proptest! {
        #[test]
        fn many_at_a_time_is_one_at_a_time(bytes: Vec<u8>) {
            let target = bytes.iter().position(|&byte| byte <= SP || byte == DEL).unwrap_or(bytes.len());
            prop_assert_eq!(target_len(&bytes), target);
            let token = bytes.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(token_len(&bytes), token);
            let in_value = |byte: u8| byte == HTAB || (byte >= SP && byte != DEL);
            let value = bytes.iter().position(|&byte| !in_value(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(value_len(&bytes), value);
        }

        #[test]
        fn printable_runs_end_where_they_end(clean in "[ -~\t\u{80}-\u{ff}]{0,40}", stop in prop::sample::select(b"\0\r\n\x1f\x7f".to_vec())) {
            let mut bytes = clean.into_bytes();
            let len = bytes.len();
            prop_assert_eq!(value_len(&bytes), len);
            bytes.push(stop);
            bytes.extend_from_slice(b"and more, and more");
            prop_assert_eq!(value_len(&bytes), len);
        }
    }
}
