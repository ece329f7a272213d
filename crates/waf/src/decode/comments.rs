//! Comments of SQL, which databases read as a space and pattern writers forget.

use super::changed;

/// Puts a space where a comment is: `/* … */`, and `-- …` and `# …` where a line follows them. The content of MySQL's
/// executable comments (`/*!50000 … */`) stays.
pub fn replace_comments(input: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr3(b'/', b'#', b'-', input)?;
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
            [b'-', b'-', inside @ ..] | [b'#', inside @ ..] => match memchr::memchr(b'\n', inside) {
                Some(at) => {
                    rest = inside.get(at + 1..).unwrap_or_default();
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
    changed(out, input)
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
}
