//! Lists of rules and exceptions in JSON, read strictly: what is wrong has a name and a place.

use crate::{RuleError, rule_error::Subject};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;

/// What a list of entries looks like: `{"rules": [{"id": …}]}`.
pub(crate) struct Shape {
    pub(crate) subject: Subject,
    /// The key of the list.
    pub(crate) list: &'static str,
    /// What the whole is, for errors.
    pub(crate) whole: &'static str,
    /// What an entry is, for errors.
    pub(crate) entry: &'static str,
    /// The keys of an entry.
    pub(crate) keys: &'static [&'static str],
    /// Those without which there is no entry.
    pub(crate) required: &'static [&'static str],
}

/// Reads a list of entries. Unknown keys, repeated keys, repeated ids and wrong types are errors that say where they are.
pub(crate) fn entries<T: DeserializeOwned>(
    text: &str,
    shape: &Shape,
    id_of: impl Fn(&T) -> &str,
) -> Result<Vec<T>, RuleError> {
    let of_subject = |error: RuleError| RuleError { subject: shape.subject, ..error };
    let mut list = None;
    for (key, value) in members(text, text, shape.whole).map_err(of_subject)?.0 {
        if key != shape.list {
            return Err(of_subject(RuleError {
                position: Some(position(text, value.get())),
                ..RuleError::new(unknown_key(&key, &[shape.list]))
            }));
        }
        list = Some(value);
    }
    let Some(list) = list else {
        let missing = format!("the key `{}` is missing; expected {}", shape.list, shape.whole);
        return Err(of_subject(RuleError::new(missing)));
    };
    let items: Vec<&RawValue> = serde_json::from_str(list.get())
        .map_err(|error| of_subject(syntax(text, list.get(), &error, shape.whole)))?;
    let mut ids = HashSet::new();
    let mut parsed = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let of_entry = |error: RuleError| RuleError { index: Some(index), ..of_subject(error) };
        let entry = entry(text, item.get(), shape).map_err(of_entry)?;
        let id = id_of(&entry).to_owned();
        if !ids.insert(id.clone()) {
            return Err(of_entry(RuleError {
                id: Some(id),
                key: Some("id".into()),
                position: Some(position(text, item.get())),
                ..RuleError::new("this id is taken by one before; give each its own")
            }));
        }
        parsed.push(entry);
    }
    Ok(parsed)
}

/// Reads the entry at `source`, a part of `text`.
fn entry<T: DeserializeOwned>(text: &str, source: &str, shape: &Shape) -> Result<T, RuleError> {
    let members = members(text, source, shape.entry)?.0;
    let id = members
        .iter()
        .find(|(key, _)| key == "id")
        .and_then(|(_, value)| serde_json::from_str::<String>(value.get()).ok());
    let fail = |key: &str, at: &str, message: String| RuleError {
        id: id.clone(),
        key: Some(key.to_owned()),
        position: Some(position(text, at)),
        ..RuleError::new(message)
    };
    let mut seen = HashSet::new();
    for (key, value) in &members {
        if !shape.keys.contains(&key.as_str()) {
            return Err(fail(key, value.get(), unknown_key(key, shape.keys)));
        }
        if !seen.insert(key.as_str()) {
            return Err(fail(key, value.get(), "the key is given twice; keep one".into()));
        }
    }
    if let Some(key) = shape.required.iter().find(|key| !seen.contains(**key)) {
        return Err(fail(key, source, format!("the key is missing; expected {}", shape.entry)));
    }
    serde_json::from_str(source).map_err(|error| {
        let at = offset_of(source, error.line(), error.column());
        let blamed = members.iter().rev().find(|(_, value)| offset_in(source, value.get()) < at);
        match blamed {
            Some((key, value)) => fail(key, value.get(), plain(&error)),
            None => fail("id", source, plain(&error)),
        }
    })
}

/// The members of an object in the order and number in which they are written.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn members<'t>(text: &str, source: &'t str, expected: &str) -> Result<Members<'t>, RuleError> {
    serde_json::from_str(source).map_err(|error| syntax(text, source, &error, expected))
}

/// An error of JSON itself at `source`, a part of `text`.
fn syntax(text: &str, source: &str, error: &serde_json::Error, expected: &str) -> RuleError {
    let at = offset_in(text, source) + offset_of(source, error.line(), error.column());
    RuleError {
        position: Some(position_of(text, at.saturating_sub(1))),
        ..RuleError::new(format!("{}; expected {expected}", plain(error)))
    }
}

/// The message without `at line 1 column 2`, which counts from the wrong place.
fn plain(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(at) => message.get(..at).unwrap_or_default().to_owned(),
        None => message,
    }
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    let nearest = known.iter().max_by(|a, b| strsim::jaro(key, a).total_cmp(&strsim::jaro(key, b)));
    match nearest {
        Some(nearest) => format!("unknown key `{key}`; the nearest known key is `{nearest}`"),
        None => format!("unknown key `{key}`"),
    }
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset_in(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}

/// The offset of a line and a column (in bytes), both from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start + column
}

fn position(text: &str, part: &str) -> (usize, usize) {
    position_of(text, offset_in(text, part))
}

/// Line and column, from 1, of an offset.
fn position_of(text: &str, offset: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..offset.min(text.len())).unwrap_or_default();
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(before.get(line_start..).unwrap_or_default()).chars().count();
    (memchr::memchr_iter(b'\n', before).count() + 1, column + 1)
}
