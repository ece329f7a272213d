//! What stands behind a backslash, and in square brackets.

use crate::PatternError;
use crate::byte_class::ByteClass;
use crate::parse::Parser;
use crate::syntax::{Look, Node};

/// What an escape is that may stand in brackets too.
enum Escape {
    Byte(u8),
    Class(ByteClass),
}

impl<'p> Parser<'p> {
    /// After a backslash, outside of brackets.
    pub(crate) fn escape(&mut self) -> Result<Node, PatternError> {
        let start = self.at;
        let look = match self.peek() {
            Some(b'A') => Look::Start,
            Some(b'z') => Look::End,
            Some(b'Z') => Look::EndOrFinalNewline,
            Some(b'b') => Look::WordBoundary,
            Some(b'B') => Look::NoWordBoundary,
            Some(b'R') => {
                self.at += 1;
                let pair = Node::Concat(vec![Node::byte(b'\r'), Node::byte(b'\n')]);
                let single = Node::Class(ByteClass::of(b"\n\x0B\x0C\r\x85"));
                return Ok(Node::Atomic(Box::new(Node::Alternate(vec![pair, single]))));
            }
            Some(b'N') => {
                self.at += 1;
                return Ok(Node::Class(ByteClass::of(b"\n").complement()));
            }
            Some(b'C') => {
                self.at += 1;
                return Ok(Node::Class(ByteClass::ALL));
            }
            Some(b'1'..=b'9' | b'g' | b'k') => {
                if let Some(node) = self.backreference()? {
                    return Ok(node);
                }
                self.at = start;
                return self.class_escape().map(|escape| self.node(escape));
            }
            _ => return self.class_escape().map(|escape| self.node(escape)),
        };
        self.at += 1;
        Ok(Node::Look(look))
    }

    fn node(&self, escape: Escape) -> Node {
        match escape {
            Escape::Byte(byte) => self.literal(byte),
            Escape::Class(class) => Node::Class(self.cased(class)),
        }
    }

