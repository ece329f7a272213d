//! Cuts HTML into the pieces that can run code, as browsers do it, old ones included.
//!
//! libinjection's `libinjection_html5`, which follows the WHATWG's tokenization with the quirks of Internet Explorer.

use memchr::{memchr, memmem};

/// Where in a page the input is put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// Between tags.
    Text,
    /// Among the attributes of a tag.
    Tag,
    /// In the value of an attribute, enclosed by this mark.
    Quoted(u8),
}

/// A piece of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    Doctype,
    /// The name of a tag.
    Tag(&'a [u8]),
    /// The name of an attribute.
    Name(&'a [u8]),
    /// The value of the attribute just named, without quotation marks.
    Value(&'a [u8]),
    /// The inside of a comment, or of what browsers take for one.
    Comment(&'a [u8]),
}

/// Reads one piece after the other.
pub struct Html<'a> {
    input: &'a [u8],
    at: usize,
    state: State,
    /// Whether `</` was met, and no end of a tag since.
    closing: bool,
}

#[derive(Clone, Copy)]
enum State {
    /// The input lies in a value that something before it has opened with this mark.
    Inside(u8),
    Text,
    /// After `<`.
    TagOpen,
    /// At the `>` that ends a tag.
    TagEnd,
    /// After the `/` of `/>`.
    SelfClosing,
    BeforeName,
    AfterName,
    BeforeValue,
    AfterQuoted,
    End,
}

impl<'a> Html<'a> {
    pub fn new(input: &'a [u8], context: Context) -> Self {
        let state = match context {
            Context::Text => State::Text,
            Context::Tag => State::BeforeName,
            Context::Quoted(mark) => State::Inside(mark),
        };
        Html { input, at: 0, state, closing: false }
    }

    /// The next piece; nothing at the end.
    pub fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            match self.state {
                State::Inside(mark) => return Some(self.quoted(mark)),
                State::Text => {
                    self.at += memchr(b'<', self.rest())? + 1;
                    self.state = State::TagOpen;
                }
                State::TagOpen => {
                    if let Some(piece) = self.tag_open()? {
                        return Some(piece);
                    }
                }
                State::TagEnd => {
                    self.closing = false;
                    self.go(1, State::Text);
                }
                State::SelfClosing if self.byte()? == b'>' => self.go(1, State::Text),
                State::SelfClosing => self.state = State::BeforeName,
                State::BeforeName => match self.skip_white()? {
                    b'/' => self.go(1, State::SelfClosing),
                    b'>' => self.go(1, State::Text),
                    _ => return Some(self.name()),
                },
                State::AfterName => match self.skip_white()? {
                    b'/' => self.go(1, State::SelfClosing),
                    b'=' => self.go(1, State::BeforeValue),
                    b'>' => self.state = State::TagEnd,
                    _ => return Some(self.name()),
                },
                State::BeforeValue => {
                    let byte = self.skip_white()?;
                    if matches!(byte, b'"' | b'\'' | b'`') {
                        self.at += 1;
                        return Some(self.quoted(byte));
                    }
                    return Some(self.unquoted());
                }
                State::AfterQuoted => match self.byte()? {
                    b'/' => self.go(1, State::SelfClosing),
                    b'>' => self.go(1, State::Text),
                    _ => self.state = State::BeforeName,
                },
                State::End => return None,
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn go(&mut self, bytes: usize, state: State) {
        self.at += bytes;
        self.state = state;
    }

    /// Takes the first bytes of the rest, reads over some more and goes on in the state.
    fn take(&mut self, len: usize, over: usize, state: State) -> &'a [u8] {
        let rest = self.rest();
        self.go(len + over, state);
        rest.get(..len).unwrap_or(rest)
    }

    /// Takes the rest up to the end, or up to and without `end` bytes at the place found.
    fn take_until(&mut self, found: Option<usize>, end: usize, state: State) -> &'a [u8] {
        match found {
            Some(len) => self.take(len, end, state),
            None => self.take(self.rest().len(), 0, State::End),
        }
    }

    /// Skips white space, and NUL as Internet Explorer does; the byte that follows. In C, that is a signed byte, and 0xff
    /// cannot be told from the end; here it can.
    fn skip_white(&mut self) -> Option<u8> {
        self.at += self.rest().iter().position(|byte| !is_white(*byte))?;
        self.byte()
    }

    /// After `<`: a piece, or nothing yet; nothing at all at the end.
    fn tag_open(&mut self) -> Option<Option<Piece<'a>>> {
        match self.byte()? {
            b'!' => {
                self.at += 1;
                return Some(self.declaration());
            }
            b'/' => {
                self.at += 1;
                self.closing = true;
                match self.byte()? {
                    b'>' => self.state = State::Text,
                    byte if byte.is_ascii_alphabetic() => return Some(self.tag()),
                    _ => {
                        self.closing = false;
                        return Some(Some(self.bogus_comment()));
                    }
                }
            }
            b'?' => {
                self.at += 1;
                return Some(Some(self.bogus_comment()));
            }
            b'%' => {
                self.at += 1;
                // Another comment of old browsers: <%…%>
                let end = memmem::find(self.rest(), b"%>");
                return Some(Some(Piece::Comment(self.take_until(end, 2, State::Text))));
            }
            byte if byte.is_ascii_alphabetic() || byte == 0 => return Some(self.tag()),
            _ => self.state = State::Text,
        }
        Some(None)
    }

    /// The name of a tag. That of `</a>` is no piece, but that of `</a b>` is.
    fn tag(&mut self) -> Option<Piece<'a>> {
        let end = self.rest().iter().position(|byte| match byte {
            0 => false,
            b'/' | b'>' => true,
            byte => is_white(*byte),
        });
        let name = match end.and_then(|end| Some((end, *self.rest().get(end)?))) {
            None => self.take_until(None, 0, State::End),
            Some((end, b'/')) => self.take(end, 1, State::SelfClosing),
            Some((end, b'>')) if self.closing => {
                self.closing = false;
                self.take(end, 1, State::Text);
                return None;
            }
            Some((end, b'>')) => self.take(end, 0, State::TagEnd),
            Some((end, _)) => self.take(end, 1, State::BeforeName),
        };
        Some(Piece::Tag(name))
    }

    /// The name of an attribute: at least one byte, whatever that is.
    fn name(&mut self) -> Piece<'a> {
        let end =
            self.rest().iter().skip(1).position(|byte| matches!(byte, b'/' | b'=' | b'>') || is_white(*byte));
        let end = end.map(|end| end + 1);
        Piece::Name(match end.and_then(|end| Some((end, *self.rest().get(end)?))) {
            None => self.take_until(None, 0, State::End),
            Some((end, b'/')) => self.take(end, 1, State::SelfClosing),
            Some((end, b'=')) => self.take(end, 1, State::BeforeValue),
            Some((end, b'>')) => self.take(end, 0, State::TagEnd),
            Some((end, _)) => self.take(end, 1, State::AfterName),
        })
    }

    /// A value up to the mark.
    fn quoted(&mut self, mark: u8) -> Piece<'a> {
        let end = memchr(mark, self.rest());
        Piece::Value(self.take_until(end, 1, State::AfterQuoted))
    }

    fn unquoted(&mut self) -> Piece<'a> {
        let end = self.rest().iter().position(|byte| *byte == b'>' || is_white(*byte));
        Piece::Value(match end.and_then(|end| Some((end, *self.rest().get(end)?))) {
            None => self.take_until(None, 0, State::End),
            Some((end, b'>')) => self.take(end, 0, State::TagEnd),
            Some((end, _)) => self.take(end, 1, State::BeforeName),
        })
    }

    /// After `<!`.
    fn declaration(&mut self) -> Option<Piece<'a>> {
        let rest = self.rest();
        if rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype")) {
            let end = memchr(b'>', rest);
            self.take_until(end, 1, State::Text);
            return Some(Piece::Doctype);
        }
        if rest.starts_with(b"[CDATA[") {
            self.at += 7;
            let end = memmem::find(self.rest(), b"]]>");
            self.take_until(end, 3, State::Text);
            return None;
        }
        if rest.starts_with(b"--") {
            self.at += 2;
            return Some(self.comment());
        }
        Some(self.bogus_comment())
    }

    /// What browsers take for a comment, up to the next `>`.
    fn bogus_comment(&mut self) -> Piece<'a> {
        let end = memchr(b'>', self.rest());
        Piece::Comment(self.take_until(end, 1, State::Text))
    }

    /// A comment, up to `-->` or `-!>`; NULs may stand after the first dash.
    fn comment(&mut self) -> Piece<'a> {
        let rest = self.rest();
        for dash in memchr::memchr_iter(b'-', rest) {
            let after = rest.get(dash + 1..).unwrap_or_default();
            let nuls = after.iter().take_while(|byte| **byte == 0).count();
            if let Some([b'-' | b'!', b'>', ..]) = after.get(nuls..) {
                return Piece::Comment(self.take(dash, nuls + 3, State::Text));
            }
        }
        Piece::Comment(self.take_until(None, 0, State::End))
    }
}

/// White space of HTML; and NUL, which Internet Explorer skips.
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0)
}
