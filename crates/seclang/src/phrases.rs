//! Phrases of `@pm` and `@pmFromFile`.

use std::collections::HashSet;
use std::sync::Arc;

/// The words of `@pm`. Bytes may be written in hexadecimal between bars (`a|20|b`), as in Snort; `\:`, `\;`, `\\` and `\"` are
/// the character; where anything else follows a backslash or stands between bars the argument is taken as it is, as
/// ModSecurity does (`parse_pm_content`).
pub(crate) fn phrases(argument: &str) -> Result<Arc<[Arc<[u8]>]>, String> {
    let bytes = content(argument.trim_ascii().as_bytes()).unwrap_or_else(|| argument.as_bytes().to_vec());
    collect(bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()))
        .ok_or_else(|| "@pm: no phrases; expected words with spaces between".into())
}

/// The phrases of a file: one a line, as it stands, spaces at its ends too; blank lines and those that begin with `#` are none.
pub(crate) fn phrases_of_file(name: &str, text: &[u8]) -> Result<Arc<[Arc<[u8]>]>, String> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    collect(lines.filter(|line| !matches!(line.trim_ascii().first(), None | Some(b'#'))))
        .ok_or_else(|| format!("{name} holds no phrases; expected one a line"))
}

/// Phrases, each once, letters in either case.
fn collect<'a>(phrases: impl Iterator<Item = &'a [u8]>) -> Option<Arc<[Arc<[u8]>]>> {
    let mut seen = HashSet::new();
    let kept: Arc<[Arc<[u8]>]> =
        phrases.filter(|phrase| seen.insert(phrase.to_ascii_lowercase())).map(Arc::from).collect();
    (!kept.is_empty()).then_some(kept)
}

fn content(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    let mut hexadecimal = false;
    let mut high = None;
    while let Some(byte) = bytes.next() {
        match byte {
            b'|' => hexadecimal = !hexadecimal,
            _ if hexadecimal => {
                let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())?;
                high = match high {
                    None => Some(digit),
                    Some(high) => {
                        out.push(high << 4 | digit);
                        None
                    }
                };
            }
            b'\\' => out.push(bytes.next().filter(|byte| b":;\\\"".contains(byte))?),
            _ => out.push(byte),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(argument: &str) -> Vec<String> {
        let words = phrases(argument).unwrap();
        words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    #[test]
    fn words_are_phrases_each_once() {
        assert_eq!(words(" a  b\tA c "), ["a", "b", "c"]);
        assert!(phrases("  ").is_err());
    }

    #[test]
    fn bytes_between_bars_are_hexadecimal_and_what_is_not_stays() {
        assert_eq!(words(r"x|2f41|y \: \\"), ["x/Ay", ":", "\\"]);
        assert_eq!(words(r"a|zz| b"), ["a|zz|", "b"]);
        assert_eq!(words(r"\x"), ["\\x"]);
    }

    #[test]
    fn a_file_has_one_phrase_a_line_and_comments() {
        let found = phrases_of_file("f", b"# c\r\na b \r\n\n  # d\n#e\nf#g").unwrap();
        assert_eq!(found.iter().map(|phrase| &**phrase).collect::<Vec<_>>(), [&b"a b "[..], b"f#g"]);
        assert!(phrases_of_file("f", b"# only\n").unwrap_err().contains("f holds no phrases"));
    }
}
