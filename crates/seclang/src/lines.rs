//! A file in logical lines: what a backslash continues joined, comments and blank lines gone.

use std::borrow::Cow;

/// A directive may be this long: ten times the longest of the Core Rule Set, and then some.
const LINE_MAX: usize = 1 << 20;

/// One directive, or `<IfModule …>`, as written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The line on which it begins, from 1.
    pub number: u32,
    /// Its text without white space at either end; or why it cannot be read.
    pub text: Result<Cow<'a, str>, String>,
    /// A comment that ends in a backslash hid what is no comment by itself. The text is empty.
    pub swallowed: bool,
}

/// The logical lines of a file.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut physical = text.split(|byte| *byte == b'\n').zip(1_u32..);
    std::iter::from_fn(move || {
        loop {
            let (first, number) = physical.next()?;
            let (first, mut continues) = continued(first);
            let comment = first.trim_ascii_start().starts_with(b"#");
            let mut whole = Cow::Borrowed(first);
            let mut swallowed = false;
            while continues {
                let Some((next, _)) = physical.next() else { break };
                let (next, more) = continued(next);
                continues = more;
                if comment {
                    let next = next.trim_ascii_start();
                    swallowed |= !next.is_empty() && !next.starts_with(b"#");
                } else if whole.len() <= LINE_MAX {
                    whole.to_mut().extend_from_slice(next);
                }
            }
            if swallowed {
                return Some(Line { number, text: Ok(Cow::Borrowed("")), swallowed });
            }
            if comment || whole.trim_ascii().is_empty() {
                continue;
            }
            return Some(Line { number, text: readable(whole), swallowed });
        }
    })
}

/// A physical line without its end, and whether it goes on in the next one.
fn continued(line: &[u8]) -> (&[u8], bool) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_suffix(b"\\").map_or((line, false), |line| (line, true))
}

fn readable(line: Cow<'_, [u8]>) -> Result<Cow<'_, str>, String> {
    if line.len() > LINE_MAX {
        return Err(format!("a directive of more than {LINE_MAX} bytes; is a quote or a line end missing?"));
    }
    if line.contains(&0) {
        return Err("a NUL byte; expected text: write \\x00".into());
    }
    const ENCODING: &str = "bytes that are not UTF-8; write them as \\xHH or save the file as UTF-8";
    match line {
        Cow::Borrowed(line) => {
            std::str::from_utf8(line.trim_ascii()).map(Cow::Borrowed).map_err(|_| ENCODING.into())
        }
        Cow::Owned(line) => match String::from_utf8(line) {
            Ok(line) => Ok(Cow::Owned(line.trim().to_owned())),
            Err(_) => Err(ENCODING.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, String)> {
        lines(text.as_bytes()).map(|line| (line.number, line.text.unwrap().into_owned())).collect()
    }

    #[test]
    fn a_backslash_at_the_end_joins_and_the_number_is_that_of_the_first_line() {
        assert_eq!(
            read("# one\n\nSecRule \\\r\n  ARGS\\\nx\n  SecMarker a\n"),
            [(3, "SecRule   ARGSx".to_owned()), (6, "SecMarker a".to_owned())]
        );
    }

    #[test]
    fn a_comment_that_hides_a_rule_is_told() {
        let found: Vec<_> = lines(b"# note \\\nSecRule ARGS a\nSecMarker b").collect();
        assert!(found[0].swallowed);
        assert_eq!(found[1].number, 3);
        assert_eq!(read("# a \\\n# b \\\n\nSecMarker c"), [(4, "SecMarker c".to_owned())]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let found: Vec<_> = lines(b"# \xff is fine here\nSecMarker \xff\nSecMarker \0").collect();
        assert_eq!(found.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 3]);
        assert!(found.iter().all(|line| line.text.is_err()));
    }
}
