//! The text of an expression, read as PCRE reads it.
//!
//! As described by pcre2pattern(3), over bytes and in the "C" locale. What the engine has no use for is refused by name:
//! recursion, conditions, callouts, verbs, `\K`, `\G`, `\X`, Unicode properties.

use crate::PatternError;
use crate::byte_class::ByteClass;
use crate::syntax::{Look, Node, Repeat, RepeatKind};

/// The longest expression that is read, bytes.
const LEN_MAX: usize = 1 << 20;
/// How deep groups may stand in one another.
const DEPTH_MAX: usize = 150;
/// How often a part may be repeated, as in PCRE.
const REPEAT_MAX: u32 = 65_535;

/// What an expression turns on and off for its parts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    pub caseless: bool,
    pub multi_line: bool,
    pub dot_all: bool,
    pub extended: bool,
    pub ungreedy: bool,
    pub no_capture: bool,
}

/// Reads `pattern`.
pub(crate) fn parse(pattern: &str, flags: Flags) -> Result<Node, PatternError> {
    if pattern.len() > LEN_MAX {
        return Err(PatternError::whole(format!(
            "the expression has {} bytes, more than {LEN_MAX}: split it into several rules",
            pattern.len()
        )));
    }
    let mut parser = Parser {
        text: pattern.as_bytes(),
        at: 0,
        depth: 0,
        groups: 0,
        flags,
        names: Vec::new(),
        backward: 0,
    };
    let node = parser.alternation()?;
    if parser.peek().is_some() {
        return Err(parser.error("`)` closes no group: escape it or take it out"));
    }
    if parser.backward > parser.groups {
        let message =
            format!("`\\{}` refers to a group, and there are {} groups", parser.backward, parser.groups);
        return Err(PatternError::whole(message));
    }
    Ok(node)
}

pub(crate) struct Parser<'p> {
    pub(crate) text: &'p [u8],
    pub(crate) at: usize,
    depth: usize,
    pub(crate) groups: u32,
    pub(crate) flags: Flags,
    pub(crate) names: Vec<(&'p [u8], u32)>,
    /// The highest number by which a group was referred to.
    pub(crate) backward: u32,
}

impl<'p> Parser<'p> {
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(crate) fn rest(&self) -> &'p [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(crate) fn take(&mut self, expected: &[u8]) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// The bytes before `end`, which is passed over.
    pub(crate) fn until(&mut self, end: u8) -> Option<&'p [u8]> {
        let rest = self.rest();
        let len = rest.iter().position(|byte| *byte == end)?;
        self.at += len + 1;
        rest.get(..len)
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> PatternError {
        PatternError::at(self.at, message)
    }

    fn alternation(&mut self) -> Result<Node, PatternError> {
        let mut branches = vec![self.sequence()?];
        while self.take(b"|") {
            branches.push(self.sequence()?);
        }
        Ok(if branches.len() == 1 { branches.swap_remove(0) } else { Node::Alternate(branches) })
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        loop {
            self.skip_layout();
            match self.peek() {
                None | Some(b'|' | b')') => return Ok(Node::concat(nodes)),
                // `\Q…\E`: each byte is itself, and the last may be repeated.
                Some(b'\\') if self.take(b"\\Q") => {
                    let rest = self.rest();
                    let len = rest.windows(2).position(|two| two == b"\\E").unwrap_or(rest.len());
                    for byte in rest.get(..len).unwrap_or_default() {
                        nodes.push(self.literal(*byte));
                    }
                    self.at += (len + 2).min(rest.len());
                    if let Some(last) = nodes.pop() {
                        nodes.push(self.repeated(last)?);
                    }
                }
                Some(b'\\') if self.take(b"\\E") => {}
                Some(_) => {
                    if let Some(node) = self.atom()? {
                        nodes.push(self.repeated(node)?);
                    }
                }
            }
        }
    }

    /// Passes over blanks and comments where `(?x)` says so.
    fn skip_layout(&mut self) {
        while self.flags.extended {
            match self.peek() {
                Some(byte) if byte.is_ascii_whitespace() || byte == 0x0B => self.at += 1,
                Some(b'#') => {
                    if self.until(b'\n').is_none() {
                        self.at = self.text.len();
                    }
                }
                _ => return,
            }
        }
    }

    /// One part without what repeats it; none of what only sets flags, or is a comment.
    fn atom(&mut self) -> Result<Option<Node>, PatternError> {
        let Some(byte) = self.next() else { return Ok(None) };
        Ok(Some(match byte {
            b'.' if self.flags.dot_all => Node::Class(ByteClass::ALL),
            b'.' => Node::Class(ByteClass::of(b"\n").complement()),
            b'^' if self.flags.multi_line => Node::Look(Look::LineStart),
            b'^' => Node::Look(Look::Start),
            b'$' if self.flags.multi_line => Node::Look(Look::LineEnd),
            b'$' => Node::Look(Look::EndOrFinalNewline),
            b'[' => Node::Class(self.class()?),
            b'\\' => self.escape()?,
            b'(' => return self.group(),
            b'*' | b'+' | b'?' => {
                self.at -= 1;
                return Err(self.error(format!(
                    "`{}` repeats nothing: put something before it or escape it",
                    char::from(byte)
                )));
            }
            _ => self.literal(byte),
        }))
    }

    pub(crate) fn literal(&self, byte: u8) -> Node {
        Node::Class(self.cased(ByteClass::of(&[byte])))
    }

