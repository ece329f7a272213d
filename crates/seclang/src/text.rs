//! Text with macros.

use crate::{Segment, Text, Variable};
use std::fmt;

impl Text {
    /// Reads `%{variable}` and `%{collection.name}` out of a text. Where what stands in the braces is no name
    /// (`%{[a-z]+}` of an expression) it is text.
    pub(crate) fn parse(text: &str) -> Result<Text, String> {
        let mut segments = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("%{") {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            let inner = from.get(2..).unwrap_or_default();
            let Some((name, after)) = inner.split_once('}').filter(|(name, _)| is_macro(name)) else {
                literal.push_str("%{");
                rest = inner;
                continue;
            };
            if !literal.is_empty() {
                segments.push(Segment::Literal(std::mem::take(&mut literal).into()));
            }
            segments.push(parse_macro(name)?);
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            segments.push(Segment::Literal(literal.into()));
        }
        Ok(Text(segments))
    }

    /// The text, where it holds no macro.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Segment::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Text {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => f.write_str(text),
            Segment::Macro(variable, None) => write!(f, "%{{{}}}", variable.name()),
            Segment::Macro(variable, Some(name)) => write!(f, "%{{{}.{name}}}", variable.name()),
        })
    }
}

/// Whether this is `word` or `word.anything` (`word:anything`).
fn is_macro(text: &str) -> bool {
    let word = text.split(['.', ':']).next().unwrap_or_default();
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.contains(|c: char| c.is_ascii_whitespace() || c == '{')
}

fn parse_macro(text: &str) -> Result<Segment, String> {
    let (variable, name) = match text.split_once(['.', ':']) {
        Some((variable, name)) => (Variable::known(variable), Some(name)),
        None => (Variable::known(text), None),
    };
    let variable = variable.map_err(|error| format!("macro %{{{text}}}: {error}"))?;
    match name {
        Some("") => Err(format!("macro %{{{text}}}: expected a name behind the dot")),
        Some(_) if !variable.is_collection() => {
            Err(format!("macro %{{{text}}}: {} holds one value, take the name away", variable.name()))
        }
        name => Ok(Segment::Macro(variable, name.map(Into::into))),
    }
}
