//! Tokens of SQL and their kinds.

/// The longest text a token keeps, in bytes; the rest of a longer one is read over.
pub const TEXT_MAX: usize = 31;

/// What a token is. Its value is the letter libinjection writes into fingerprints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    Keyword = b'k',
    Union = b'U',
    /// `GROUP BY`, `LIMIT`, `HAVING`: what closes a query.
    Group = b'B',
    /// `SELECT`, `INSERT`: what begins one.
    Expression = b'E',
    SqlType = b't',
    Function = b'f',
    Bareword = b'n',
    Number = b'1',
    Variable = b'v',
    Text = b's',
    Operator = b'o',
    Logic = b'&',
    Comment = b'c',
    Collate = b'A',
    LeftParenthesis = b'(',
    RightParenthesis = b')',
    LeftBrace = b'{',
    RightBrace = b'}',
    Dot = b'.',
    Comma = b',',
    Colon = b':',
    Semicolon = b';',
    /// What only Transact-SQL begins a statement with.
    Tsql = b'T',
    Unknown = b'?',
    /// What databases read so differently that nobody sends it in good faith.
    Evil = b'X',
    Backslash = b'\\',
}

/// The quotation a value stands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quote {
    /// None: the value is read as it is.
    None,
    /// `'`
    Single,
    /// `"`
    Double,
}

/// One token. It is made by [`Token::new`], which cuts the text.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub kind: Kind,
    /// The mark that opened a string; 0 if none did, or if it is no string.
    pub open: u8,
    /// The mark that closed a string; 0 if the value ended first.
    pub close: u8,
    /// The text without the marks around it, cut off after [`TEXT_MAX`] bytes.
    pub text: &'a [u8],
}

impl<'a> Token<'a> {
    /// A token without quotation marks.
    #[inline]
    pub fn new(kind: Kind, text: &'a [u8]) -> Self {
        Token { kind, open: 0, close: 0, text: text.get(..TEXT_MAX).unwrap_or(text) }
    }

    /// The first byte of the text; 0 if it is empty.
    #[inline]
    pub fn first(&self) -> u8 {
        self.text.first().copied().unwrap_or(0)
    }

    /// Whether the text is this word, in whatever case.
    #[inline]
    pub fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether it stands before an operand, such as `-`, `!` and `NOT`.
    pub fn is_unary(&self) -> bool {
        self.kind == Kind::Operator
            && match self.text {
                [b'+' | b'-' | b'!' | b'~'] | b"!!" => true,
                [_, _, _] => self.is("NOT"),
                _ => false,
            }
    }

    /// Whether it is one of `* / - + %`.
    pub fn is_arithmetic(&self) -> bool {
        self.kind == Kind::Operator && matches!(self.text, [b'*' | b'/' | b'-' | b'+' | b'%'])
    }
}
