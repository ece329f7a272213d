//! Folds the tokens of a value: what does not change the nature of a statement is dropped, so that `1+1` is a number,
//! `UNION ALL` one word and `((` one parenthesis, until the first five tokens are known.
//!
//! libinjection's `libinjection_sqli_fold`, rule by rule in its order. A fold within the list drops tokens from the
//! list's end, not from the place it looks at; fingerprints were learned that way, so it stays so here.

use super::fingerprint::{Fingerprint, TOKENS_MAX};
use super::token::{Kind, Quote, Token};
use super::tokenizer::{Dialect, Tokenizer};
use super::{words, work};

/// Words that are a function's name if a parenthesis follows, and else a column's or a variable's.
const FUNCTIONS: [&str; 11] = [
    "USER_ID",
    "USER_NAME",
    "DATABASE",
    "PASSWORD",
    "USER",
    "CURRENT_USER",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
];

/// A value's tokens, folded.
pub struct Folded<'a> {
    tokenizer: Tokenizer<'a>,
    /// At most six are in use: the sixth helps to tell what the fifth is.
    tokens: [Token<'a>; 8],
    /// How many tokens there are.
    len: usize,
    /// How many of them are done with.
    left: usize,
    /// Whether there may be more to read.
    more: bool,
    /// The comment after the last token, if one follows it.
    comment: Option<Token<'a>>,
}

/// What came of looking at the tokens after `left`.
enum Step {
    /// Something was folded: look again.
    Again,
    /// Nothing to fold.
    Keep,
    /// No use in reading on.
    Stop,
}

impl<'a> Folded<'a> {
    /// Reads the value as it is read in this quotation and dialect.
    pub fn new(value: &'a [u8], quote: Quote, dialect: Dialect) -> Self {
        let mut folded = Folded {
            tokenizer: Tokenizer::new(value, quote, dialect),
            tokens: [Token::new(Kind::Unknown, b""); 8],
            len: 0,
            left: 0,
            more: true,
            comment: None,
        };
        folded.read();
        folded
    }

