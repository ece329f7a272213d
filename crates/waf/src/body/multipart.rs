//! `multipart/form-data` (RFC 7578), as browsers write it: no preamble, no epilogue, CRLF everywhere, every part named.

use super::content_type::{ambiguity, parameters};
use super::{BodyError, Piece, Sink, Spot, Text};

/// The longest boundary: RFC 2046 5.1.1.
const BOUNDARY_LEN_MAX: usize = 70;
/// The longest head of a part, in bytes.
const PART_HEAD_LEN_MAX: usize = 16 * 1024;
/// The most lines of a part's head. Each is given under the part's name: many under a long name would multiply the work.
const PART_FIELDS_MAX: usize = 32;

/// Gives, for the part `name`: the name itself, its value under `name` unless it is a file, a file's name under
/// `name.filename`, and its other header fields under `name.<field>`. What is in a file is not looked at; a part whose
/// file name is empty, or given as `filename*` alone, is a value, as some backends treat it. A part that says that it is
/// encoded, or in a charset that is no superset of ASCII, is refused: some backends decode it. Where `complete` is false the body was cut: what is there
/// is given, and an early end is no error. An empty body is fine.
pub fn walk_multipart(
    content_type: &[u8],
    body: &[u8],
    complete: bool,
    parts_max: usize,
    sink: &mut Sink<'_>,
) -> Result<(), BodyError> {
    let boundary = boundary(content_type).ok_or(BodyError::Malformed {
        expected: "one boundary of 1 to 70 characters in the content type",
        offset: 0,
    })?;
    if body.is_empty() {
        return Ok(());
    }
    let delimiter = [b"\r\n--", boundary.as_slice()].concat();
    let mut walk = Walk { body, at: 0, delimiter: &delimiter, parts_left: parts_max, sink };
    match walk.parts() {
        Err(Stop::End) if complete => {
            Err(BodyError::Malformed { expected: "the last boundary", offset: body.len() })
        }
        Err(Stop::Error(error)) => Err(error),
        Ok(()) | Err(Stop::End) => Ok(()),
    }
}

/// The boundary that a content type announces, where it announces exactly one that is well formed.
fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let mut boundaries = parameters(content_type)?.into_iter().filter(|(name, _)| name == b"boundary");
    let (_, boundary) = boundaries.next()?;
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(b);
    let well_formed = (1..=BOUNDARY_LEN_MAX).contains(&boundary.len())
        && boundary.iter().all(legal)
        && boundary.last() != Some(&b' ');
    (well_formed && boundaries.next().is_none()).then_some(boundary)
}

enum Stop {
    /// The bytes end before the last boundary.
    End,
    Error(BodyError),
}

struct Walk<'b, 's, 'f> {
    body: &'b [u8],
    at: usize,
    delimiter: &'b [u8],
    parts_left: usize,
    sink: &'s mut Sink<'f>,
}

impl<'b> Walk<'b, '_, '_> {
    fn parts(&mut self) -> Result<(), Stop> {
        // The first boundary has no line before it.
        let opening = self.delimiter.get(2..).unwrap_or_default();
        self.take(opening, "the first boundary")?;
        while !self.is_last()? {
            self.take(b"\r\n", "a line end after the boundary")?;
            self.parts_left = self.parts_left.checked_sub(1).ok_or(Stop::Error(BodyError::TooManyParts))?;
            self.part()?;
        }
        Ok(())
    }

    /// After a boundary: whether it is the last one, which nothing but a line end may follow.
    fn is_last(&mut self) -> Result<bool, Stop> {
        let rest = self.rest();
        match rest.strip_prefix(b"--") {
            Some(b"" | b"\r\n") => Ok(true),
            Some(b"\r") => Err(Stop::End),
            Some(_) => {
                self.at += 2;
                Err(self.expected("nothing after the last boundary"))
            }
            None if rest.len() < 2 => Err(Stop::End),
            None => Ok(false),
        }
    }

