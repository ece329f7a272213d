//! Whether a known fingerprint is an attack after all: short ones are those of plain text, too.
//!
//! libinjection's `libinjection_sqli_not_whitelist`.

use memchr::memmem;

use super::fingerprint::Fingerprint;
use super::fold::Folded;
use super::token::Kind;

impl Folded<'_> {
    /// The fingerprint, if it is known and nothing speaks for plain text. `value` is what was read.
    pub fn attack(&self, value: &[u8]) -> Option<Fingerprint> {
        let fingerprint = self.fingerprint();
        if !fingerprint.is_known() {
            return None;
        }
        let attack = match fingerprint.as_bytes() {
            // SQL Server keeps what holds this word out of its audit log.
            [_, .., b'c'] if memmem::find(value, b"sp_password").is_some() => true,
            [first, second] => self.two_are_attack(*first, *second, value),
            [first, second, third] => self.three_are_attack([*first, *second, *third]),
            _ => true,
        };
        attack.then_some(fingerprint)
    }

    fn two_are_attack(&self, first: u8, second: u8, value: &[u8]) -> bool {
        let comment = self.token(1);
        match (first, second, comment.first()) {
            // "1 union" is plain text, but not if there was more that was folded away.
            (_, b'U', _) => self.tokens_read() != 2,
            (_, _, b'#') => false,
            (b'n', b'c', mark) if mark != b'/' => false,
            (b'1', b'c', b'/') => true,
            (b'1', b'c', _) => self.tokens_read() > 2 || self.number_ends_well(value),
            // Many write -- in plain text; at the end of a value it is an attack.
            (_, _, b'-') => comment.text.len() <= 2,
            _ => true,
        }
    }

    /// Whether the number before a comment is one, and not the start of something like `1234-ABCDEF--`. Looks at the
    /// value's start, as the number stands there unless white space does.
    fn number_ends_well(&self, value: &[u8]) -> bool {
        match value.get(self.token(0).text.len()..) {
            Some([b'/', b'*', ..] | [b'-', b'-', ..] | []) => true,
            // Bytes beyond ASCII are negative numbers in C.
            Some([byte, ..]) => *byte <= b' ' || !byte.is_ascii(),
            None => false,
        }
    }

    fn three_are_attack(&self, letters: [u8; 3]) -> bool {
        let (first, second, third) = (self.token(0), self.token(1), self.token(2));
        match &letters {
            // …a' + 'b…: the quotes around the value are missing.
            b"sos" | b"s&s" => first.open == 0 && third.close == 0 && first.close == third.open,
            // "sexy and 17" is plain text, "sexy and 17<18" is not.
            b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" => self.tokens_read() != 3,
            // Only INTO OUTFILE and INTO DUMPFILE do harm.
            _ if second.kind == Kind::Keyword => {
                second.text.len() >= 5
                    && second.text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"INTO"))
            }
            _ => true,
        }
    }
}
