//! A file of rules: `{"rules": [{"id": …, "pattern": …, "action": …}, …]}`, read strictly.

use crate::rule::{KEYS, REQUIRED_KEYS};
use crate::rule_error::Subject;
use crate::strict_json::{Shape, entries};
use crate::{Rule, RuleError};
use serde::Serialize;

/// A file of rules, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleFile {
    /// The rules, in the order in which they are looked at.
    pub rules: Vec<Rule>,
}

const SHAPE: Shape = Shape {
    subject: Subject::Rule,
    list: "rules",
    whole: "a file of rules: {\"rules\": [{\"id\": …}]}",
    entry: "a rule: {\"id\": …, \"pattern\": …, \"action\": …}",
    keys: KEYS,
    required: REQUIRED_KEYS,
};

/// Reads a file of rules. Unknown keys, repeated keys, repeated ids and wrong types are errors that say where they are.
/// Patterns are not looked at here: see [`RuleSet::compile`](crate::RuleSet::compile).
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, RuleError> {
    entries(text, &SHAPE, |rule: &Rule| &rule.id)
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
        assert_eq!(rules[1].effective_action(), Action::Sanitize);
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
