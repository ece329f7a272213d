//! What shells skip inside a word.

use super::changed;

/// Removes quotes, carets and backslashes, which shells drop from inside a word (`c'a't`, `c^at`, `c\at`), as well as
/// `$@` and `$*`, and puts a space where `$IFS` or `${IFS}` is.
pub fn plain_command_line(input: &[u8]) -> Option<Vec<u8>> {
    input.iter().any(|b| b"'\"^\\$".contains(b)).then_some(())?;
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match rest {
            [b'\'' | b'"' | b'^' | b'\\', ..] => tail,
            [b'$', b'@' | b'*', after @ ..] => after,
            [b'$', b'I', b'F', b'S', after @ ..] | [b'$', b'{', b'I', b'F', b'S', b'}', after @ ..] => {
                out.push(b' ');
                after
            }
            _ => {
                out.push(byte);
                tail
            }
        };
    }
    changed(out, input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shells_skip_goes_away() {
        let plain =
            |text: &str| plain_command_line(text.as_bytes()).map(|out| String::from_utf8(out).unwrap());
        assert_eq!(plain(r#";c'a't /et"c"/pas\swd"#), Some(";cat /etc/passwd".into()));
        assert_eq!(plain("cat${IFS}/etc/passwd$IFS"), Some("cat /etc/passwd ".into()));
        assert_eq!(plain("ca$@t"), Some("cat".into()));
        assert_eq!(plain("costs $5"), None);
    }
}
