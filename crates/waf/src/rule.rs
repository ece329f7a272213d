//! One rule, as an operator writes it.

use crate::{RuleRate, Transform};
use secbeat_types::{Action, Category, Severity, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// One rule. Its JSON form is that of the rules file; what it leaves out is filled in, and what is written is read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RuleSource")]
pub struct Rule {
    /// Unique in a rule set; 1 to 128 printable ASCII characters.
    pub id: String,
    /// What it is about; default: the id.
    pub name: String,
    /// A regular expression in the syntax of the crate `regex`, over bytes: `.` matches newlines too, case is its own
    /// (`(?i)`), classes are ASCII unless `(?u)` says otherwise. It is searched for, not anchored.
    pub pattern: String,
    /// What a match does.
    pub action: RuleAction,
    /// How bad a match is; default medium.
    pub severity: Severity,
    /// What kind of attack it looks for; default: what the name says, as by [`category_of_name`].
    pub category: Category,
    /// Where it looks; default: query, body, headers, cookies and path.
    pub targets: Vec<Target>,
    /// What is undone before it looks; default [`Transform::DEFAULT`]. None: it sees the value as it came.
    pub transforms: Vec<Transform>,
    /// The paths it is for; none: all. `/admin` is `/admin` and all below it; `/api/*/login` is a pattern for the
    /// whole path in which `*` stands for any characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Whether it is in force; default true.
    pub enabled: bool,
    /// When it ceases to be in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it may block; default [`Mode::Block`].
    pub mode: Mode,
    /// For the action `rate_limit`: how many matching requests a client may make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RuleRate>,
    /// What a match does, the mode taken into account; written in listings, ignored where it is read.
    effective_action: Action,
}

impl Rule {
    /// What a match does, the rule's own mode taken into account.
    pub fn effective_action(&self) -> Action {
        self.effective_action
    }

    /// Whether it is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.enabled && self.expires_at.is_none_or(|end| now < end)
    }
}

/// What a match does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// The request is stopped.
    Block,
    /// The request goes on and the match is recorded.
    Log,
    /// The matching parts are taken out; where they cannot be, the request is stopped.
    Sanitize,
    /// The client may make so many such requests in a time; then they are stopped with 429.
    RateLimit,
    /// The request goes on, and the firewall looks at nothing more of it.
    Allow,
}

impl<'de> Deserialize<'de> for RuleAction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "block" => Ok(RuleAction::Block),
            "log" => Ok(RuleAction::Log),
            "sanitize" => Ok(RuleAction::Sanitize),
            "rate_limit" => Ok(RuleAction::RateLimit),
            "allow" => Ok(RuleAction::Allow),
            "challenge" => Err(D::Error::custom(
                "the action `challenge` is not built yet in this version; use `block`, `rate_limit` or `log`",
            )),
            other => Err(D::Error::custom(format!(
                "`{other}` is no action; expected `block`, `log`, `sanitize`, `rate_limit` or `allow`"
            ))),
        }
    }
}

/// Whether a rule may block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does what its action says.
    #[default]
    Block,
    /// It only logs, whatever its action says.
    Monitor,
}

/// Where a rule looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// Names and values of the query string.
    Query,
    /// Names and values of an inspected body; file names and part headers of a multipart one.
    Body,
    /// Every header but those whose form is fixed by HTTP: see [`is_routine_header`](crate::request::is_routine_header).
    Headers,
    /// Names and values of cookies.
    Cookies,
    /// The path.
    Path,
    /// `header:*`: every header without exception, but not cookies.
    EveryHeader,
    /// `header:user-agent`: this header, its name in lower case.
    Header(String),
}

impl Target {
    /// Where a rule looks that does not say.
    pub fn defaults() -> Vec<Target> {
        vec![Target::Query, Target::Body, Target::Headers, Target::Cookies, Target::Path]
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Target::Query => serializer.serialize_str("query"),
            Target::Body => serializer.serialize_str("body"),
            Target::Headers => serializer.serialize_str("headers"),
            Target::Cookies => serializer.serialize_str("cookies"),
            Target::Path => serializer.serialize_str("path"),
            Target::EveryHeader => serializer.serialize_str("header:*"),
            Target::Header(name) => serializer.collect_str(&format_args!("header:{name}")),
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "query" => Target::Query,
            "body" => Target::Body,
            "headers" => Target::Headers,
            "cookies" => Target::Cookies,
            "path" => Target::Path,
            "header:*" => Target::EveryHeader,
            "header:cookie" => return Err(D::Error::custom("write `cookies` instead of `header:cookie`")),
            _ => match text.strip_prefix("header:") {
                Some(name) if is_token(name) => Target::Header(name.to_ascii_lowercase()),
                _ => {
                    return Err(D::Error::custom(format!(
                        "`{text}` is no target; expected `query`, `body`, `headers`, `cookies`, `path`, \
                         `header:<name>` or `header:*`"
                    )));
                }
            },
        })
    }
}

/// RFC 9110 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// The keys of a rule, as they are in a file. Kept beside [`RuleSource`] so that a wrong one finds its neighbour.
pub(crate) const KEYS: &[&str] = &[
    "id",
    "name",
    "pattern",
    "action",
    "severity",
    "category",
    "targets",
    "transforms",
    "paths",
    "enabled",
    "expires_at",
    "mode",
    "rate",
    "effective_action",
];

