//! Arguments of a query or of a urlencoded body, as ModSecurity 3 splits and decodes them
//! (`Transaction::extractArguments`, `urldecode_nonstrict_inplace`).

use std::borrow::Cow;

/// How arguments were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Read {
    /// Whether a `%` stood before something that is no byte: `URLENCODED_ERROR`.
    pub has_bad_encoding: bool,
    /// Whether there are more than were read.
    pub is_cut: bool,
}

/// Gives at most `max` names and values, decoded once. Between two separators is an argument, even an empty one; behind
/// the last one there is none. What is no encoding stays as it is.
pub fn arguments(text: &[u8], separator: u8, max: usize, sink: &mut dyn FnMut(&[u8], &[u8])) -> Read {
    let mut read = Read::default();
    if text.is_empty() {
        return read;
    }
    let text = text.strip_suffix(&[separator]).unwrap_or(text);
    let (mut name_decoded, mut value_decoded) = (Vec::new(), Vec::new());
    for (index, pair) in text.split(|&byte| byte == separator).enumerate() {
        if index == max {
            read.is_cut = true;
            break;
        }
        let (name, value) = match memchr::memchr(b'=', pair) {
            Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
            None => (pair, &b""[..]),
        };
        let name = decoded(name, &mut name_decoded, &mut read.has_bad_encoding);
        let value = decoded(value, &mut value_decoded, &mut read.has_bad_encoding);
        sink(name, value);
    }
    read
}

/// `text` with `%XX` and `+` undone, in `room` where that changes anything.
fn decoded<'a>(text: &'a [u8], room: &'a mut Vec<u8>, is_bad: &mut bool) -> &'a [u8] {
    let Some(first) = memchr::memchr2(b'%', b'+', text) else { return text };
    room.clear();
    let (plain, mut rest) = text.split_at_checked(first).unwrap_or_default();
    room.extend_from_slice(plain);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => room.push(b' '),
            b'%' => match byte_of(after) {
                Some(decoded) => {
                    room.push(decoded);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => {
                    room.push(b'%');
                    *is_bad = true;
                }
            },
            _ => room.push(byte),
        }
    }
    room
}

/// `text` with `%XX` undone, as ModSecurity 3 does to a path (`uri_decode`) and Apache before ModSecurity 2 sees it.
pub fn path_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'%', text) else { return Cow::Borrowed(text) };
    let (plain, mut rest) = text.split_at_checked(first).unwrap_or_default();
    let mut decoded = plain.to_vec();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte_of(after).filter(|_| byte == b'%') {
            Some(byte) => {
                decoded.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => decoded.push(byte),
        }
    }
    Cow::Owned(decoded)
}

/// The byte that the first two characters write in hexadecimal.
fn byte_of(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Read) {
        let mut all = Vec::new();
        let read = arguments(text.as_bytes(), b'&', 5, &mut |name, value| {
            all.push(format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
        });
        (all, read)
    }

    #[test]
    fn arguments_are_split_and_decoded_once() {
        assert_eq!(read("a=1&b%3D=%2525+x&c&=d=e").0, ["a=1", "b==%25 x", "c=", "=d=e"]);
        assert_eq!(read("").0, [""; 0]);
    }

    #[test]
    fn an_empty_argument_is_one_but_not_behind_the_last_separator() {
        assert_eq!(read("a&&b&").0, ["a=", "=", "b="]);
        assert_eq!(read("&").0, ["="]);
    }

    #[test]
    fn what_is_no_encoding_stays_and_is_told() {
        for text in ["a=%4", "a=%zz", "a=%", "%=b"] {
            assert!(read(text).1.has_bad_encoding, "{text}");
        }
        assert_eq!(read("a=%4&b=%2g%41").0, ["a=%4", "b=%2gA"]);
        assert!(!read("a=%41+").1.has_bad_encoding);
    }

    #[test]
    fn a_path_is_decoded_once_and_keeps_its_plus() {
        assert_eq!(*path_decoded(b"/a%2Fb%252e+%zz%4"), *b"/a/b%2e+%zz%4");
        assert_eq!(*path_decoded(b"/plain"), *b"/plain");
    }

    #[test]
    fn no_more_than_the_limit_are_read() {
        assert_eq!(
            read("a&b&c&d&e"),
            (["a=", "b=", "c=", "d=", "e="].map(Into::into).into(), Read::default())
        );
        assert!(read("a&b&c&d&e&f").1.is_cut);
    }
}
