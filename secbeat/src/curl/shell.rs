//! A line as the words that a shell makes of it (POSIX.1-2024, Shell Command Language 2.2, and `$'…'`): browsers copy requests so.
//! Nothing is expanded.

use std::iter::Peekable;
use std::str::Chars;

/// The words of a line.
///
/// # Errors
/// A quote is not closed, or the line does more than one command does.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let mut chars = line.chars().peekable();
    let (mut words, mut word) = (Vec::new(), None::<String>);
    while let Some(char) = chars.next() {
        match char {
            '\'' => {
                let word = word.get_or_insert_default();
                until(&mut chars, '\'', |char, _| word.push(char))?;
            }
            '"' => {
                let word = word.get_or_insert_default();
                until(&mut chars, '"', |char, chars| match (char, chars.peek()) {
                    ('\\', Some('\n')) => drop(chars.next()),
                    ('\\', Some('"' | '\\' | '$' | '`')) => word.extend(chars.next()),
                    _ => word.push(char),
                })?;
            }
            '$' if chars.next_if_eq(&'\'').is_some() => {
                let word = word.get_or_insert_default();
                until(&mut chars, '\'', |char, chars| match char {
                    '\\' => escaped(chars, word),
                    _ => word.push(char),
                })?;
            }
            '\\' => match chars.next() {
                Some('\n') => {}
                Some('\r') => drop(chars.next_if_eq(&'\n')),
                Some(char) => word.get_or_insert_default().push(char),
                None => {}
            },
            '|' | ';' | '&' | '<' | '>' | '`' => {
                return Err(format!("expected one command; put what holds `{char}` in quotes"));
            }
            char if char.is_whitespace() => words.extend(word.take()),
            char => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Gives each character up to `end`, with those behind it.
fn until(
    chars: &mut Peekable<Chars<'_>>,
    end: char,
    mut give: impl FnMut(char, &mut Peekable<Chars<'_>>),
) -> Result<(), String> {
    loop {
        match chars.next() {
            None => return Err(format!("expected a closing {end}")),
            Some(char) if char == end => return Ok(()),
            Some(char) => give(char, chars),
        }
    }
}

/// What stands behind a backslash in `$'…'`.
fn escaped(chars: &mut Peekable<Chars<'_>>, word: &mut String) {
    let Some(char) = chars.next() else { return };
    let digits = |chars: &mut Peekable<Chars<'_>>, most: usize| {
        let mut number = String::new();
        while number.len() < most
            && let Some(digit) = chars.next_if(char::is_ascii_hexdigit)
        {
            number.push(digit);
        }
        u32::from_str_radix(&number, 16).ok().and_then(char::from_u32)
    };
    match char {
        'n' => word.push('\n'),
        'r' => word.push('\r'),
        't' => word.push('\t'),
        'x' => word.extend(digits(chars, 2)),
        'u' => word.extend(digits(chars, 4)),
        'U' => word.extend(digits(chars, 8)),
        char => word.push(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(line: &str, expected: &[&str]) {
        assert_eq!(
            words(line).as_deref(),
            Ok(&expected.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()[..])
        );
    }

    #[test]
    fn words_are_those_of_a_shell() {
        is("curl -X  POST\thttp://a/", &["curl", "-X", "POST", "http://a/"]);
        is(r#"a 'b "c" \d' "e 'f' \" \n" g\ h ''"#, &["a", r#"b "c" \d"#, r#"e 'f' " \n"#, "g h", ""]);
        is("a \\\n  b \\\r\n c", &["a", "b", "c"]);
        is(r"$'a\'b\n\u00e9\x41'c", &["a'b\néAc"]);
        is("a=b'c d'e", &["a=bc de"]);
    }

    #[test]
    fn what_is_more_than_one_command_or_is_not_closed_is_refused() {
        for line in
            ["curl 'a", "curl \"a", "curl a | sh", "curl a; b", "curl a > b", "curl http://a/?b=1&c=2"]
        {
            assert!(words(line).is_err(), "{line}");
        }
    }
}
