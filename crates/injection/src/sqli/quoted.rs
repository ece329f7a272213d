//! What stands between marks: strings of all databases, quoted names, literals of bits.

use memchr::{memchr, memmem};

use super::class;
use super::token::{Kind, Token};
use super::tokenizer::Tokenizer;
use super::words;

impl<'a> Tokenizer<'a> {
    /// A string that begins after so many bytes, up to the mark. A backslash or a second mark keeps it going. With 0
    /// bytes before it, nothing in the value has opened it.
    pub(super) fn string(&mut self, mark: u8, before: usize) -> Token<'a> {
        let text = self.after(before);
        let open = if before > 0 { mark } else { 0 };
        let mut from = 0;
        while let Some(found) = text.get(from..).and_then(|rest| memchr(mark, rest)) {
            let end = from + found;
            // A run of backslashes ends at the mark it stands before, so each byte is looked at once.
            let inside = text.get(..end).unwrap_or_default();
            let backslashes = inside.iter().rev().take_while(|byte| **byte == b'\\').count();
            if backslashes % 2 == 1 {
                from = end + 1;
            } else if text.get(end + 1) == Some(&mark) {
                from = end + 2;
            } else {
                self.at += before + end + 1;
                return Token { open, close: mark, ..Token::new(Kind::Text, inside) };
            }
        }
        self.at = self.input.len();
        Token { open, ..Token::new(Kind::Text, text) }
    }

    /// A string that begins after so many bytes and ends with these. It may lack its end.
    fn string_until(&mut self, before: usize, end: &[u8], mark: u8) -> Token<'a> {
        let text = self.after(before);
        match memmem::find(text, end) {
            Some(len) => {
                self.at += before + len + end.len();
                Token { open: mark, close: mark, ..Token::new(Kind::Text, text.get(..len).unwrap_or(text)) }
            }
            None => {
                self.at = self.input.len();
                Token { open: mark, ..Token::new(Kind::Text, text) }
            }
        }
    }

    /// `E'…'` of PostgreSQL, `N'…'` of MySQL.
    pub(super) fn escaped(&mut self) -> Token<'a> {
        match *self.rest() {
            [_, b'\'', _, ..] => self.string(b'\'', 2),
            _ => self.word(),
        }
    }

    /// `U&'…'`
    pub(super) fn unicode(&mut self) -> Token<'a> {
        if !matches!(*self.rest(), [_, b'&', b'\'', ..]) {
            return self.word();
        }
        let token = self.string(b'\'', 3);
        Token { open: b'u', close: if token.close == b'\'' { b'u' } else { token.close }, ..token }
    }

    /// `q'[…]'` of Oracle, and `nq'[…]'` with one byte before it; the brackets may be any byte but white space.
    pub(super) fn oracle(&mut self, before: usize) -> Token<'a> {
        let close = match *self.after(before) {
            [b'q' | b'Q', b'\'', b'(', ..] => b')',
            [b'q' | b'Q', b'\'', b'[', ..] => b']',
            [b'q' | b'Q', b'\'', b'{', ..] => b'}',
            [b'q' | b'Q', b'\'', b'<', ..] => b'>',
            [b'q' | b'Q', b'\'', mark @ 33..=127, ..] => mark,
            _ => return self.word(),
        };
        self.string_until(before + 3, &[close, b'\''], b'q')
    }

    /// `$$…$$` or `$tag$…$tag$` of PostgreSQL; `mark` is the length of the opening one.
    pub(super) fn dollar_quoted(&mut self, mark: usize) -> Token<'a> {
        let end = self.rest().get(..mark).unwrap_or_default();
        self.string_until(mark, end, b'$')
    }

    /// `b'01'` and `x'1f'`: numbers, if all is digits.
    pub(super) fn digits_in_quotes(&mut self, digits: u16) -> Token<'a> {
        if self.byte(1) != Some(b'\'') {
            return self.word();
        }
        let len = class::span(self.after(2), digits);
        match self.byte(2 + len) {
            Some(b'\'') => self.take(Kind::Number, len + 3),
            _ => self.word(),
        }
    }

    /// A name in the brackets of SQL Server.
    pub(super) fn bracketed(&mut self) -> Token<'a> {
        let rest = self.rest();
        let len = memchr(b']', rest).map_or(rest.len(), |end| end + 1);
        self.take(Kind::Bareword, len)
    }

    /// A name in the backticks of MySQL: a bareword, unless it is a function's.
    pub(super) fn backticked(&mut self) -> Token<'a> {
        let token = self.string(b'`', 1);
        let function = words::kind(token.text) == Some(Kind::Function);
        Token { kind: if function { Kind::Function } else { Kind::Bareword }, ..token }
    }
}
