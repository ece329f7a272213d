//! Cuts a value into tokens of SQL, one byte of each deciding how the token is read.

use memchr::{memchr, memmem};

use super::class::{self, MONEY, TAG, VARIABLE_END, WHITE, WORD_END, WORD_PART};
use super::token::{Kind, Quote, TEXT_MAX, Token};
use super::words;

/// Whose SQL: the two differ in what begins a comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `--` begins a comment, `#` is an operator.
    Ansi,
    /// `#` begins a comment, `--` only before white space.
    MySql,
}

/// Reads one token after the other.
#[derive(Clone, Debug)]
pub struct Tokenizer<'a> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
    quote: Quote,
    dialect: Dialect,
    /// How many tokens were read.
    pub count: u32,
    /// Whether a `#` or a `--` was met that the other dialect reads differently.
    pub dialects_differ: bool,
}

/// How the token is read that begins with a byte.
#[derive(Clone, Copy)]
enum Start {
    White,
    Word,
    Number,
    Quote,
    Single,
    Operator,
    Operators,
    Unknown,
    Hash,
    Dash,
    Slash,
    Backslash,
    Bracket,
    Backtick,
    At,
    Dollar,
    Bits,
    Hex,
    Escaped,
    Unicode,
    Oracle,
    National,
}

static STARTS: [Start; 256] = {
    let mut starts = [Start::Word; 256];
    let mut byte = 0;
    while byte < 256 {
        starts[byte] = match byte as u8 {
            0..=32 | 127 | 160 => Start::White,
            b'0'..=b'9' | b'.' => Start::Number,
            b'\'' | b'"' => Start::Quote,
            b'(' | b')' | b',' | b';' | b'{' | b'}' => Start::Single,
            b'%' | b'+' | b'^' | b'~' => Start::Operator,
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => Start::Operators,
            b'?' | b']' => Start::Unknown,
            b'#' => Start::Hash,
            b'-' => Start::Dash,
            b'/' => Start::Slash,
            b'\\' => Start::Backslash,
            b'[' => Start::Bracket,
            b'`' => Start::Backtick,
            b'@' => Start::At,
            b'$' => Start::Dollar,
            b'B' | b'b' => Start::Bits,
            b'X' | b'x' => Start::Hex,
            b'E' | b'e' => Start::Escaped,
            b'U' | b'u' => Start::Unicode,
            b'Q' | b'q' => Start::Oracle,
            b'N' | b'n' => Start::National,
            _ => Start::Word,
        };
        byte += 1;
    }
    starts
};

impl<'a> Tokenizer<'a> {
    pub fn new(input: &'a [u8], quote: Quote, dialect: Dialect) -> Self {
        Tokenizer { input, at: 0, quote, dialect, count: 0, dialects_differ: false }
    }

