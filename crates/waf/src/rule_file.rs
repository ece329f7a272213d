//! A file of rules: `{"rules": [{"id": …, "pattern": …, "action": …}, …]}`, read strictly.

use crate::{
    Rule, RuleError,
    rule::{KEYS, REQUIRED_KEYS},
};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;

/// A file of rules, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleFile {
    /// The rules, in the order in which they are looked at.
    pub rules: Vec<Rule>,
}

/// Reads a file of rules. Unknown keys, repeated keys, repeated ids and wrong types are errors that say where they are.
/// Patterns are not looked at here: see [`RuleSet::compile`](crate::RuleSet::compile).
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, RuleError> {
    let file = members(text, text, "a file of rules: {\"rules\": [{\"id\": …}]}")?;
    let mut rules = None;
    for (key, value) in file.0 {
        match key.as_str() {
            "rules" => rules = Some(value),
            _ => {
                return Err(RuleError {
                    position: Some(position(text, value.get())),
                    ..RuleError::new(unknown_key(&key, &["rules"]))
                });
            }
        }
    }
    let Some(list) = rules else {
        return Err(RuleError::new("the key `rules` is missing; expected {\"rules\": [{\"id\": …}]}"));
    };
    let items: Vec<&RawValue> = serde_json::from_str(list.get())
        .map_err(|error| syntax(text, list.get(), &error, "`rules` as a list of rules"))?;
    let mut ids = HashSet::new();
    let mut parsed = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let rule = parse_rule(text, item.get()).map_err(|error| RuleError { index: Some(index), ..error })?;
        if !ids.insert(rule.id.clone()) {
            return Err(RuleError {
                id: Some(rule.id),
                index: Some(index),
                key: Some("id".into()),
                position: Some(position(text, item.get())),
                message: "this id is taken by a rule before; give each rule its own".into(),
            });
        }
        parsed.push(rule);
    }
    Ok(parsed)
}

/// Reads the rule at `source`, a part of `text`.
fn parse_rule(text: &str, source: &str) -> Result<Rule, RuleError> {
    let members = members(text, source, "a rule: {\"id\": …, \"pattern\": …, \"action\": …}")?.0;
    let id = members
        .iter()
        .find(|(key, _)| key == "id")
        .and_then(|(_, value)| serde_json::from_str::<String>(value.get()).ok());
    let fail = |key: &str, at: &str, message: String| RuleError {
        id: id.clone(),
        key: Some(key.to_owned()),
        position: Some(position(text, at)),
        index: None,
        message,
    };
    let mut seen = HashSet::new();
    for (key, value) in &members {
        if !KEYS.contains(&key.as_str()) {
            return Err(fail(key, value.get(), unknown_key(key, KEYS)));
        }
        if !seen.insert(key.as_str()) {
            return Err(fail(key, value.get(), "the key is given twice; keep one".into()));
        }
    }
    if let Some(key) = REQUIRED_KEYS.iter().find(|key| !seen.contains(**key)) {
        return Err(fail(key, source, "the key is missing; a rule has `id`, `pattern` and `action`".into()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use secbeat_types::{Action, Category, Severity};

    const GUIDE: &str = r#"{
  "rules": [
    {
      "id": "rule_001",
      "name": "SQL Injection Detection",
      "pattern": "(?i)(union|select|insert|delete|update).*?(from|into|set)",
      "action": "block",
      "severity": "high"
    },
    {
      "id": "rule_002", 
      "name": "XSS Prevention",
      "pattern": "(?i)<script[^>]*>.*?</script>",
      "action": "sanitize",
      "severity": "medium"
    }
  ]
}"#;

    fn error(text: &str) -> RuleError {
        parse_rules(text).unwrap_err()
    }

    #[test]
    fn the_guides_two_rules_are_accepted_as_they_are() {
        let rules = parse_rules(GUIDE).unwrap();
        assert_eq!(rules[0].category, Category::SqlInjection);
        assert_eq!(rules[0].severity, Severity::High);
        assert_eq!(rules[1].category, Category::Xss);
        assert_eq!(rules[1].effective_action(), Action::Block);
    }

    #[test]
    fn a_file_that_is_written_is_read_back() {
        let rules = parse_rules(GUIDE).unwrap();
        let text = serde_json::to_string_pretty(&RuleFile { rules: rules.clone() }).unwrap();
        assert_eq!(parse_rules(&text).unwrap(), rules);
    }

    #[test]
    fn an_unknown_key_names_its_neighbour_and_its_place() {
        let error = error(&GUIDE.replace("\"severity\": \"high\"", "\"severty\": \"high\""));
        assert_eq!(
            error.to_string(),
            "rule rule_001 (number 1), key severty, line 8, column 18: unknown key `severty`; the nearest known key \
             is `severity`"
        );
    }

    #[test]
    fn a_wrong_value_names_its_key_and_its_place() {
        let refused = error(&GUIDE.replace("\"sanitize\"", "\"challenge\""));
        assert_eq!((refused.id.as_deref(), refused.key.as_deref()), (Some("rule_002"), Some("action")));
        assert_eq!(refused.position, Some((14, 17)));
        assert!(refused.message.contains("not built yet"), "{refused}");
        let refused = error(&GUIDE.replace("\"medium\"", "7"));
        assert_eq!((refused.key.as_deref(), refused.position), (Some("severity"), Some((15, 19))));
    }

    #[test]
    fn what_is_missing_or_twice_is_named() {
        let missing = error(r#"{"rules":[{"id":"a","pattern":"b"}]}"#);
        assert_eq!((missing.key.as_deref(), missing.index), (Some("action"), Some(0)));
        let twice = error(r#"{"rules":[{"id":"a","id":"b","pattern":"b","action":"log"}]}"#);
        assert_eq!(twice.key.as_deref(), Some("id"));
        let rule = r#"{"id":"a","pattern":"b","action":"log"}"#;
        let again = error(&format!(r#"{{"rules":[{rule},{rule}]}}"#));
        assert_eq!((again.index, again.key.as_deref()), (Some(1), Some("id")));
    }

    #[test]
    fn broken_json_gives_its_line_and_column() {
        let broken = error("{\"rules\": [\n  {\"id\": }\n]}");
        assert_eq!(broken.position.map(|(line, _)| line), Some(2));
        for text in ["", "[]", "{}", "null", r#"{"rules":{}}"#, r#"{"rules":[7]}"#, r#"{"rule":[]}"#] {
            assert!(!error(text).message.is_empty(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = parse_rules(&text);
        }

        #[test]
        fn no_change_of_a_good_file_makes_it_panic(at in 0usize..GUIDE.len(), with in "\\PC{0,3}") {
            let mut text = GUIDE.to_owned();
            if text.is_char_boundary(at) {
                text.replace_range(at..at + 1, &with);
            }
            let _ = parse_rules(&text);
        }
    }
}
