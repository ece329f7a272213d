//! XML (1.0, fifth edition), read as a stream: no tree, no recursion, no document type, and so no entities but the five.

use super::xml_pieces::Kind;
use super::xml_text::Place;
use super::{BodyError, Piece, Spot, Text, content_type::contains_ascii, xml_text};
use std::ops::Range;

/// The most attributes of one element.
const ATTRIBUTES_MAX: usize = 256;

/// As [`walk_xml`](super::walk_xml), saying of each piece what it is, and with text of white space alone.
pub(crate) fn walk(
    body: &[u8],
    complete: bool,
    depth_max: usize,
    values_max: usize,
    sink: &mut dyn FnMut(Kind, Piece<'_>),
) -> Result<(), BodyError> {
    let start = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut walk = Walk {
        body,
        at: start,
        path: Vec::new(),
        open: Vec::new(),
        run: None,
        is_over: false,
        is_utf8: true,
        depth_max,
        values_left: values_max,
        sink,
    };
    if walk.rest().trim_ascii().is_empty() {
        return Ok(());
    }
    match walk.document(complete) {
        Ok(()) => Ok(()),
        Err(Stop::End) if !complete => Ok(()),
        Err(Stop::End) => Err(BodyError::Malformed { expected: "more XML", offset: body.len() }),
        Err(Stop::Error(error)) => Err(error),
    }
}

enum Stop {
    /// The bytes end where XML does not.
    End,
    Error(BodyError),
}

/// An element that is open.
struct Open<'b> {
    name: &'b [u8],
    /// The length of the path of its parent.
    path_len: usize,
}

/// Text from tag to tag.
struct Run {
    /// Where it stands, with everything in between.
    range: Range<usize>,
    /// What it says, where that is not what stands there.
    text: Option<Vec<u8>>,
}

struct Walk<'b, 's, 'f> {
    body: &'b [u8],
    at: usize,
    path: Vec<u8>,
    open: Vec<Open<'b>>,
    run: Option<Run>,
    /// Whether the document's element has ended.
    is_over: bool,
    /// Whether values can be written back: they are, in UTF-8.
    is_utf8: bool,
    depth_max: usize,
    values_left: usize,
    sink: &'s mut (dyn FnMut(Kind, Piece<'_>) + 'f),
}

impl<'b> Walk<'b, '_, '_> {
    fn document(&mut self, complete: bool) -> Result<(), Stop> {
        self.declaration()?;
        xml_text::check_characters(self.body, self.is_utf8, complete).map_err(Stop::Error)?;
        self.skip_space();
        loop {
            match self.rest().first() {
                _ if self.is_over => return self.epilogue(),
                Some(b'<') => self.markup()?,
                Some(_) if self.open.is_empty() => return Err(self.expected("an element")),
                Some(_) => self.text()?,
                None => return self.flush().and(Err(Stop::End)),
            }
        }
    }

    /// What may follow the document's element: comments, processing instructions and white space.
    fn epilogue(&mut self) -> Result<(), Stop> {
        loop {
            self.skip_space();
            match self.rest() {
                [] => return Ok(()),
                [b'<', b'!' | b'?', ..] => self.markup()?,
                b"<" => return Err(Stop::End),
                _ => return Err(self.expected("nothing after the document's element")),
            }
        }
    }

    /// `<?xml …?>`, which names the encoding: one that contains ASCII.
    fn declaration(&mut self) -> Result<(), Stop> {
        let Some(rest) = self.rest().strip_prefix(b"<?xml") else { return Ok(()) };
        if !rest.first().is_some_and(u8::is_ascii_whitespace) {
            return if rest.is_empty() { Err(Stop::End) } else { Ok(()) };
        }
        let end = memchr::memmem::find(rest, b"?>").ok_or(Stop::End)?;
        let encoding = xml_text::encoding(rest.get(..end).unwrap_or_default())
            .filter(|encoding| contains_ascii(encoding));
        let expected = "version, encoding (one with ASCII) and standalone";
        let encoding = encoding.ok_or_else(|| self.expected(expected))?;
        self.is_utf8 = matches!(encoding.as_slice(), b"utf-8" | b"utf8" | b"us-ascii" | b"ascii");
        self.at += b"<?xml".len() + end + 2;
        self.skip_space();
        Ok(())
    }

