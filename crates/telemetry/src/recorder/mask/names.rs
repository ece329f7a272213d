//! Secret names, in whatever form they come.

use std::collections::HashSet;

/// How often text is decoded, at most: what is encoded oftener, no backend of ours reads.
const ROUNDS_MAX: usize = 4;

/// Names from this length on, in letters, are looked for anywhere in a name; shorter ones as one of its words.
const ANYWHERE_FROM: usize = 6;
/// Names shorter than this, and
const WORD_FROM: usize = 3;
/// these, which are words of many harmless names (`zip_code`, `map-pin`, `cardinality`), have to be the name as a whole.
const WHOLE: [&str; 4] = ["code", "pin", "sid", "card"];

/// Names that are secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// All of them, folded.
    all: HashSet<String>,
    /// Those that may be a word of a name: `auth_token`, `newPwd`.
    words: HashSet<String>,
    /// Those that may be anywhere in a name: `clientsecret`.
    anywhere: Vec<String>,
}

impl Names {
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let all: HashSet<String> = names.into_iter().map(folded).filter(|name| !name.is_empty()).collect();
        let is_word = |name: &String| name.len() >= WORD_FROM && !WHOLE.contains(&name.as_str());
        let words = all.iter().filter(|name| is_word(name)).cloned().collect();
        let anywhere = all.iter().filter(|name| name.len() >= ANYWHERE_FROM).cloned().collect();
        Names { all, words, anywhere }
    }

    /// Whether this name, or a part of it between brackets, dots and the like, is or holds one of them.
    pub fn has(&self, name: &str) -> bool {
        let name = decoded(name);
        self.all.contains(&folded(&name)) || name.split(|c| !is_of_name(c)).any(|part| self.holds(part))
    }

    /// The same for a name without anything of the kind.
    fn holds(&self, name: &str) -> bool {
        let whole = folded(name);
        self.all.contains(&whole)
            || self.anywhere.iter().any(|secret| whole.contains(secret.as_str()))
            || words(name).any(|word| self.words.contains(&folded(word)))
    }

    /// Whether this is the name of a pair that is one of them, and holds nothing that could itself be a value.
    pub fn are_plainly(&self, name: &str) -> bool {
        self.has(name) && !self.are_mentioned_in(name)
    }

    /// Whether one of them stands in `text` as if its value followed: before `=`, `:` or `>`, with no more between than
    /// quotes, space, and what belongs to the name.
    pub fn are_mentioned_in(&self, text: &str) -> bool {
        let text = decoded(text);
        // Whether a secret word is in the name that is being read, where its last word began, whether the next one
        // belongs to it: `user["password"][0]`, and whether it ended with a quote.
        let (mut secret, mut begun, mut joined, mut quoted) = (false, None, false, false);
        for (at, c) in text.char_indices() {
            if is_of_name(c) {
                if begun.is_none() {
                    (secret, begun, quoted) = (secret && joined, Some(at), false);
                }
                continue;
            }
            let word = begun.take().and_then(|begun| text.get(begun..at));
            secret |= word.is_some_and(|word| self.holds(word));
            quoted |= c == '"';
            match c {
                '=' | ':' | '>' if secret => return true,
                // A name that is itself a value of JSON: `{"name":"password","value":`
                ',' | '}' if secret && quoted => return true,
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

/// The words of a name: between `-` and `_`, and where case or kind changes: `new_pwd2`, `clientPwd`, `XMLToken`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['-', '_']).flat_map(|piece| {
        let mut rest = piece;
        std::iter::from_fn(move || {
            let (word, after) = rest.split_at(end_of_word(rest)?);
            rest = after;
            Some(word)
        })
    })
}

/// Where the first word of `text` ends; `None`: there is none.
fn end_of_word(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    let mut before = chars.next()?.1;
    while let Some((at, c)) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        let rises = c.is_uppercase() && (!before.is_uppercase() || next_is_lower);
        if rises || c.is_alphabetic() != before.is_alphabetic() {
            return Some(at);
        }
        before = c;
    }
    Some(text.len())
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
