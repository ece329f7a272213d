//! `multipart/form-data` as ModSecurity reads it (`Multipart` in its `request_body_processor`): line by line, taking what
//! it can and saying by flags what a backend might read otherwise.

use super::boundary::{Announced, announced};
use super::part::Part;
use super::variables::Variables;
use secbeat_seclang::Variable;

/// The longest line of a part's head; as long as ModSecurity's buffer.
const HEAD_LINE_MAX: usize = 4096;

/// What a multipart body may do that backends read differently; each is a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    pub(super) error: bool,
    pub(super) boundary_quoted: bool,
    pub(super) boundary_whitespace: bool,
    pub(super) missing_semicolon: bool,
    pub(super) data_before: bool,
    pub(super) data_after: bool,
    pub(super) header_folding: bool,
    pub(super) invalid_header_folding: bool,
    pub(super) invalid_quoting: bool,
    pub(super) invalid_part: bool,
    pub(super) lf_line: bool,
    pub(super) crlf_line: bool,
    pub(super) file_limit_exceeded: bool,
    pub(super) unmatched: Unmatched,
}

/// Whether a line looked like a boundary and was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unmatched {
    /// No line did.
    #[default]
    None,
    /// One did, and no boundary came after it.
    Open,
    /// One did, and a boundary came after it: a part that holds another message.
    Closed,
}

/// Gives the variables of a multipart body: arguments, files, lines of part heads, and all `MULTIPART_…` flags. At most
/// `parts_max` parts are read. Where `complete` is false the body was cut, and an early end is no error.
///
/// # Errors
/// What `REQBODY_ERROR_MSG` tells: the body is not what its type says. What was read before is given all the same.
pub fn multipart(
    content_type: &[u8],
    body: &[u8],
    complete: bool,
    parts_max: usize,
    out: &mut impl Variables,
) -> Result<(), &'static str> {
    let mut flags = Flags::default();
    let read = match announced(content_type, &mut flags) {
        Ok(Announced(boundary)) if !body.is_empty() => {
            let mut walk = Walk { boundary, flags, part: None, boundaries: 0, error: None, parts_max, out };
            let read = walk.lines(body, complete);
            flags = walk.flags;
            read.and(walk.error.map_or(Ok(()), Err))
        }
        Ok(_) => Ok(()),
        Err(expected) => {
            flags.error = true;
            Err(expected)
        }
    };
    flags.give(out);
    read
}

impl Flags {
    fn give(self, out: &mut impl Variables) {
        let strict_error = self.error
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.data_before
            || self.data_after
            || self.header_folding
            || self.lf_line
            || self.missing_semicolon
            || self.invalid_quoting
            || self.invalid_part
            || self.invalid_header_folding
            || self.file_limit_exceeded;
        for (variable, flag) in [
            (Variable::MultipartStrictError, strict_error),
            (Variable::MultipartBoundaryQuoted, self.boundary_quoted),
            (Variable::MultipartBoundaryWhitespace, self.boundary_whitespace),
            (Variable::MultipartDataBefore, self.data_before),
            (Variable::MultipartDataAfter, self.data_after),
            (Variable::MultipartHeaderFolding, self.header_folding),
            (Variable::MultipartInvalidHeaderFolding, self.invalid_header_folding),
            (Variable::MultipartLfLine, self.lf_line),
            (Variable::MultipartCrlfLfLines, self.lf_line && self.crlf_line),
            (Variable::MultipartMissingSemicolon, self.missing_semicolon),
            (Variable::MultipartSemicolonMissing, self.missing_semicolon),
            (Variable::MultipartInvalidQuoting, self.invalid_quoting),
            (Variable::MultipartInvalidPart, self.invalid_part),
            (Variable::MultipartFileLimitExceeded, self.file_limit_exceeded),
        ] {
            out.set(variable, if flag { b"1" } else { b"0" });
        }
        out.set(
            Variable::MultipartUnmatchedBoundary,
            match self.unmatched {
                Unmatched::None => b"0",
                Unmatched::Open => b"1",
                Unmatched::Closed => b"2",
            },
        );
    }
}

struct Walk<'b, 'v, V> {
    boundary: Vec<u8>,
    flags: Flags,
    part: Option<Part<'b>>,
    boundaries: usize,
    /// The last thing that was wrong with a head, which does not stop the reading.
    error: Option<&'static str>,
    parts_max: usize,
    out: &'v mut V,
}

