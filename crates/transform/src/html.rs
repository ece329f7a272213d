//! Character references of HTML, as `htmlEntityDecode` knows them.
//!
//! Numbers may have any number of digits, as in ModSecurity 2 and 3 up to 3.0.12, and only their lowest byte counts: later
//! releases read two or three digits and so miss `&#x003c;`.

use crate::bytes::{digit, rewrite};

/// The names that are known, in either case.
const NAMES: [(&[u8], u8); 5] =
    [(b"quot", b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xa0)];

/// `&#DD;`, `&#xHH;` and five names become a byte, with or without `;`.
pub fn decode(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(
        input,
        out,
        |rest| memchr::memchr(b'&', rest),
        |reference, out| {
            let (byte, read) = match reference {
                [_, b'#', b'x' | b'X', digits @ ..] => number(digits, 3, 16),
                [_, b'#', digits @ ..] => number(digits, 2, 10),
                [_, name @ ..] => named(name),
                [] => None,
            }
            .unwrap_or((b'&', 0));
            out.push(byte);
            match (read, reference.get(read)) {
                (0, _) => 1,
                (_, Some(b';')) => read + 1,
                _ => read,
            }
        },
    )
}

/// The byte, and how much of the reference is read, before the `;`.
fn number(digits: &[u8], before: usize, radix: u8) -> Option<(u8, usize)> {
    let len = digits.iter().take_while(|&&b| char::from(b).is_digit(u32::from(radix))).count();
    let digits = digits.get(..len).filter(|digits| !digits.is_empty())?;
    // `strtol` stops at the largest number there is, whose lowest byte is 255.
    let value = digits
        .iter()
        .try_fold(0i64, |value, &b| value.checked_mul(i64::from(radix))?.checked_add(i64::from(digit(b))));
    let [lowest, ..] = value.unwrap_or(i64::MAX).to_le_bytes();
    Some((lowest, before + len))
}

fn named(name: &[u8]) -> Option<(u8, usize)> {
    // No name is longer than four letters, so five tell.
    let len = name.iter().take(5).take_while(|b| b.is_ascii_alphanumeric()).count();
    let name = name.get(..len)?;
    let &(_, byte) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some((byte, 1 + len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> String {
        let mut out = Vec::new();
        if decode(text.as_bytes(), &mut out) {
            out.into_iter().map(char::from).collect()
        } else {
            text.to_owned()
        }
    }

    #[test]
    fn references_become_bytes() {
        assert_eq!(decoded("&lt;a&GT b&quot;&Amp;lt;&nbsp;"), "<a> b\"&lt;\u{a0}");
        assert_eq!(decoded("&#60&#x3C;&#0000060;&#x00003c;"), "<<<<");
        assert_eq!(decoded("&#316;&#x13c;"), "<<");
        assert_eq!(decoded("&#99999999999999999999999;"), "\u{ff}");
    }

    #[test]
    fn what_is_no_reference_stays() {
        for text in ["&", "&&", "&#", "&#;", "&#x", "&#xg", "&ltx;", "&colon;", "a=1&b=2", "&;"] {
            assert_eq!(decoded(text), text);
        }
        assert_eq!(decoded("&#x&lt;&#&gt;"), "&#x<&#>");
    }
}
