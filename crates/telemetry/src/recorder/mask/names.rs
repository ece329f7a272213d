//! Secret names, in whatever form they come.

use std::collections::HashSet;

/// How often text is decoded, at most: what is encoded oftener, no backend of ours reads.
const ROUNDS_MAX: usize = 4;

/// Names that are secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(HashSet<String>);

impl Names {
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Names(names.into_iter().map(folded).filter(|name| !name.is_empty()).collect())
    }

    /// Whether this name, or a part of it between brackets, dots and the like, is one of them.
    pub fn has(&self, name: &str) -> bool {
        let name = decoded(name);
        self.0.contains(&folded(&name))
            || name.split(|c| !is_of_name(c)).any(|part| self.0.contains(&folded(part)))
    }

    /// Whether this is the name of a pair that is one of them, and holds nothing that could itself be a value.
    pub fn are_plainly(&self, name: &str) -> bool {
        self.has(name) && !self.are_mentioned_in(name)
    }

    /// Whether one of them stands in `text` as if its value followed: before `=`, `:` or `>`, with no more between than
    /// quotes, space, and what belongs to the name.
    pub fn are_mentioned_in(&self, text: &str) -> bool {
        let text = decoded(text);
        // Whether a secret word is in the name that is being read, where its last word began, and whether the next one
        // belongs to it: `user["password"][0]`.
        let (mut secret, mut begun, mut joined) = (false, None, false);
        for (at, c) in text.char_indices() {
            if is_of_name(c) {
                if begun.is_none() {
                    (secret, begun) = (secret && joined, Some(at));
                }
                continue;
            }
            let word = begun.take().and_then(|begun| text.get(begun..at));
            secret |= word.is_some_and(|word| self.0.contains(&folded(word)));
            match c {
                '=' | ':' | '>' if secret => return true,
                '[' | ']' | '.' => joined = true,
                '"' | '\'' | '\\' | '`' | ')' => {}
                c if c.is_whitespace() || c.is_control() => joined = false,
                _ => (secret, joined) = (false, false),
            }
        }
        false
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// In lower case, without `-` and `_`: `Access-Token`, `access_token` and `accessToken` are one.
fn folded(name: &str) -> String {
    name.trim().chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The text with `%HH`, `+` and `\uHHHH` undone until nothing changes.
pub(super) fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS_MAX {
        if !text.contains(['%', '+', '\\']) {
            break;
        }
        let next = decode(text.as_bytes());
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn decode(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => out.push(b' '),
            b'%' => match hex(after, 2) {
                Some(byte) => {
                    out.push(byte as u8);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => out.push(b'%'),
            },
            b'\\' => {
                match after.strip_prefix(b"u").and_then(|digits| hex(digits, 4)).and_then(char::from_u32) {
                    Some(c) => {
                        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        rest = after.get(5..).unwrap_or_default();
                    }
                    None => out.push(b'\\'),
                }
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digits: &[u8], count: usize) -> Option<u32> {
    let digits = digits.get(..count).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