    /// Text up to the next markup.
    fn text(&mut self) -> Result<(), Stop> {
        let rest = self.rest();
        let end = memchr::memchr(b'<', rest).unwrap_or(rest.len());
        let raw = rest.get(..end).unwrap_or_default();
        if let Some(at) = memchr::memmem::find(raw, b"]]>") {
            self.at += at;
            return Err(self.expected("no `]]>` in text"));
        }
        let range = self.at..self.at + end;
        let text = self.resolved(raw, Place::Text, range.start, end == rest.len())?;
        self.at = range.end;
        self.append(range, text);
        Ok(())
    }

    /// `raw` as its place has it, where that is not what stands there. `is_last`: nothing follows it, so one may be cut off.
    fn resolved(
        &mut self,
        raw: &[u8],
        place: Place,
        start: usize,
        is_last: bool,
    ) -> Result<Option<Vec<u8>>, Stop> {
        match xml_text::resolve(raw, place) {
            Ok(text) => Ok(text),
            Err(xml_text::Unresolved { before, rest }) => {
                self.at = start + raw.len() - rest.len();
                if is_last && !rest.contains(&b';') && rest.len() <= xml_text::REFERENCE_LEN_MAX {
                    self.append(start..self.at, Some(before));
                    self.flush()?;
                    return Err(Stop::End);
                }
                Err(self.expected("a character reference, or one of lt, gt, amp, quot and apos"))
            }
        }
    }

    fn append(&mut self, range: Range<usize>, text: Option<Vec<u8>>) {
        let body = self.body;
        self.run = Some(match self.run.take() {
            None => Run { range, text },
            Some(before) => {
                let mut whole = before
                    .text
                    .unwrap_or_else(|| body.get(before.range.clone()).unwrap_or_default().to_vec());
                whole.extend_from_slice(text.as_deref().or(body.get(range.clone())).unwrap_or_default());
                Run { range: before.range.start..range.end, text: Some(whole) }
            }
        });
    }

    /// Gives the text that a tag ends.
    fn flush(&mut self) -> Result<(), Stop> {
        let Some(Run { range, text }) = self.run.take() else { return Ok(()) };
        let body = self.body;
        let value = text.as_deref().or(body.get(range.clone())).unwrap_or_default();
        self.give(Kind::Text, value, Some(range))
    }

    /// What begins with `<`.
    fn markup(&mut self) -> Result<(), Stop> {
        match self.rest() {
            [b'<', b'/', ..] => self.end_tag(),
            [b'<', b'?', ..] => self.instruction(),
            [b'<', b'!', ..] => self.declared(),
            [b'<'] => self.flush().and(Err(Stop::End)),
            _ => self.start_tag(),
        }
    }

    /// A comment or a CDATA section; nothing else begins with `<!` outside of a document type.
    fn declared(&mut self) -> Result<(), Stop> {
        let rest = self.rest();
        if let Some(comment) = rest.strip_prefix(b"<!--") {
            let end = memchr::memmem::find(comment, b"--");
            let text = comment.get(..end.unwrap_or(comment.len())).unwrap_or_default();
            self.give_under("comment()", text)?;
            self.at += b"<!--".len() + end.ok_or(Stop::End)? + 2;
            return self.take(b">", "`>` after `--` in a comment");
        }
        if !self.open.is_empty()
            && let Some(section) = rest.strip_prefix(b"<![CDATA[")
        {
            let end = memchr::memmem::find(section, b"]]>");
            let text = section.get(..end.unwrap_or(section.len())).unwrap_or_default();
            let len = end.map_or(rest.len(), |end| b"<![CDATA[".len() + end + b"]]>".len());
            let mut plain = Vec::with_capacity(text.len());
            xml_text::normalise(text, Place::Text, &mut plain);
            self.append(self.at..self.at + len, Some(plain));
            self.at += len;
            return if end.is_some() { Ok(()) } else { self.flush().and(Err(Stop::End)) };
        }
        if b"<!--".starts_with(rest) || b"<![CDATA[".starts_with(rest) {
            return self.flush().and(Err(Stop::End));
        }
        Err(self.expected("no document type and no declaration"))
    }