    pub(crate) fn cased(&self, class: ByteClass) -> ByteClass {
        if self.flags.caseless { class.both_cases() } else { class }
    }

    fn repeated(&mut self, node: Node) -> Result<Node, PatternError> {
        self.skip_layout();
        let (min, max) = match self.peek() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') => match self.bounds() {
                Some((len, min, max)) => {
                    if min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX || max < min) {
                        return Err(self.error("expected bounds in order and up to 65535"));
                    }
                    self.at += len - 1;
                    (min, max)
                }
                None => return Ok(node),
            },
            _ => return Ok(node),
        };
        self.at += 1;
        let kind = match (self.take(b"+"), self.flags.ungreedy) {
            (true, _) => RepeatKind::Possessive,
            (_, ungreedy) if self.take(b"?") != ungreedy => RepeatKind::Lazy,
            _ => RepeatKind::Greedy,
        };
        Ok(Node::Repeat(Box::new(Repeat { node, min, max, kind })))
    }

    /// `{n}`, `{n,}` or `{n,m}` at this place: its length and bounds; a brace that begins none of them is itself.
    fn bounds(&self) -> Option<(usize, u32, Option<u32>)> {
        let rest = self.rest();
        let close = rest.iter().take(16).position(|byte| *byte == b'}')?;
        let inner = std::str::from_utf8(rest.get(1..close)?).ok()?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let (min, max) = match inner.split_once(',') {
            None => (number(inner)?, Some(number(inner)?)),
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        Some((close + 1, min, max))
    }

    /// After `(`.
    fn group(&mut self) -> Result<Option<Node>, PatternError> {
        let flags = self.flags;
        if self.take(b"*") {
            return Err(
                self.error("verbs such as `(*COMMIT)` are not supported: write the expression without")
            );
        }
        if !self.take(b"?") {
            return if self.flags.no_capture { self.inside(flags).map(Some) } else { self.captured(flags) };
        }
        if self.take(b"#") {
            return match self.until(b')') {
                Some(_) => Ok(None),
                None => Err(self.error("the comment is not closed: expected `)`")),
            };
        }
        if self.take(b":") {
            return self.inside(flags).map(Some);
        }
        if self.take(b">") {
            return Ok(Some(Node::Atomic(Box::new(self.inside(flags)?))));
        }
        for (mark, behind, negated) in
            [(&b"="[..], false, false), (b"!", false, true), (b"<=", true, false), (b"<!", true, true)]
        {
            if self.take(mark) {
                let node = Box::new(self.inside(flags)?);
                return Ok(Some(Node::Around { behind, negated, node }));
            }
        }
        if self.take(b"P=") {
            let name = self.until(b')').unwrap_or_default();
            return self.named(name).map(Some);
        }
        for (mark, close) in [(&b"P<"[..], b'>'), (b"<", b'>'), (b"'", b'\'')] {
            if self.take(mark) {
                let name = self.until(close).unwrap_or_default();
                if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                    return Err(self.error("expected a name of letters, digits and `_` for the group"));
                }
                self.names.push((name, self.groups + 1));
                return self.captured(flags);
            }
        }
        self.set_flags(flags)
    }

    /// `(?i)`, `(?i-s:…)`.
    fn set_flags(&mut self, outer: Flags) -> Result<Option<Node>, PatternError> {
        let mut on = true;
        if self.take(b"^") {
            self.flags = Flags {
                caseless: false,
                multi_line: false,
                extended: false,
                no_capture: false,
                dot_all: false,
                ..outer
            };
        }
        loop {
            match self.next() {
                Some(b'i') => self.flags.caseless = on,
                Some(b'm') => self.flags.multi_line = on,
                Some(b's') => self.flags.dot_all = on,
                Some(b'x') => self.flags.extended = on,
                Some(b'U') => self.flags.ungreedy = on,
                Some(b'n') => self.flags.no_capture = on,
                Some(b'-') if on => on = false,
                Some(b')') => return Ok(None),
                Some(b':') => return self.inside(outer).map(Some),
                _ => {
                    self.at -= 1;
                    return Err(self.error(
                        "this kind of group is not supported: expected `(?:`, `(?i)`, `(?=`, `(?!`, `(?<=`, `(?<!`, `(?>`, `(?<name>`",
                    ));
                }
            }
        }
    }

    fn captured(&mut self, outer: Flags) -> Result<Option<Node>, PatternError> {
        self.groups += 1;
        let group = self.groups;
        Ok(Some(Node::Capture(group, Box::new(self.inside(outer)?))))
    }

    /// What stands in a group, and its `)`; the flags are `outer` again behind it.
    fn inside(&mut self, outer: Flags) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("groups stand more than {DEPTH_MAX} deep in one another")));
        }
        let node = self.alternation()?;
        if !self.take(b")") {
            return Err(self.error("a group is not closed: expected `)`"));
        }
        self.depth -= 1;
        self.flags = outer;
        Ok(node)
    }

    /// A group referred to by its name.
    pub(crate) fn named(&mut self, name: &[u8]) -> Result<Node, PatternError> {
        match self.names.iter().find(|(known, _)| *known == name) {
            Some((_, group)) => Ok(Node::Backreference { group: *group, caseless: self.flags.caseless }),
            None => Err(self.error("refers to a group by a name that none before it has")),
        }
    }
}
