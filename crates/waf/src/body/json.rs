//! JSON (RFC 8259), read as a stream: no tree, no recursion.

use super::{BodyError, Piece, Sink, Spot, Text};
use std::borrow::Cow;

/// Gives every key and every string, number and literal, strings decoded, under its path: `user.name`, `items.0`.
/// At most `depth_max` levels and `values_max` keys and values. Where `complete` is false the body was cut: what is
/// there is given, and an early end is no error. A byte order mark before it is skipped, and an empty body is fine.
pub fn walk_json(
    body: &[u8],
    complete: bool,
    depth_max: usize,
    values_max: usize,
    sink: &mut Sink<'_>,
) -> Result<(), BodyError> {
    walk(body, complete, depth_max, values_max, Naming::Dotted, sink)
}

/// As [`walk_json`], but with values alone, under the names that ModSecurity 3 gives them as arguments: `json.user.name`,
/// `json.items.array_0`, an empty key as `empty-key`; `null` is empty.
pub(crate) fn walk_json_arguments(
    body: &[u8],
    complete: bool,
    depth_max: usize,
    values_max: usize,
    sink: &mut Sink<'_>,
) -> Result<(), BodyError> {
    walk(body, complete, depth_max, values_max, Naming::Arguments, sink)
}

/// What a value is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// `items.0`; keys are values too.
    Dotted,
    /// `json.items.array_0`.
    Arguments,
}

fn walk(
    body: &[u8],
    complete: bool,
    depth_max: usize,
    values_max: usize,
    naming: Naming,
    sink: &mut Sink<'_>,
) -> Result<(), BodyError> {
    let start = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut walk = Walk {
        body,
        at: start,
        path: if naming == Naming::Arguments { b"json".to_vec() } else { Vec::new() },
        naming,
        open: Vec::new(),
        depth_max,
        values_left: values_max,
        sink,
    };
    walk.skip_space();
    if walk.at == body.len() {
        return Ok(());
    }
    match walk.document() {
        Ok(()) => Ok(()),
        Err(Stop::End) if !complete => Ok(()),
        Err(Stop::End) => Err(BodyError::Malformed { expected: "more JSON", offset: body.len() }),
        Err(Stop::Error(error)) => Err(error),
    }
}

enum Stop {
    /// The bytes end where JSON does not.
    End,
    Error(BodyError),
}

/// An array or object that is open.
struct Open {
    /// The index of the element being read; `None` for an object.
    index: Option<usize>,
    /// The length of the path of the array or object itself.
    path_len: usize,
}

struct Walk<'b, 's, 'f> {
    body: &'b [u8],
    at: usize,
    path: Vec<u8>,
    naming: Naming,
    open: Vec<Open>,
    depth_max: usize,
    values_left: usize,
    sink: &'s mut Sink<'f>,
}

impl<'b> Walk<'b, '_, '_> {
    fn document(&mut self) -> Result<(), Stop> {
        loop {
            let complete = self.value()?;
            if complete && self.close_and_go_on()? {
                return Ok(());
            }
        }
    }

    /// Reads a value; of an array or object only its head. Whether it is complete.
    fn value(&mut self) -> Result<bool, Stop> {
        self.skip_space();
        match self.peek()? {
            b'{' => self.enter(None, b'}'),
            b'[' => self.enter(Some(0), b']'),
            b'"' => {
                let start = self.at;
                let text = self.string()?;
                self.give(&text, Some(Spot { range: start..self.at, text: Text::Json }))?;
                Ok(true)
            }
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(self.expected("a JSON value")),
        }
    }

    fn enter(&mut self, index: Option<usize>, end: u8) -> Result<bool, Stop> {
        if self.open.len() >= self.depth_max {
            return Err(Stop::Error(BodyError::TooDeep));
        }
        self.at += 1;
        self.skip_space();
        if self.peek()? == end {
            self.at += 1;
            return Ok(true);
        }
        self.open.push(Open { index, path_len: self.path.len() });
        self.next_member()?;
        Ok(false)
    }