/// The keys without which there is no rule.
pub(crate) const REQUIRED_KEYS: &[&str] = &["id", "pattern", "action"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSource {
    id: String,
    name: Option<String>,
    pattern: String,
    action: RuleAction,
    severity: Option<Severity>,
    category: Option<Category>,
    targets: Option<Vec<Target>>,
    transforms: Option<Vec<Transform>>,
    #[serde(default)]
    paths: Vec<String>,
    enabled: Option<bool>,
    expires_at: Option<Timestamp>,
    #[serde(default)]
    mode: Mode,
    rate: Option<RuleRate>,
    #[serde(default, rename = "effective_action")]
    _effective_action: serde::de::IgnoredAny,
}

impl From<RuleSource> for Rule {
    fn from(source: RuleSource) -> Self {
        let name = source.name.unwrap_or_else(|| source.id.clone());
        let effective_action = match (source.mode, source.action) {
            (Mode::Monitor, _) | (_, RuleAction::Log) => Action::Log,
            (_, RuleAction::Block) => Action::Block,
            (_, RuleAction::Sanitize) => Action::Sanitize,
            (_, RuleAction::RateLimit) => Action::RateLimit,
            (_, RuleAction::Allow) => Action::Allow,
        };
        Rule {
            category: source.category.unwrap_or_else(|| category_of_name(&name)),
            id: source.id,
            name,
            pattern: source.pattern,
            action: source.action,
            severity: source.severity.unwrap_or_default(),
            targets: source.targets.unwrap_or_else(Target::defaults),
            transforms: source.transforms.unwrap_or_else(|| Transform::DEFAULT.to_vec()),
            paths: source.paths,
            enabled: source.enabled.unwrap_or(true),
            expires_at: source.expires_at,
            mode: source.mode,
            rate: source.rate,
            effective_action,
        }
    }
}

/// Words in a rule's name, in lower case, and the category they stand for; the first that is found counts.
const NAMED_CATEGORIES: &[(&str, Category)] = &[
    ("sql injection", Category::SqlInjection),
    ("sqli", Category::SqlInjection),
    ("xss", Category::Xss),
    ("cross-site scripting", Category::Xss),
    ("cross site scripting", Category::Xss),
    ("traversal", Category::PathTraversal),
    ("file inclusion", Category::PathTraversal),
    ("command injection", Category::CommandInjection),
    ("ssrf", Category::Ssrf),
    ("server-side request forgery", Category::Ssrf),
    ("log4shell", Category::Rce),
    ("code execution", Category::Rce),
    ("rce", Category::Rce),
    ("csrf", Category::Csrf),
    ("scanner", Category::Scanner),
    ("bot", Category::Bot),
];

/// The category that a rule's name speaks of, whole words only; [`Category::Other`] where it speaks of none.
pub fn category_of_name(name: &str) -> Category {
    let name = name.to_ascii_lowercase();
    let is_letter =
        |at: Option<usize>| at.and_then(|at| name.as_bytes().get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let is_word = |at: usize, len: usize| !is_letter(at.checked_sub(1)) && !is_letter(Some(at + len));
    NAMED_CATEGORIES
        .iter()
        .find(|(words, _)| name.match_indices(words).any(|(at, _)| is_word(at, words.len())))
        .map_or(Category::Other, |(_, category)| *category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_category() {
        assert_eq!(category_of_name("SQL Injection Detection"), Category::SqlInjection);
        assert_eq!(category_of_name("XSS Prevention"), Category::Xss);
        assert_eq!(category_of_name("a source of trouble: not rce-like words in sourced"), Category::Rce);
        assert_eq!(category_of_name("sources of trouble"), Category::Other);
        assert_eq!(category_of_name("both hands"), Category::Other);
    }

    #[test]
    fn an_action_of_a_later_version_is_refused_by_name() {
        let error = serde_json::from_str::<RuleAction>("\"challenge\"").unwrap_err().to_string();
        assert!(error.contains("challenge") && error.contains("not built yet"), "{error}");
    }

    #[test]
    fn a_rule_does_what_its_action_says_and_in_monitor_mode_only_logs() {
        let rule = |action: &str, more: &str| -> Rule {
            serde_json::from_str(&format!(r#"{{"id":"a","pattern":"b","action":"{action}"{more}}}"#)).unwrap()
        };
        for (name, action) in [
            ("log", Action::Log),
            ("rate_limit", Action::RateLimit),
            ("sanitize", Action::Sanitize),
            ("block", Action::Block),
            ("allow", Action::Allow),
        ] {
            let as_it_says = rule(name, "");
            assert_eq!(as_it_says.effective_action(), action);
            let text = serde_json::to_string(&as_it_says).unwrap();
            assert!(text.contains(&format!(r#""effective_action":"{name}""#)), "{text}");
            assert_eq!(rule(name, r#","mode":"monitor""#).effective_action(), Action::Log);
        }
    }

    #[test]
    fn a_rule_that_is_written_is_read_back() {
        let text = r#"{"id":"a","pattern":"b","action":"log","targets":["header:X-Y","header:*"],"paths":["/a"],
            "transforms":[],"expires_at":"2030-01-01T00:00:00Z","severity":"critical","enabled":false}"#;
        let rule: Rule = serde_json::from_str(text).unwrap();
        let again: Rule = serde_json::from_str(&serde_json::to_string(&rule).unwrap()).unwrap();
        assert_eq!(rule, again);
        assert_eq!(rule.targets, [Target::Header("x-y".into()), Target::EveryHeader]);
    }
}