    /// The token of that number. There are at most six.
    pub fn token(&self, number: usize) -> &Token<'a> {
        &self.tokens[number & 7]
    }

    /// How many tokens were read before folding.
    pub fn tokens_read(&self) -> u32 {
        self.tokenizer.count
    }

    /// Whether a comment was met that the other dialect reads differently.
    pub fn dialects_differ(&self) -> bool {
        self.tokenizer.dialects_differ
    }

    /// The kinds of the first five tokens.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.tokens.iter().take(self.len).map(|token| token.kind))
    }

    fn read(&mut self) {
        if !self.skip_prelude() {
            return;
        }
        loop {
            work::count(0);
            if self.len >= TOKENS_MAX {
                self.restart_arithmetic();
            }
            if !self.more || self.left >= TOKENS_MAX {
                break;
            }
            self.fill(2);
            if self.len - self.left < 2 {
                self.left = self.len;
                continue;
            }
            match self.fold_two() {
                Step::Again => continue,
                Step::Stop => return,
                Step::Keep => self.fill(3),
            }
            if self.len - self.left < 3 {
                self.left = self.len;
            } else if !self.fold_three() {
                self.left += 1;
            }
        }
        if let Some(comment) = self.comment.filter(|_| self.len < TOKENS_MAX) {
            self.put(self.len, comment);
            self.len += 1;
        }
        self.unclosed_backtick_is_comment();
    }

    /// Skips comments, left parentheses, types and unary operators; whether a token followed.
    fn skip_prelude(&mut self) -> bool {
        while let Some(token) = self.tokenizer.next() {
            if !matches!(token.kind, Kind::Comment | Kind::LeftParenthesis | Kind::SqlType)
                && !token.is_unary()
            {
                self.put(0, token);
                self.len = 1;
                return true;
            }
        }
        false
    }

    /// Reads on until so many tokens are there that are not done with, beside comments.
    fn fill(&mut self, wanted: usize) {
        while self.more && self.len <= TOKENS_MAX && self.len - self.left < wanted {
            match self.tokenizer.next() {
                None => self.more = false,
                Some(token) if token.kind == Kind::Comment => self.comment = Some(token),
                Some(token) => {
                    self.comment = None;
                    self.put(self.len, token);
                    self.len += 1;
                }
            }
        }
    }

    fn put(&mut self, number: usize, token: Token<'a>) {
        self.tokens[number & 7] = token;
    }

    /// The kind of the token so many after those that are done with.
    fn kind(&self, ahead: usize) -> Kind {
        self.token(self.left + ahead).kind
    }

    fn set_kind(&mut self, ahead: usize, kind: Kind) {
        self.tokens[(self.left + ahead) & 7].kind = kind;
    }

    /// Five tokens of an expression are like its first, `1+(2)` like `1`: begins anew with that.
    fn restart_arithmetic(&mut self) {
        use Kind::*;
        let kinds = [0, 1, 2, 3, 4].map(|number| self.token(number).kind);
        if !matches!(
            kinds,
            [Number, Operator | Comma, LeftParenthesis, Number, RightParenthesis]
                | [Bareword, Operator, LeftParenthesis, Bareword | Number, RightParenthesis]
                | [Number, RightParenthesis, Comma, LeftParenthesis, Number]
                | [Bareword, RightParenthesis, Operator, LeftParenthesis, Bareword]
        ) {
            return;
        }
        if self.len > TOKENS_MAX {
            self.put(1, *self.token(TOKENS_MAX));
            self.len = 2;
        } else {
            self.len = 1;
        }
        self.left = 0;
    }

    /// Drops so many tokens from the end and looks at all again.
    fn drop(&mut self, tokens: usize) -> Step {
        self.len -= tokens;
        self.left = 0;
        Step::Again
    }

    /// Drops the last token and looks at one more than before.
    fn drop_and_step_back(&mut self) -> Step {
        self.len -= 1;
        self.left = self.left.saturating_sub(1);
        Step::Again
    }

    /// Looks at two tokens. Both are there: `len - left` is at least 2.
    fn fold_two(&mut self) -> Step {
        use Kind::*;
        let (first, second) = (*self.token(self.left), *self.token(self.left + 1));
        match (first.kind, second.kind) {
            // 'a' 'b' is one string, and ;; ends a statement as well as ; does.
            (Text, Text) | (Semicolon, Semicolon) => {
                self.len -= 1;
                return Step::Again;
            }
            (Operator | Logic, kind) if kind == SqlType || second.is_unary() => return self.drop(1),
            (LeftParenthesis, _) if second.is_unary() => return self.drop_and_step_back(),
            _ => {}
        }
        if let Some((kind, text)) = merged(&first, &second) {
            self.put(self.left, Token { open: first.open, close: first.close, ..Token::new(kind, text) });
            return self.drop_and_step_back();
        }
        match (first.kind, second.kind) {
            // In Transact-SQL, `; IF` is a statement.
            (Semicolon, Function) if matches!(second.text, [b'I' | b'i', b'F' | b'f', ..]) => {
                self.set_kind(1, Tsql);
                Step::Again
            }
            (Bareword | Variable, LeftParenthesis) if FUNCTIONS.iter().any(|name| first.is(name)) => {
                self.set_kind(0, Function);
                Step::Again
            }
            // `IN (` compares. Else it means nothing yet, and may be part of `IN BOOLEAN MODE`.
            (Keyword, kind) if first.is("IN") || first.is("NOT IN") => {
                self.set_kind(0, if kind == LeftParenthesis { Operator } else { Bareword });
                Step::Again
            }
            (Operator, kind) if first.is("LIKE") || first.is("NOT LIKE") => {
                if kind == LeftParenthesis {
                    self.set_kind(0, Function);
                }
                Step::Keep
            }
            (SqlType, Bareword | Number | SqlType | LeftParenthesis | Function | Variable | Text) => {
                self.put(self.left, second);
                self.drop(1)
            }
            // There are too many collations to name, but all have an underscore.
            (Collate, Bareword) => {
                if second.text.iter().take_while(|byte| **byte != 0).any(|byte| *byte == b'_') {
                    self.set_kind(1, SqlType);
                    self.left = 0;
                }
                Step::Keep
            }
            // Transact-SQL reads `\%1` as `0 % 1`, and `\1` as `1`.
            (Backslash, _) if second.is_arithmetic() => {
                self.set_kind(0, Number);
                self.drop(0)
            }
            (Backslash, _) => {
                self.put(self.left, second);
                self.drop(1)
            }
            (LeftParenthesis, LeftParenthesis) | (RightParenthesis, RightParenthesis) => self.drop(1),
            // MySQL accepts {``.``.id}, and nobody writes it.
            (LeftBrace, Bareword) if second.text.is_empty() => {
                self.tokens[0].kind = Evil;
                self.len = 1;
                Step::Stop
            }
            // `{foo expression}` of ODBC is the expression.
            (LeftBrace, Bareword) => self.drop(2),
            (_, RightBrace) => self.drop(1),
            _ => Step::Keep,
        }
    }

    /// Looks at three tokens, all there; whether something was folded.
    fn fold_three(&mut self) -> bool {
        use Kind::*;
        let (first, second, third) = (self.kind(0), *self.token(self.left + 1), self.kind(2));
        match (first, second.kind, third) {
            (Number, Operator, Number)
            | (Logic, _, Logic)
            | (Variable, Operator, Variable | Number | Bareword)
            | (Bareword | Number, Operator, Number | Bareword) => self.drop(2),
            (Operator, kind, Operator) if kind != LeftParenthesis => self.drop(2),
            (Bareword | Number | Variable | Text, Operator, SqlType) if second.text == b"::" => self.drop(2),
            (Bareword | Number | Text | Variable, Comma, Number | Bareword | Text | Variable) => self.drop(2),
            // `SELECT +(`, `LIMIT -1`: the sign goes.
            (Expression | Group | Comma, _, LeftParenthesis) if second.is_unary() => self.drop_second(1),
            (Keyword | Expression | Group, _, Number | Bareword | Variable | Text | Function)
                if second.is_unary() =>
            {
                self.drop_second(1)
            }
            // `1, -1` is like `1`: the comma goes too. `1, -sin(1)` would then be `1 (1)`, so there only the sign.
            (Comma, _, Number | Bareword | Variable | Text) if second.is_unary() => self.drop_second(3),
            (Comma, _, Function) if second.is_unary() => self.drop_second(1),
            // database.table
            (Bareword, Dot, Bareword) => self.drop(2),
            (Expression, Dot, Bareword) => self.drop_second(1),
            // USER() is a function, but USER(…) is a name like others.
            (Function, LeftParenthesis, kind) => {
                if kind != RightParenthesis && self.token(self.left).is("USER") {
                    self.set_kind(0, Bareword);
                }
                return false;
            }
            _ => return false,
        };
        true
    }

    /// Moves the third token to the second's place and drops so many from the end.
    fn drop_second(&mut self, tokens: usize) -> Step {
        self.put(self.left + 1, *self.token(self.left + 2));
        self.drop(tokens)
    }

    /// PHP and MySQL read an unclosed backtick at the end as the beginning of a comment.
    fn unclosed_backtick_is_comment(&mut self) {
        let last = self.len.min(TOKENS_MAX).saturating_sub(1);
        let token = self.token(last);
        let unclosed = token.open == b'`' && token.close == 0 && token.text.is_empty();
        if last >= 2 && token.kind == Kind::Bareword && unclosed {
            self.tokens[last & 7].kind = Kind::Comment;
        }
    }
}

/// What the two tokens are as one, if both are words and make a phrase.
fn merged<'a>(first: &Token<'a>, second: &Token<'a>) -> Option<(Kind, &'static [u8])> {
    use Kind::*;
    let word =
        |kind| matches!(kind, Keyword | Bareword | Operator | Union | Function | Expression | Tsql | SqlType);
    if !word(first.kind) || !(word(second.kind) || second.kind == Logic) {
        return None;
    }
    words::phrase(first.text, second.text)
}