    fn part(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let (mut disposition, mut others) = (None, Vec::new());
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if self.at - start > PART_HEAD_LEN_MAX || others.len() >= PART_FIELDS_MAX {
                return Err(self.expected("a shorter head of the part"));
            }
            let (name, value) =
                field(line).ok_or_else(|| self.expected("a header field before this byte"))?;
            if let Some(expected) = disguise(&name, value) {
                return Err(self.expected(expected));
            }
            if name != b"content-disposition" {
                others.push((name, value));
            } else if disposition.replace(value).is_some() {
                return Err(self.expected("one Content-Disposition before this byte"));
            }
        }
        let (name, file_names, is_file) = disposition.and_then(names).ok_or_else(|| {
            self.expected("a Content-Disposition of form-data with one name before this byte")
        })?;
        self.give(&name, &name, None);
        for file_name in &file_names {
            self.give(&[name.as_slice(), b".filename"].concat(), file_name, None);
        }
        for (field, value) in others {
            self.give(&[name.as_slice(), b".", field.as_slice()].concat(), value, None);
        }
        self.content(&name, is_file)
    }

    /// The content of a part up to the boundary, which is taken.
    fn content(&mut self, name: &[u8], is_file: bool) -> Result<(), Stop> {
        // A part without content: the empty line's end is the boundary's beginning.
        let from = self.at.saturating_sub(2);
        let found = memchr::memmem::find(self.body.get(from..).unwrap_or_default(), self.delimiter);
        let end = found.map_or(self.body.len(), |found| from + found);
        if !is_file {
            let spot = Spot { range: self.at..end.max(self.at), text: Text::Part(self.delimiter) };
            self.give(name, self.body.get(self.at..end).unwrap_or_default(), Some(spot));
        }
        if found.is_none() {
            return Err(Stop::End);
        }
        self.at = end + self.delimiter.len();
        Ok(())
    }

    fn give(&mut self, name: &[u8], value: &[u8], spot: Option<Spot<'_>>) {
        (self.sink)(Piece { name, value, spot });
    }

    /// A line of a part's head without its CRLF, which is taken.
    fn line(&mut self) -> Result<&'b [u8], Stop> {
        let rest = self.rest();
        let end = memchr::memchr2(b'\r', b'\n', rest).ok_or(Stop::End)?;
        let line = rest.get(..end).unwrap_or_default();
        self.at += end;
        self.take(b"\r\n", "CRLF at the end of a line")?;
        Ok(line)
    }

    fn take(&mut self, bytes: &[u8], expected: &'static str) -> Result<(), Stop> {
        let rest = self.rest();
        if !rest.starts_with(bytes) {
            return Err(if bytes.starts_with(rest) { Stop::End } else { self.expected(expected) });
        }
        self.at += bytes.len();
        Ok(())
    }

    fn rest(&self) -> &'b [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> Stop {
        Stop::Error(BodyError::Malformed { expected, offset: self.at })
    }
}

/// Splits `Name: value`; the name in lower case.
fn field(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
    let is_token = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b));
    is_token.then(|| (name.to_ascii_lowercase(), value.get(1..).unwrap_or_default().trim_ascii()))
}

/// Where a field of a part's head lets a backend read its content otherwise than as the bytes that stand there: what was
/// expected instead. RFC 7578 has done away with transfer encodings, and some backends undo them all the same.
fn disguise(name: &[u8], value: &[u8]) -> Option<&'static str> {
    match name {
        b"content-transfer-encoding" => {
            let is_plain = |known: &[u8]| value.eq_ignore_ascii_case(known);
            let is_known = [&b"7bit"[..], b"8bit", b"binary"].into_iter().any(is_plain);
            (!is_known).then_some("a part that is not encoded (7bit, 8bit, binary) before this byte")
        }
        b"content-type" => ambiguity(value),
        _ => None,
    }
}

/// The name of a part, of which there is one; its file names: `filename`, `filename*`, each at most once; and whether
/// every backend takes it for a file.
fn names(disposition: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>, bool)> {
    let kind = disposition.split(|&b| b == b';').next()?.trim_ascii();
    if !kind.eq_ignore_ascii_case(b"form-data") {
        return None;
    }
    let parameters = parameters(disposition)?;
    let all = |wanted: &[u8]| {
        parameters.iter().filter(|(name, _)| name == wanted).map(|(_, v)| v.clone()).collect()
    };
    let (name, plain, extended): (Vec<_>, Vec<_>, Vec<_>) =
        (all(b"name"), all(b"filename"), all(b"filename*"));
    let [name] = <[Vec<u8>; 1]>::try_from(name).ok()?;
    let is_file = plain.first().is_some_and(|file_name| !file_name.is_empty());
    (plain.len() <= 1 && extended.len() <= 1).then(|| (name, [plain, extended].concat(), is_file))
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