    /// The next token, or nothing at the end of the value.
    #[inline]
    pub fn next(&mut self) -> Option<Token<'a>> {
        let token = match self.quote {
            Quote::None => self.read()?,
            _ if self.at > 0 => self.read()?,
            _ if self.input.is_empty() => return None,
            // The value goes on with a string that something before it has opened.
            Quote::Single => self.string(b'\'', 0),
            Quote::Double => self.string(b'"', 0),
        };
        self.count += 1;
        Some(token)
    }

    fn read(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = self.byte(0)?;
            return Some(match STARTS[usize::from(byte)] {
                Start::White => {
                    self.at += 1;
                    continue;
                }
                Start::Word => self.word(),
                Start::Number => self.number(),
                Start::Quote => self.string(byte, 1),
                Start::Single => self.take(single(byte), 1),
                Start::Operator => self.take(Kind::Operator, 1),
                Start::Operators => self.operator(),
                Start::Unknown => self.take(Kind::Unknown, 1),
                Start::Hash => self.hash(),
                Start::Dash => self.dash(),
                Start::Slash => self.slash(),
                Start::Backslash if self.byte(1) == Some(b'N') => self.take(Kind::Number, 2),
                Start::Backslash => self.take(Kind::Backslash, 1),
                Start::Bracket => self.bracketed(),
                Start::Backtick => self.backticked(),
                Start::At => self.variable(),
                Start::Dollar => self.dollar(),
                Start::Bits => self.digits_in_quotes(class::BINARY),
                Start::Hex => self.digits_in_quotes(class::HEX),
                Start::Escaped => self.escaped(),
                Start::Unicode => self.unicode(),
                Start::Oracle => self.oracle(0),
                Start::National if self.byte(1) == Some(b'\'') => self.escaped(),
                Start::National => self.oracle(1),
            });
        }
    }

    /// The byte so many after the current one.
    #[inline]
    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        self.input.get(self.at + ahead).copied()
    }

    /// What is left to read.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.after(0)
    }

    /// What is left after so many bytes; nothing beyond the end.
    #[inline]
    pub(super) fn after(&self, ahead: usize) -> &'a [u8] {
        self.input.get(self.at + ahead..).unwrap_or_default()
    }

    /// Reads so many bytes as one token.
    #[inline]
    pub(super) fn take(&mut self, kind: Kind, len: usize) -> Token<'a> {
        let rest = self.rest();
        self.at += len;
        Token::new(kind, rest.get(..len).unwrap_or(rest))
    }

    /// A word: a keyword or, unless the table knows it, a bareword.
    ///
    /// `SELECT.1` and ``SELECT`a` `` are a keyword and more, but `sys.fn` is one word: a part counts as soon as it
    /// means something. libinjection looks for the end of the word before that, over and over; here only as far as a
    /// token's text goes.
    pub(super) fn word(&mut self) -> Token<'a> {
        let rest = self.rest();
        let mut len = class::span_until(rest, WORD_END | WORD_PART);
        while let Some(&byte) = rest.get(len)
            && class::is(byte, WORD_PART)
        {
            if len < TEXT_MAX
                && let Some(kind) = words::kind(rest.get(..len).unwrap_or_default())
                && kind != Kind::Bareword
            {
                return self.take(kind, len);
            }
            len += 1;
            len += class::span_until(rest.get(len..).unwrap_or_default(), WORD_END | WORD_PART);
        }
        let text = rest.get(..len).unwrap_or(rest);
        let known = if len <= TEXT_MAX { words::kind(text) } else { None };
        self.take(known.unwrap_or(Kind::Bareword), len)
    }

    fn operator(&mut self) -> Token<'a> {
        match *self.rest() {
            [b'<', b'=', b'>', ..] => self.take(Kind::Operator, 3),
            [first, second, ..] => match (words::kind(&[first, second]), first) {
                (Some(kind), _) => self.take(kind, 2),
                (None, b':') => self.take(Kind::Colon, 1),
                (None, _) => self.take(Kind::Operator, 1),
            },
            // The last byte of the value, and that even if it is a colon.
            _ => self.take(Kind::Operator, 1),
        }
    }

    fn hash(&mut self) -> Token<'a> {
        self.dialects_differ = true;
        match self.dialect {
            Dialect::Ansi => self.take(Kind::Operator, 1),
            Dialect::MySql => self.comment_to_end_of_line(),
        }
    }

    fn dash(&mut self) -> Token<'a> {
        match *self.rest() {
            [_, b'-'] => self.comment_to_end_of_line(),
            [_, b'-', next, ..] if class::is(next, WHITE) => self.comment_to_end_of_line(),
            [_, b'-', ..] if self.dialect == Dialect::Ansi => {
                self.dialects_differ = true;
                self.comment_to_end_of_line()
            }
            _ => self.take(Kind::Operator, 1),
        }
    }

    fn comment_to_end_of_line(&mut self) -> Token<'a> {
        let rest = self.rest();
        let len = memchr(b'\n', rest).unwrap_or(rest.len());
        let token = self.take(Kind::Comment, len);
        self.at += 1;
        token
    }

    /// A division, or a comment `/*…*/`. One within another (PostgreSQL) and `/*!…*/` (MySQL, which runs it) are evil.
    fn slash(&mut self) -> Token<'a> {
        let Some(inside) = self.rest().strip_prefix(b"/*") else {
            return self.take(Kind::Operator, 1);
        };
        let end = memmem::find(inside, b"*/");
        // The star of the closing `*/` may open the inner comment: `/*/*/`.
        let nested = end
            .and_then(|end| inside.get(..=end))
            .is_some_and(|inside| memmem::find(inside, b"/*").is_some());
        let kind = if nested || inside.first() == Some(&b'!') { Kind::Evil } else { Kind::Comment };
        self.take(kind, end.map_or(inside.len(), |end| end + 2) + 2)
    }

    /// `@name`, `@@name`; the name may be quoted.
    fn variable(&mut self) -> Token<'a> {
        self.at += if self.byte(1) == Some(b'@') { 2 } else { 1 };
        let token = match self.byte(0) {
            Some(b'`') => self.backticked(),
            Some(quote @ (b'\'' | b'"')) => self.string(quote, 1),
            _ => self.take(Kind::Variable, class::span_until(self.rest(), VARIABLE_END)),
        };
        Token { kind: Kind::Variable, ..token }
    }

    /// An amount of money, a dollar-quoted string, or a bareword of one `$`.
    fn dollar(&mut self) -> Token<'a> {
        let amount = class::span(self.after(1), MONEY);
        match (amount, self.byte(1)) {
            (_, None) => self.take(Kind::Bareword, 1),
            (0, Some(b'$')) => self.dollar_quoted(2),
            (0, _) => {
                let tag = class::span(self.after(1), TAG);
                match self.byte(tag + 1) {
                    Some(b'$') if tag > 0 => self.dollar_quoted(tag + 2),
                    _ => self.take(Kind::Bareword, 1),
                }
            }
            (1, Some(b'.')) => self.word(),
            _ => self.take(Kind::Number, amount + 1),
        }
    }
}

fn single(byte: u8) -> Kind {
    match byte {
        b'(' => Kind::LeftParenthesis,
        b')' => Kind::RightParenthesis,
        b',' => Kind::Comma,
        b';' => Kind::Semicolon,
        b'{' => Kind::LeftBrace,
        _ => Kind::RightBrace,
    }
}