    fn instruction(&mut self) -> Result<(), Stop> {
        let rest = self.rest().get(2..).unwrap_or_default();
        let end = memchr::memmem::find(rest, b"?>");
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let target = text.get(..xml_text::name_len(text)).unwrap_or_default();
        if end.is_some() && (target.is_empty() || target.eq_ignore_ascii_case(b"xml")) {
            return Err(self.expected("a processing instruction with a name other than xml"));
        }
        self.give_under("processing-instruction()", text)?;
        self.at += 2 + end.ok_or(Stop::End)? + 2;
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), Stop> {
        self.flush()?;
        self.at += 1;
        let name = self.name()?;
        if self.open.len() >= self.depth_max {
            return Err(Stop::Error(BodyError::TooDeep));
        }
        self.open.push(Open { name, path_len: self.path.len() });
        self.path.push(b'/');
        self.path.extend_from_slice(name);
        self.give(Kind::Name, name, None)?;
        let mut attributes: Vec<&[u8]> = Vec::new();
        loop {
            let had_space = self.skip_space();
            match self.rest() {
                [b'>', ..] => {
                    self.at += 1;
                    return Ok(());
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    self.close();
                    return Ok(());
                }
                [] | [b'/'] => return Err(Stop::End),
                _ if !had_space => return Err(self.expected("white space or the end of the tag")),
                _ => {
                    let name = self.attribute()?;
                    if attributes.contains(&name) {
                        return Err(self.expected("an attribute only once before this byte"));
                    }
                    attributes.push(name);
                    if attributes.len() > ATTRIBUTES_MAX {
                        return Err(Stop::Error(BodyError::TooManyArguments));
                    }
                }
            }
        }
    }

    /// Reads an attribute, gives it, and returns its name.
    fn attribute(&mut self) -> Result<&'b [u8], Stop> {
        let name = self.name()?;
        self.skip_space();
        self.take(b"=", "`=` after an attribute's name")?;
        self.skip_space();
        let (&quote, rest) = self.rest().split_first().ok_or(Stop::End)?;
        if !matches!(quote, b'"' | b'\'') {
            return Err(self.expected("an attribute's value in quotes"));
        }
        self.at += 1;
        let end = memchr::memchr2(quote, b'<', rest);
        let raw = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let path_len = self.path.len();
        self.path.extend_from_slice(b"/@");
        self.path.extend_from_slice(name);
        self.give(Kind::Name, name, None)?;
        let range = self.at..self.at + raw.len();
        let text = self.resolved(raw, Place::Attribute, range.start, end.is_none())?;
        self.give(Kind::Attribute, text.as_deref().unwrap_or(raw), Some(range.clone()))?;
        self.path.truncate(path_len);
        self.at = range.end;
        if end.is_none() {
            return Err(Stop::End);
        }
        self.take(&[quote], "no `<` in an attribute's value")?;
        Ok(name)
    }

    fn end_tag(&mut self) -> Result<(), Stop> {
        self.flush()?;
        self.at += 2;
        let name = self.name()?;
        if self.open.last().is_none_or(|open| open.name != name) {
            return Err(self.expected("before this byte the end of the element that is open"));
        }
        self.skip_space();
        self.take(b">", "`>` at the end of the tag")?;
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        if let Some(Open { path_len, .. }) = self.open.pop() {
            self.path.truncate(path_len);
        }
        self.is_over = self.open.is_empty();
    }

    /// A name; at the end of the bytes it may go on.
    fn name(&mut self) -> Result<&'b [u8], Stop> {
        let rest = self.rest();
        let len = xml_text::name_len(rest);
        if len == rest.len() {
            return Err(Stop::End);
        }
        if len == 0 {
            return Err(self.expected("a name"));
        }
        self.at += len;
        Ok(rest.get(..len).unwrap_or_default())
    }

    fn give_under(&mut self, step: &str, value: &[u8]) -> Result<(), Stop> {
        let path_len = self.path.len();
        self.path.push(b'/');
        self.path.extend_from_slice(step.as_bytes());
        let given = self.give(Kind::Aside, value, None);
        self.path.truncate(path_len);
        given
    }

    fn give(&mut self, kind: Kind, value: &[u8], range: Option<Range<usize>>) -> Result<(), Stop> {
        // White space alone costs nothing: the tag before it was counted.
        if kind != Kind::Text || !value.trim_ascii().is_empty() {
            self.values_left =
                self.values_left.checked_sub(1).ok_or(Stop::Error(BodyError::TooManyArguments))?;
        }
        let spot = range.filter(|_| self.is_utf8).map(|range| Spot { range, text: Text::Xml });
        (self.sink)(kind, Piece { name: &self.path, value, spot });
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], expected: &'static str) -> Result<(), Stop> {
        let rest = self.rest();
        if !rest.starts_with(bytes) {
            return Err(if bytes.starts_with(rest) { Stop::End } else { self.expected(expected) });
        }
        self.at += bytes.len();
        Ok(())
    }

    fn skip_space(&mut self) -> bool {
        let start = self.at;
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.body.get(self.at) {
            self.at += 1;
        }
        self.at > start
    }

    fn rest(&self) -> &'b [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> Stop {
        Stop::Error(BodyError::Malformed { expected, offset: self.at })
    }
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