impl<'b, V: Variables> Walk<'b, '_, V> {
    fn lines(&mut self, body: &'b [u8], complete: bool) -> Result<(), &'static str> {
        let (mut at, mut ended_by_lf_alone) = (0, false);
        while let Some(end) = memchr::memchr(b'\n', body.get(at..).unwrap_or_default()) {
            let next = at + end + 1;
            let line = body.get(at..next).unwrap_or_default();
            let is_last = self.line(body, at, line, ended_by_lf_alone)?;
            ended_by_lf_alone = !line.ends_with(b"\r\n");
            at = next;
            if is_last {
                self.flags.data_after = at < body.len();
                return Ok(());
            }
        }
        self.end(body, at, complete, ended_by_lf_alone)
    }

    /// One line with its end. Whether it was the last boundary.
    fn line(
        &mut self,
        body: &'b [u8],
        at: usize,
        line: &'b [u8],
        after_lf: bool,
    ) -> Result<bool, &'static str> {
        if line.starts_with(b"--") && line.len() > 3 {
            if let Some(rest) = line.get(2..).and_then(|rest| rest.strip_prefix(self.boundary.as_slice())) {
                self.flags.lf_line |= after_lf;
                if self.boundaries == 0 || self.part.as_ref().is_some_and(Part::has_content) {
                    return self.boundary_line(rest);
                }
                // Where the content of a part begins, or still in its head.
                self.flags.invalid_part = true;
            } else {
                self.resembling_line(line)?;
            }
        } else if self.resembles_boundary(line) {
            self.flags.unmatched = Unmatched::Open;
        }
        match &mut self.part {
            None => self.flags.data_before = true,
            Some(part) if part.is_in_head() => {
                if line.len() > HEAD_LINE_MAX {
                    self.flags.error = true;
                    return Err("shorter lines in the head of a part");
                }
                if let Err(expected) = part.head_line(line, &mut self.flags) {
                    self.error = Some(expected);
                }
            }
            Some(part) => part.content_line(body, at, line),
        }
        Ok(false)
    }

    /// What follows the boundary on its line. Whether it is the last one.
    fn boundary_line(&mut self, rest: &[u8]) -> Result<bool, &'static str> {
        if self.flags.unmatched == Unmatched::Open && self.boundaries > 0 {
            self.flags.unmatched = Unmatched::Closed;
        }
        let (is_last, end) = match rest.strip_prefix(b"--") {
            Some(end) => (true, end),
            None => (false, rest),
        };
        match end {
            b"\r\n" => self.flags.crlf_line = true,
            b"\n" => self.flags.lf_line = true,
            _ => {
                self.flags.error = true;
                return Err("nothing behind a boundary");
            }
        }
        self.boundary_passed(is_last)?;
        Ok(is_last)
    }

    fn boundary_passed(&mut self, is_last: bool) -> Result<(), &'static str> {
        if let Some(part) = self.part.take() {
            self.flags.invalid_part |= !part.give(self.out);
        }
        if !is_last {
            if self.boundaries >= self.parts_max {
                self.flags.error = true;
                return Err("fewer parts");
            }
            self.part = Some(Part::default());
        }
        self.boundaries += 1;
        Ok(())
    }

    /// A line that begins as a boundary does and is none.
    fn resembling_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let rest = line.get(2..).unwrap_or_default();
        let unquoted = rest.strip_prefix(b"\"").unwrap_or_default();
        if self.flags.boundary_quoted && unquoted.starts_with(&self.boundary) {
            self.flags.error = true;
            return Err("no quotes around a boundary");
        }
        if rest.first().is_some_and(u8::is_ascii_whitespace)
            && rest.trim_ascii_start().starts_with(&self.boundary)
        {
            self.flags.error = true;
            return Err("no white space before a boundary");
        }
        self.flags.unmatched = Unmatched::Open;
        Ok(())
    }

    /// Whether `--` and the boundary stand anywhere in the line.
    fn resembles_boundary(&self, line: &[u8]) -> bool {
        memchr::memmem::find_iter(line, b"--").any(|at| {
            // `---boundary` holds it too: `find_iter` leaves out what overlaps.
            [at + 2, at + 3]
                .iter()
                .any(|&from| line.get(from..).is_some_and(|rest| rest.starts_with(&self.boundary)))
                && !self.boundary.is_empty()
        })
    }

    /// What stands behind the last line end: the last boundary may.
    fn end(&mut self, body: &'b [u8], at: usize, complete: bool, after_lf: bool) -> Result<(), &'static str> {
        let rest = body.get(at..).unwrap_or_default();
        let after = rest.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(self.boundary.as_slice()));
        if after == Some(b"--") && self.boundaries > 0 {
            self.flags.lf_line |= after_lf;
            self.flags.invalid_part |= !self.part.as_ref().is_some_and(Part::has_content);
            return self.boundary_passed(true);
        }
        if !complete {
            // What is here of the part that was cut is looked at.
            if let Some(mut part) = self.part.take().filter(|part| !part.is_in_head()) {
                part.content_line(body, at, rest);
                let _ = part.give(self.out);
            }
            return Ok(());
        }
        Err(if self.boundaries > 0 { "the last boundary" } else { "a boundary" })
    }
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
