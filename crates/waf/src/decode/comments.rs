//! Comments of SQL, which databases read as a space and pattern writers forget.

use super::changed;

/// Puts a space where a comment is: `/* … */`, and `-- …` and `# …` where a line follows them. The content of MySQL's
/// executable comments (`/*!50000 … */`) stays.
pub fn replace_comments(input: &[u8]) -> Option<Vec<u8>> {
    // A comment is `/*`, or ends with its line.
    memchr::memchr2(b'*', b'\n', input)?;
    changed(replaced(input, &mut Lines::of(input)), input)
}

fn replaced(input: &[u8], lines: &mut Lines) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    let mut executable = false;
    while let Some((&byte, tail)) = rest.split_first() {
        match rest {
            [b'/', b'*', b'!', inside @ ..] => {
                let digits = inside.iter().take_while(|b| b.is_ascii_digit()).count();
                rest = inside.get(digits..).unwrap_or_default();
                executable = true;
                out.push(b' ');
            }
            [b'*', b'/', after @ ..] if executable => {
                rest = after;
                executable = false;
                out.push(b' ');
            }
            [b'/', b'*', inside @ ..] => {
                rest = memchr::memmem::find(inside, b"*/")
                    .and_then(|at| inside.get(at + 2..))
                    .unwrap_or_default();
                out.push(b' ');
            }
            [b'-', b'-', inside @ ..] | [b'#', inside @ ..] => match lines.after(inside) {
                Some(next) => {
                    rest = next;
                    out.push(b' ');
                }
                None => {
                    out.push(byte);
                    rest = tail;
                }
            },
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

/// The lines of a text. The last line end is looked for once: were it looked for behind each `#` of `####…`, the time
/// would grow with the square of the length.
struct Lines {
    /// How many bytes stand behind the last line end; `None`: there is none.
    after_last: Option<usize>,
    /// The bytes that were looked at.
    #[cfg(test)]
    steps: usize,
}

impl Lines {
    fn of(text: &[u8]) -> Self {
        let after_last = memchr::memrchr(b'\n', text).map(|at| text.len() - at - 1);
        Lines {
            after_last,
            #[cfg(test)]
            steps: text.len(),
        }
    }

    /// What follows the line that `rest`, an end of the text, begins in.
    fn after<'t>(&mut self, rest: &'t [u8]) -> Option<&'t [u8]> {
        self.after_last.filter(|after_last| rest.len() > *after_last)?;
        let at = memchr::memchr(b'\n', rest)?;
        #[cfg(test)]
        {
            self.steps += at + 1;
        }
        rest.get(at + 1..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_spaces_and_the_rest_stays() {
        let replaced =
            |text: &str| replace_comments(text.as_bytes()).map(|out| String::from_utf8(out).unwrap());
        assert_eq!(replaced("union/**/select"), Some("union select".into()));
        assert_eq!(replaced("/*!50000union*/ select"), Some(" union  select".into()));
        assert_eq!(replaced("union#x\nselect--y\n1"), Some("union select 1".into()));
        assert_eq!(replaced("1 /* open"), Some("1  ".into()));
        assert_eq!(replaced("C# - well-known -- or 1/2"), None);
    }

    #[test]
    fn the_work_grows_with_the_length_alone() {
        for piece in ["#", "--", "-- ", "#\n", "/*", "/*!", "*/", "--\n#", "x#"] {
            for before in ["", "\n"] {
                let text = before.to_owned() + &piece.repeat(10_000);
                let mut lines = Lines::of(text.as_bytes());
                replaced(text.as_bytes(), &mut lines);
                assert!(lines.steps <= 2 * text.len(), "{piece:?}: {} for {}", lines.steps, text.len());
            }
        }
    }
}
