//! What a rule looks at, compiled.

use crate::words::Words;
use secbeat_pattern::{MatchCache, Matcher, Outcome};
use secbeat_seclang::Variable;

/// One target.
#[derive(Debug)]
pub struct Target {
    /// What is looked at.
    pub variable: Variable,
    /// Which part of it.
    pub selector: Selector,
    /// Whether it is the number of values (`&`).
    pub count: bool,
}

/// Which part of a collection.
#[derive(Debug)]
pub enum Selector {
    /// All of it.
    All,
    /// What has this name, a word of the program.
    Word(u32),
    /// What has a name that this finds.
    Pattern(Box<Pattern>),
}

/// An expression that names are held against.
#[derive(Debug)]
pub struct Pattern {
    /// The expression.
    pub matcher: Matcher,
    /// The same without a search by automaton, where it says no more than that.
    simple: Option<Simple>,
    /// The words of the program that it finds, in order: asked for once, not at each transaction.
    pub words: Box<[u32]>,
}

impl Pattern {
    /// An expression, compiled, and its text.
    pub fn new(matcher: Matcher, text: &str) -> Self {
        // Not all words are known before all rules are.
        Pattern { matcher, simple: Simple::of(text), words: Box::default() }
    }

    /// Finds the words.
    pub fn learn(&mut self, words: &Words, cache: &mut MatchCache) {
        let finds = |word: &u32| self.matcher.is_match(cache, words.shown(*word)) == Outcome::Yes;
        self.words = (0..words.len() as u32).filter(finds).collect();
    }

    /// With what the names begin that it finds, if it asks for nothing else.
    pub fn start(&self) -> Option<&[u8]> {
        match &self.simple {
            Some(Simple::Start(start)) => Some(start),
            _ => None,
        }
    }

    /// Whether it finds a name.
    pub fn finds(&self, cache: &mut MatchCache, name: &[u8]) -> bool {
        match &self.simple {
            Some(Simple::Start(start)) => begins(name, start),
            Some(Simple::Part(part)) => holds(name, part),
            None => self.matcher.is_match(cache, name) == Outcome::Yes,
        }
    }
}

/// What most expressions over names say.
#[derive(Debug)]
enum Simple {
    /// That a name begins so, letters in either case.
    Start(Box<[u8]>),
    /// That a name holds this, letters in either case.
    Part(Box<[u8]>),
}

impl Simple {
    /// What an expression says, if it is that simple: `^header_name_`, `paramcounter_.*`, `LEAKAGE\\\/ERRORS`.
    fn of(text: &str) -> Option<Simple> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
        let (start, text) = (text.starts_with('^'), text.strip_prefix('^').unwrap_or(text));
        let mut rest = match text.as_bytes() {
            // What may be there as often as it likes, at the end, may as well not be there.
            [before @ .., atom, b'*'] if !before.ends_with(b"\\") && (*atom == b'.' || plain(*atom)) => {
                before
            }
            text => text,
        };
        let mut said = Vec::new();
        while let [byte, behind @ ..] = rest {
            let (byte, behind) = match (byte, behind) {
                // What is escaped and no letter or digit is itself.
                (b'\\', [escaped, behind @ ..]) if escaped.is_ascii_punctuation() => (*escaped, behind),
                (byte, behind) if plain(*byte) => (*byte, behind),
                _ => return None,
            };
            said.push(byte);
            rest = behind;
        }
        let said = Some(said.into_boxed_slice()).filter(|said| !said.is_empty())?;
        Some(if start { Simple::Start(said) } else { Simple::Part(said) })
    }
}

/// Whether a name holds a part, letters in either case.
fn holds(name: &[u8], part: &[u8]) -> bool {
    let (Some(first), Some(last)) = (part.first(), name.len().checked_sub(part.len())) else { return false };
    let starts = name.get(..=last).unwrap_or_default();
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), starts)
        .any(|at| name.get(at..).is_some_and(|rest| begins(rest, part)))
}

fn begins(name: &[u8], with: &[u8]) -> bool {
    name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_is_simple_finds_what_the_matcher_finds() {
        let names: [&[u8]; 12] =
            [b"", b"a", b"ab", b"AB_c", b"xab", b"x-ab_", b"a_", b"b*", b"ab\n", b"aa/B", b"xA\\/b-", b"a\\"];
        let mut simple = 0;
        for text in [
            "^ab", "ab", "ab.*", "a/b", r"a\/b", r"A\\\/B", r"\\*", r"a\*", r"a\w", r"^\/", r"a\-*", "a_*",
            "^ab_*", "^a.*", "ab$", "a|b", "b\\*", "[ab]*", "", "^", "(ab)*",
        ] {
            let Ok(matcher) = Matcher::insensitive(text) else { panic!("{text}") };
            let pattern = Pattern::new(matcher, text);
            simple += usize::from(pattern.simple.is_some());
            for name in names {
                let mut cache = MatchCache::default();
                let expected = pattern.matcher.is_match(&mut cache, name) == Outcome::Yes;
                assert_eq!(pattern.finds(&mut cache, name), expected, "{text} {name:?}");
            }
        }
        assert_eq!(simple, 12);
    }
}
