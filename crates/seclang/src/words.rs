//! A directive in words, as Apache and ModSecurity 3 cut it: at white space, but for what stands in quotes.

use crate::suggest::quoted;
use std::borrow::Cow;

/// Cuts a directive into words, quotes taken off. In a word in quotes a backslash before that quote is taken away; every other
/// backslash stays, since expressions need it.
///
/// # Errors
/// A quote that is not closed.
pub(crate) fn words(text: &str) -> Result<Vec<Cow<'_, str>>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_ascii_start();
    while let Some(first) = rest.bytes().next() {
        let (word, after) = match first {
            b'"' | b'\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let end = closing(inner, first).ok_or_else(|| unclosed(rest))?;
                (
                    unescape(inner.get(..end).unwrap_or_default(), first),
                    inner.get(end + 1..).unwrap_or_default(),
                )
            }
            _ => {
                let (word, after) = rest.split_at(bare(rest).ok_or_else(|| unclosed(rest))?);
                (Cow::Borrowed(word), after)
            }
        };
        words.push(word);
        rest = after.trim_ascii_start();
    }
    Ok(words)
}

/// Where the quote is closed.
fn closing(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let found = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

/// Where a word without quotes ends: at white space, but not within `:'…'` (`TX:'/a b/'`, `msg:'a b'`).
fn bare(text: &str) -> Option<usize> {
    let mut previous = b' ';
    let mut place = 0;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(place) {
        if byte.is_ascii_whitespace() {
            break;
        }
        if *byte == b'\'' && previous == b':' {
            place += 1 + closing(text.get(place + 1..)?, b'\'')?;
        }
        previous = *byte;
        place += 1;
    }
    Some(place)
}

fn unescape(text: &str, quote: u8) -> Cow<'_, str> {
    let escaped = if quote == b'"' { "\\\"" } else { "\\'" };
    if !text.contains(escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek().copied()) {
            ('\\', Some(next)) if next == char::from(quote) => {}
            ('\\', Some('\\')) => {
                out.push_str("\\\\");
                characters.next();
                continue;
            }
            _ => {
                out.push(character);
                continue;
            }
        }
        out.extend(characters.next());
    }
    Cow::Owned(out)
}

fn unclosed(from: &str) -> String {
    format!(
        "the quote before {} is not closed; close it, or end the line in a backslash (with no space behind it) to go on",
        quoted(from)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_white_space_and_quotes_hold_them_together() {
        assert_eq!(
            words(r#"SecRule TX:'/a b/'|ARGS  "@rx \"\\d\\" 'x\'y' z"#).unwrap(),
            ["SecRule", "TX:'/a b/'|ARGS", r#"@rx "\\d\\"#, "x'y", "z"]
        );
        assert_eq!(words(r#""a""b" id:1,msg:'c d',log"#).unwrap(), ["a", "b", "id:1,msg:'c d',log"]);
        assert_eq!(words(r#"SecAction """#).unwrap(), ["SecAction", ""]);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told() {
        assert!(words(r#"SecAction "id:1"#).unwrap_err().contains("not closed"));
        assert!(words("SecRule TX:'/a").is_err());
    }
}