    /// `\1`, `\g{1}`, `\g{-1}`, `\k<name>`; none where the digits are an octal number.
    fn backreference(&mut self) -> Result<Option<Node>, PatternError> {
        let kind = self.next();
        let text: &'p [u8] = match kind {
            Some(b'g' | b'k') => match self.next() {
                Some(b'{') => self.until(b'}').unwrap_or_default(),
                Some(b'<') if kind == Some(b'k') => self.until(b'>').unwrap_or_default(),
                Some(b'\'') if kind == Some(b'k') => self.until(b'\'').unwrap_or_default(),
                Some(b'0'..=b'9') if kind == Some(b'g') => {
                    self.at -= 1;
                    self.digits()
                }
                _ => &[],
            },
            _ => {
                self.at -= 1;
                self.digits()
            }
        };
        let (sign, digits) = match text.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        if digits.is_empty() {
            return Err(self.error("expected the number or the name of a group"));
        }
        if !digits.iter().all(u8::is_ascii_digit) {
            return self.named(text).map(Some);
        }
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u32>().ok());
        let number = number.unwrap_or(u32::MAX);
        let octal = kind.is_some_and(|kind| (b'1'..=b'7').contains(&kind));
        if octal && number > 9 && number > self.groups {
            return Ok(None);
        }
        let group =
            if sign { (self.groups + 1).checked_sub(number).filter(|_| number > 0) } else { Some(number) };
        match group {
            Some(group @ 1..=65_535) => {
                self.backward = self.backward.max(group);
                Ok(Some(Node::Backreference { group, caseless: self.flags.caseless }))
            }
            _ => Err(self.error("refers to a group that is not there")),
        }
    }

    fn digits(&mut self) -> &'p [u8] {
        let rest = self.rest();
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// After a backslash, what means the same inside and outside of brackets.
    fn class_escape(&mut self) -> Result<Escape, PatternError> {
        let Some(byte) = self.next() else {
            return Err(self.error("a backslash ends the expression: write `\\\\` for a backslash"));
        };
        Ok(match byte {
            b'a' => Escape::Byte(0x07),
            b'e' => Escape::Byte(0x1B),
            b'f' => Escape::Byte(0x0C),
            b'n' => Escape::Byte(b'\n'),
            b'r' => Escape::Byte(b'\r'),
            b't' => Escape::Byte(b'\t'),
            b'd' => Escape::Class(digit()),
            b'D' => Escape::Class(digit().complement()),
            b'w' => Escape::Class(word()),
            b'W' => Escape::Class(word().complement()),
            b's' => Escape::Class(space()),
            b'S' => Escape::Class(space().complement()),
            // Over bytes: the blanks and line ends of pcre2pattern(3) that are below 256.
            b'h' => Escape::Class(ByteClass::of(b"\t \xA0")),
            b'H' => Escape::Class(ByteClass::of(b"\t \xA0").complement()),
            b'v' => Escape::Class(ByteClass::of(b"\n\x0B\x0C\r\x85")),
            b'V' => Escape::Class(ByteClass::of(b"\n\x0B\x0C\r\x85").complement()),
            b'c' => match self.next() {
                Some(byte @ 0x20..=0x7E) => Escape::Byte(byte.to_ascii_uppercase() ^ 0x40),
                _ => return Err(self.error("expected a printable letter after `\\c`")),
            },
            b'x' => Escape::Byte(self.hexadecimal()?),
            b'o' if self.take(b"{") => {
                let digits = self.until(b'}').unwrap_or_default();
                Escape::Byte(self.number(digits, 8)?)
            }
            b'0'..=b'7' => {
                self.at -= 1;
                let len = self.rest().iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let digits = self.rest().get(..len).unwrap_or_default();
                self.at += len;
                Escape::Byte(self.number(digits, 8)?)
            }
            byte if byte.is_ascii_alphanumeric() => {
                self.at -= 1;
                return Err(self.error(format!("`\\{}` is not supported here", char::from(byte))));
            }
            byte => Escape::Byte(byte),
        })
    }

    /// After `\x`: `\x41`, `\x4`, `\x{41}`.
    fn hexadecimal(&mut self) -> Result<u8, PatternError> {
        if self.take(b"{") {
            let digits = self.until(b'}').unwrap_or_default();
            return self.number(digits, 16);
        }
        let len = self.rest().iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digits = self.rest().get(..len).unwrap_or_default();
        self.at += len;
        if digits.is_empty() { Ok(0) } else { self.number(digits, 16) }
    }

    fn number(&self, digits: &[u8], radix: u32) -> Result<u8, PatternError> {
        let number =
            std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, radix).ok());
        number
            .and_then(|number| u8::try_from(number).ok())
            .ok_or_else(|| self.error("expected the number of a byte, at most ff: matching is over bytes"))
    }

    /// After `[`: the bytes up to `]`.
    pub(crate) fn class(&mut self) -> Result<ByteClass, PatternError> {
        let negated = self.take(b"^");
        let mut class = ByteClass::NONE;
        let mut first = true;
        loop {
            if self.peek() == Some(b']') && !first {
                self.at += 1;
                let class = self.cased(class);
                return Ok(if negated { class.complement() } else { class });
            }
            first = false;
            if self.take(b"\\E") {
                continue;
            }
            let Some(from) = self.class_item()? else { continue };
            let low = match from {
                Escape::Class(part) => {
                    class = class.union(part);
                    continue;
                }
                Escape::Byte(low) => low,
            };
            // A hyphen at the end, or before a class, is itself.
            if self.peek() != Some(b'-') || matches!(self.rest().get(1), None | Some(b']')) {
                class.insert(low);
                continue;
            }
            self.at += 1;
            match self.class_item()? {
                Some(Escape::Byte(high)) if low <= high => class = class.union(ByteClass::range(low, high)),
                Some(Escape::Byte(_)) => {
                    return Err(self.error("the range in brackets ends before it begins: turn it round"));
                }
                Some(Escape::Class(part)) => {
                    class = class.union(part).union(ByteClass::of(&[low, b'-']));
                }
                None => {}
            }
        }
    }

    fn class_item(&mut self) -> Result<Option<Escape>, PatternError> {
        if self.rest().starts_with(b"[:")
            && let Some(len) = self.rest().windows(2).position(|two| two == b":]")
            && let Some(name) = self.rest().get(2..len)
            && name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'^')
        {
            let class = posix(name).ok_or_else(|| self.error("no class of this name: `[:alpha:]` is one"))?;
            self.at += len + 2;
            return Ok(Some(Escape::Class(class)));
        }
        match self.next() {
            None => Err(self.error("brackets are not closed: expected `]`")),
            Some(b'\\') if self.take(b"b") => Ok(Some(Escape::Byte(0x08))),
            Some(b'\\') => self.class_escape().map(Some),
            Some(byte) => Ok(Some(Escape::Byte(byte))),
        }
    }
}

fn digit() -> ByteClass {
    ByteClass::range(b'0', b'9')
}

fn word() -> ByteClass {
    posix_of(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn space() -> ByteClass {
    ByteClass::of(b"\t\n\x0B\x0C\r ")
}

fn posix_of(holds: impl Fn(u8) -> bool) -> ByteClass {
    let mut class = ByteClass::NONE;
    (0..=u8::MAX).filter(|byte| holds(*byte)).for_each(|byte| class.insert(byte));
    class
}

/// `[:name:]` in the "C" locale.
fn posix(name: &[u8]) -> Option<ByteClass> {
    if let Some(name) = name.strip_prefix(b"^") {
        return posix(name).map(ByteClass::complement);
    }
    Some(match name {
        b"alnum" => posix_of(|byte| byte.is_ascii_alphanumeric()),
        b"alpha" => posix_of(|byte| byte.is_ascii_alphabetic()),
        b"ascii" => posix_of(|byte| byte.is_ascii()),
        b"blank" => ByteClass::of(b"\t "),
        b"cntrl" => posix_of(|byte| byte.is_ascii_control()),
        b"digit" => digit(),
        b"graph" => posix_of(|byte| byte.is_ascii_graphic()),
        b"lower" => posix_of(|byte| byte.is_ascii_lowercase()),
        b"print" => posix_of(|byte| byte.is_ascii_graphic() || byte == b' '),
        b"punct" => posix_of(|byte| byte.is_ascii_punctuation()),
        b"space" => space(),
        b"upper" => posix_of(|byte| byte.is_ascii_uppercase()),
        b"word" => word(),
        b"xdigit" => posix_of(|byte| byte.is_ascii_hexdigit()),
        _ => return None,
    })
}
