//! One part of a multipart body: its head, line by line, and where its content stands.

use super::disposition::{self, is_space};
use super::multipart::Flags;
use super::variables::Variables;
use secbeat_seclang::Variable;
use std::ops::Range;

/// The most header fields of a part. Each is given under the part's name: many under a long name would multiply the work.
const FIELDS_MAX: usize = 32;
/// The longest header field, folded lines joined.
const FIELD_MAX: usize = 4096;

/// A part that is being read.
#[derive(Debug, Default)]
pub struct Part<'b> {
    fields: Vec<Field>,
    /// Whether a field can go on in the next line: the last line was one.
    is_field_open: bool,
    /// Its head, once that is complete.
    head: Option<disposition::Disposition>,
    content: Option<Content<'b>>,
}

#[derive(Debug)]
struct Field {
    /// Empty: the line is no field.
    name: Vec<u8>,
    value: Vec<u8>,
    /// As it was sent, without its line end; joined where it was folded.
    line: Vec<u8>,
}

#[derive(Debug)]
struct Content<'b> {
    body: &'b [u8],
    range: Range<usize>,
}

impl<'b> Part<'b> {
    /// Whether the empty line that ends its head has not come yet.
    pub fn is_in_head(&self) -> bool {
        self.head.is_none()
    }

    /// Whether a line of content has come, and be it an empty one.
    pub fn has_content(&self) -> bool {
        self.content.is_some()
    }

    /// Takes a line of the head, with its end.
    ///
    /// # Errors
    /// What was expected instead. The line is passed over: the head goes on.
    pub fn head_line(&mut self, line: &[u8], flags: &mut Flags) -> Result<(), &'static str> {
        if line.contains(&0) {
            return Err("no NUL in the head of a part");
        }
        let text = match line {
            [text @ .., b'\r', b'\n'] => {
                flags.crlf_line = true;
                text
            }
            [text @ .., b'\n'] => {
                flags.lf_line = true;
                text
            }
            text => text,
        };
        match text.first() {
            None => self.end_of_head(flags),
            Some(first) if is_space(*first) => self.folded(text, flags),
            Some(_) => self.field(text),
        }
    }

    fn end_of_head(&mut self, flags: &mut Flags) -> Result<(), &'static str> {
        let disposition = self.fields.iter().find(|f| f.name.eq_ignore_ascii_case(b"content-disposition"));
        let value = &disposition.ok_or("a Content-Disposition in the head of a part")?.value;
        let read = disposition::read(value, &mut flags.invalid_quoting)?;
        if read.name.is_empty() {
            return Err("a name in the Content-Disposition of a part");
        }
        // Some backends look for the words alone.
        if !read.file_name.is_empty() && memchr::memmem::find(value, b"filename=").is_none() {
            return Err("filename= in the Content-Disposition of a file");
        }
        self.head = Some(read);
        Ok(())
    }

    /// A line that goes on with the field before.
    fn folded(&mut self, text: &[u8], flags: &mut Flags) -> Result<(), &'static str> {
        flags.header_folding = true;
        let len = text.iter().take_while(|b| is_space(**b)).count();
        let (space, more) = text.split_at_checked(len).unwrap_or_default();
        // RFC 2822 knows space and tab; PHP takes all white space.
        flags.invalid_header_folding |= space.iter().any(|b| !matches!(b, b' ' | b'\t'));
        let field = self.fields.last_mut().filter(|_| self.is_field_open);
        let field = field.ok_or("a header field before a folded line in the head of a part")?;
        if field.value.len() + 1 + more.len() > FIELD_MAX {
            return Err("a shorter header field in the head of a part");
        }
        field.value.push(b' ');
        field.value.extend_from_slice(more);
        field.line = [field.name.as_slice(), b": ", &field.value].concat();
        Ok(())
    }

    fn field(&mut self, text: &[u8]) -> Result<(), &'static str> {
        self.is_field_open = false;
        if self.fields.len() >= FIELDS_MAX {
            return Err("fewer header fields in the head of a part");
        }
        // Rules look at what is no field too.
        self.fields.push(Field { name: Vec::new(), value: Vec::new(), line: text.to_vec() });
        let colon = memchr::memchr(b':', text).ok_or("a colon in a header field of a part")?;
        let (name, value) = text.split_at_checked(colon).unwrap_or_default();
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return Err("a name of printable characters before the colon of a header field of a part");
        }
        if self.fields.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
            return Err("each header field only once in the head of a part");
        }
        let value = value.get(1..).unwrap_or_default();
        let start = value.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let value = value.get(start..).unwrap_or_default();
        let end = value.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |last| last + 1);
        if let Some(field) = self.fields.last_mut() {
            field.name = name.to_vec();
            field.value = value.get(..end).unwrap_or_default().to_vec();
        }
        self.is_field_open = true;
        Ok(())
    }

    /// Takes a line of content, with its end: `line` stands at `at` in `body`.
    pub fn content_line(&mut self, body: &'b [u8], at: usize, line: &[u8]) {
        let content = self.content.get_or_insert(Content { body, range: at..at });
        content.range.end = at + line.len();
    }

    /// Gives the part's variables. Whether it has a name; without one it gives nothing but its head.
    pub fn give(self, out: &mut impl Variables) -> bool {
        let disposition::Disposition { name, file_name } = self.head.unwrap_or_default();
        for field in &self.fields {
            out.add(Variable::MultipartPartHeaders, &name, &field.line);
        }
        if name.is_empty() {
            return false;
        }
        out.add(Variable::MultipartName, &name, &name);
        let value = self.content.as_ref().map(Content::value).unwrap_or_default();
        if file_name.is_empty() {
            out.add(Variable::ArgsPost, &name, value);
        } else {
            out.add(Variable::MultipartFilename, &file_name, &file_name);
            out.add(Variable::Files, &name, &file_name);
            out.add(Variable::FilesNames, &name, &name);
            out.add(Variable::FilesSizes, &name, value.len().to_string().as_bytes());
        }
        true
    }
}

impl Content<'_> {
    /// Without the line end that belongs to the boundary.
    fn value(&self) -> &[u8] {
        match self.body.get(self.range.clone()).unwrap_or_default() {
            [value @ .., b'\r', b'\n'] | [value @ .., b'\n'] => value,
            value => value,
        }
    }
}
