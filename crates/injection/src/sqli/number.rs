//! Numbers, and what only looks like one.

use super::class::{self, BINARY, DIGIT, HEX, WHITE};
use super::token::{Kind, Token};
use super::tokenizer::Tokenizer;

impl<'a> Tokenizer<'a> {
    /// `0x1f`, `0b01`, `12`, `1.5`, `1e-3`, `1.5f`; alone, a `.` is a dot, and `1e` and `0x` are barewords.
    pub(super) fn number(&mut self) -> Token<'a> {
        let rest = self.rest();
        if let [b'0', base @ (b'x' | b'X' | b'b' | b'B'), digits @ ..] = rest {
            let class = if base.eq_ignore_ascii_case(&b'x') { HEX } else { BINARY };
            return match class::span(digits, class) {
                0 => self.take(Kind::Bareword, 2),
                len => self.take(Kind::Number, len + 2),
            };
        }
        let digits = |from| class::span(rest.get(from..).unwrap_or_default(), DIGIT);
        let mut len = digits(0);
        if rest.get(len) == Some(&b'.') {
            len += 1;
            len += digits(len);
            if len == 1 {
                return self.take(Kind::Dot, 1);
            }
        }
        let mut kind = Kind::Number;
        if let Some(b'e' | b'E') = rest.get(len) {
            len += 1;
            len += usize::from(matches!(rest.get(len), Some(b'+' | b'-')));
            let exponent = digits(len);
            len += exponent;
            if exponent == 0 {
                kind = Kind::Bareword;
            }
        }
        // Oracle's suffix of floating point numbers. `1fUNION` is one and a keyword, `1FROM` is a number and a keyword.
        if let Some([b'd' | b'D' | b'f' | b'F', after @ ..]) = rest.get(len..) {
            match after.first() {
                None | Some(b';' | b'u' | b'U') => len += 1,
                Some(&byte) if class::is(byte, WHITE) => len += 1,
                Some(_) => {}
            }
        }
        self.take(kind, len)
    }
}
