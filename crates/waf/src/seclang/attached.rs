//! A compiled SecLang program, with what verdicts say of its rules.

use secbeat_engine::{Program, RuleInfo};
use secbeat_types::{Category, Severity};
use std::sync::Arc;

/// A SecLang program that requests run through beside the JSON rules.
#[derive(Debug)]
pub struct Attached {
    pub(crate) program: Arc<Program>,
    /// What verdicts say of its rules, each at the rule's number.
    labels: Vec<Label>,
}

/// What verdicts say of a rule.
#[derive(Debug, Clone)]
pub struct Label {
    /// Its id.
    pub id: Arc<str>,
    /// Its `msg`, macros as written.
    pub name: Arc<str>,
    /// What its tags say.
    pub category: Category,
    /// What its `severity` says.
    pub severity: Severity,
    /// The paranoia level that its tag names.
    pub paranoia_level: Option<u8>,
}

impl Attached {
    /// Takes the program on.
    pub fn new(program: Arc<Program>) -> Attached {
        let labels = program.rules().iter().map(Label::of).collect();
        Attached { program, labels }
    }

    /// What is said of a rule, by its number.
    pub fn label(&self, rule: u32) -> Option<&Label> {
        self.labels.get(rule as usize)
    }

    /// The number of the rule of this id.
    pub fn number_of(&self, id: &str) -> Option<usize> {
        self.labels.iter().position(|label| *label.id == *id)
    }
}

impl Label {
    fn of(rule: &RuleInfo) -> Label {
        Label {
            id: rule.id.to_string().into(),
            name: rule.message.as_str().into(),
            category: category(&rule.tags),
            severity: severity(rule.severity),
            paranoia_level: rule.paranoia_level,
        }
    }
}

/// The category that the tags of the Core Rule Set name (`attack-sqli`), the first that says one.
fn category(tags: &[String]) -> Category {
    let has = |wanted: &str| tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted));
    let of_tag = |tag: &String| {
        let attack = tag.to_ascii_lowercase();
        let attack = attack.strip_prefix("attack-")?.to_owned();
        Some(match attack.as_str() {
            "sqli" => Category::SqlInjection,
            "xss" => Category::Xss,
            "lfi" => Category::PathTraversal,
            "rfi" | "ssrf" => Category::Ssrf,
            // 944 looks for Java's classes and log4shell, 932 for shells.
            "rce" if has("language-java") => Category::Rce,
            "rce" => Category::CommandInjection,
            "protocol" | "multipart-header" | "deprecated-header" => Category::Protocol,
            "reputation-scanner" => Category::Scanner,
            "reputation-crawler" | "reputation-scripting" => Category::Bot,
            "dos" => Category::HttpFlood,
            "disclosure" | "leakage" => Category::DataLeak,
            other if other.starts_with("reputation") => Category::Reputation,
            other if other.starts_with("injection") => Category::Rce,
            other if other.starts_with("disclosure") => Category::DataLeak,
            _ => return None,
        })
    };
    // An answer that gives away an error of a database is tagged as both.
    if tags.iter().any(|tag| tag.starts_with("attack-disclosure")) {
        return Category::DataLeak;
    }
    tags.iter().find_map(of_tag).unwrap_or(Category::Other)
}

/// ModSecurity's severities are syslog's: 2 is critical, 3 an error, 4 a warning, 5 a notice.
fn severity(severity: Option<u8>) -> Severity {
    match severity {
        Some(0..=2) => Severity::Critical,
        Some(3) => Severity::High,
        Some(4) | None => Severity::Medium,
        Some(_) => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_a_category() {
        let of = |tags: &[&str]| category(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["application-multi", "attack-sqli", "OWASP_CRS"]), Category::SqlInjection);
        assert_eq!(of(&["language-shell", "attack-rce"]), Category::CommandInjection);
        assert_eq!(of(&["attack-rce", "language-java"]), Category::Rce);
        assert_eq!(of(&["attack-injection-php"]), Category::Rce);
        assert_eq!(of(&["attack-sqli", "attack-disclosure"]), Category::DataLeak);
        assert_eq!(of(&["attack-reputation-ip"]), Category::Reputation);
        assert_eq!(of(&["attack-generic"]), Category::Other);
    }

    #[test]
    fn severities_are_those_of_syslog() {
        let all = [Some(2), Some(3), Some(4), Some(5), None].map(severity);
        let [critical, error, warning, notice, none] = all;
        assert_eq!((critical, error), (Severity::Critical, Severity::High));
        assert_eq!((warning, notice, none), (Severity::Medium, Severity::Low, Severity::Medium));
    }
}