    /// Sets the path to the member that follows: the index of an element, or a key, which is read.
    fn next_member(&mut self) -> Result<(), Stop> {
        let Some(Open { index, path_len }) = self.open.last() else { return Ok(()) };
        let (index, path_len) = (*index, *path_len);
        self.path.truncate(path_len);
        let arguments = self.naming == Naming::Arguments;
        let name = match index {
            Some(index) if arguments => Cow::Owned(format!("array_{index}").into_bytes()),
            Some(index) => Cow::Owned(index.to_string().into_bytes()),
            None => {
                self.skip_space();
                if self.peek()? != b'"' {
                    return Err(self.expected("a key in quotes"));
                }
                self.string()?
            }
        };
        if path_len > 0 {
            self.path.push(b'.');
        }
        self.path.extend_from_slice(if arguments && name.is_empty() { b"empty-key" } else { &name });
        if index.is_none() {
            if !arguments {
                self.give(&name, None)?;
            }
            self.skip_space();
            if self.peek()? != b':' {
                return Err(self.expected("a colon"));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// After a complete value: closes what ends here, or moves to the next member. Whether the document is complete.
    fn close_and_go_on(&mut self) -> Result<bool, Stop> {
        loop {
            self.skip_space();
            let Some(open) = self.open.last_mut() else {
                return if self.at == self.body.len() {
                    Ok(true)
                } else {
                    Err(self.expected("nothing after the value"))
                };
            };
            let end = if open.index.is_some() { b']' } else { b'}' };
            match self.body.get(self.at) {
                None => return Err(Stop::End),
                Some(b',') => {
                    open.index = open.index.map(|index| index + 1);
                    self.at += 1;
                    return self.next_member().map(|()| false);
                }
                Some(&byte) if byte == end => {
                    self.path.truncate(open.path_len);
                    self.open.pop();
                    self.at += 1;
                }
                Some(_) => return Err(self.expected("a comma or the end of the array or object")),
            }
        }
    }

    /// Reads a string whose quote is next. One that is cut off is given as far as it goes.
    fn string(&mut self) -> Result<Cow<'b, [u8]>, Stop> {
        self.at += 1;
        let body = self.body;
        let rest = body.get(self.at..).unwrap_or_default();
        let plain = rest.iter().position(|&b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        let plain = rest.get(..plain).unwrap_or_default();
        self.at += plain.len();
        if let Err(error) = std::str::from_utf8(plain)
            && (error.error_len().is_some() || self.at < body.len())
        {
            return Err(self.expected("UTF-8 in the string that ends here"));
        }
        if body.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_vec();
        loop {
            match body.get(self.at) {
                None => {
                    self.give(&text, None)?;
                    return Err(Stop::End);
                }
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut text)?,
                Some(0..0x20) => return Err(self.expected("no control character in a string")),
                Some(&byte) => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        if std::str::from_utf8(&text).is_err() {
            return Err(self.expected("UTF-8 in the string that ends here"));
        }
        self.at += 1;
        Ok(Cow::Owned(text))
    }

    /// Reads the escape whose backslash is next. A surrogate without its pair is U+FFFD, as browsers write it in UTF-8.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), Stop> {
        let Some(&kind) = self.body.get(self.at + 1) else {
            self.give(text, None)?;
            return Err(Stop::End);
        };
        let byte = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(text),
            _ => return Err(self.expected("an escape of JSON")),
        };
        text.push(byte);
        self.at += 2;
        Ok(())
    }

    fn unicode_escape(&mut self, text: &mut Vec<u8>) -> Result<(), Stop> {
        let high = self.code_unit(self.at)?;
        self.at += 6;
        let mut units = vec![high];
        if (0xD800..0xDC00).contains(&high)
            && self.body.get(self.at..self.at + 2) == Some(b"\\u")
            && let low = self.code_unit(self.at)?
            && (0xDC00..0xE000).contains(&low)
        {
            self.at += 6;
            units.push(low);
        }
        text.extend_from_slice(String::from_utf16_lossy(&units).as_bytes());
        Ok(())
    }

    /// The code unit of the `\uXXXX` at `at`.
    fn code_unit(&self, at: usize) -> Result<u16, Stop> {
        let Some(digits) = self.body.get(at + 2..at + 6) else { return Err(Stop::End) };
        let hex = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits);
        hex.and_then(|digits| u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())
            .ok_or_else(|| self.expected("four hexadecimal digits"))
    }

    /// RFC 8259 6.
    fn number(&mut self) -> Result<bool, Stop> {
        let start = self.at;
        if self.body.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.body.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.body.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.body.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.body.get(start..self.at).unwrap_or_default();
        self.give(text, None)?;
        Ok(true)
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Stop> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.expected("a digit"));
        }
        while self.body.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn literal(&mut self, literal: &'static [u8]) -> Result<bool, Stop> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal) {
            return Err(if literal.starts_with(rest) { Stop::End } else { self.expected("a JSON value") });
        }
        self.at += literal.len();
        let is_nothing = self.naming == Naming::Arguments && literal == b"null";
        self.give(if is_nothing { b"" } else { literal }, None)?;
        Ok(true)
    }

    fn give(&mut self, value: &[u8], spot: Option<Spot<'_>>) -> Result<(), Stop> {
        self.values_left = self.values_left.checked_sub(1).ok_or(Stop::Error(BodyError::TooManyArguments))?;
        (self.sink)(Piece { name: &self.path, value, spot });
        Ok(())
    }

    fn peek(&self) -> Result<u8, Stop> {
        self.body.get(self.at).copied().ok_or(Stop::End)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.body.get(self.at) {
            self.at += 1;
        }
    }

    fn expected(&self, expected: &'static str) -> Stop {
        Stop::Error(BodyError::Malformed { expected, offset: self.at })
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
