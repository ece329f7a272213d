//! Rules compiled to one program.

use crate::findings::SYNTHETIC_IDS;
use crate::glob::Paths;
use crate::seclang::attached::Attached;
use crate::sieve::Sieve;
use crate::transform::CHAINS_MAX;
use crate::{
    Context, Request, Rule, RuleAction, RuleError, RuleRate, Settings, Target, Transaction, Transform,
    request,
};
use regex::bytes::{Regex, RegexBuilder};
use secbeat_engine::Program;
use secbeat_pattern::RuleBits;
use secbeat_types::Action;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The most memory that one compiled pattern may take, in bytes.
const PATTERN_SIZE_MAX: usize = 4 << 20;
/// The longest id, in characters.
const ID_LEN_MAX: usize = 128;

/// Numbers classes, so that what a thread remembers of one is not taken for another's.
static NEXT_KEY: AtomicU32 = AtomicU32::new(0);

/// A compiled, immutable set of rules. Shared between threads; a change is a new set.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    pub(crate) compiled: Vec<Compiled>,
    /// The distinct chains of transformations; a rule's is one bit.
    pub(crate) chains: Vec<Vec<Transform>>,
    pub(crate) path: Class,
    pub(crate) query: Class,
    pub(crate) body: Class,
    pub(crate) cookies: Class,
    headers: Class,
    routine_headers: Class,
    named_headers: Vec<(String, Class)>,
    /// Whether any rule is for certain paths only.
    pub(crate) has_paths: bool,
    /// Whether any rule allows what it matches.
    pub(crate) may_allow: bool,
    pub(crate) settings: Settings,
    /// What tells which rules may match a value; `None`: each is tried on each form.
    pub(crate) sieve: Option<Sieve>,
    /// The rules in SecLang that requests run through besides.
    pub(crate) seclang: Option<Attached>,
}

/// What the evaluator needs of one rule.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) id: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) pattern: Regex,
    /// The bit of its chain of transformations.
    pub(crate) chain: u64,
    /// The paths it is for; none: all.
    pub(crate) paths: Paths,
    /// Its action after mode and settings.
    pub(crate) action: Action,
}

/// The rules that look at one class of values.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) rules: Vec<usize>,
    /// The same, for the sieve.
    pub(crate) bits: RuleBits,
    /// Tells it from every other class of every set; even.
    pub(crate) key: u32,
    /// Their chains.
    pub(crate) chains: u64,
}

impl RuleSet {
    /// Compiles rules. The first that cannot be is named, with its key, and nothing is compiled.
    pub fn compile(rules: &[Rule], settings: &Settings) -> Result<RuleSet, RuleError> {
        let mut chains: Vec<Vec<Transform>> = Vec::new();
        let mut compiled = Vec::with_capacity(rules.len());
        let mut ids = HashSet::new();
        for (index, rule) in rules.iter().enumerate() {
            let blame = |key: &str, message: String| RuleError {
                id: Some(rule.id.clone()),
                index: Some(index),
                key: Some(key.into()),
                message,
                ..RuleError::default()
            };
            if rule.id.is_empty()
                || rule.id.len() > ID_LEN_MAX
                || !rule.id.bytes().all(|b| b.is_ascii_graphic())
            {
                return Err(blame(
                    "id",
                    format!("expected 1 to {ID_LEN_MAX} printable ASCII characters, no spaces"),
                ));
            }
            if !ids.insert(&rule.id) {
                return Err(blame("id", "this id is taken by a rule before; give each rule its own".into()));
            }
            if rule.targets.is_empty() {
                return Err(blame(
                    "targets",
                    "the list is empty, so the rule looks nowhere; leave the key out".into(),
                ));
            }
            let chain = chains.iter().position(|chain| *chain == rule.transforms).unwrap_or_else(|| {
                chains.push(rule.transforms.clone());
                chains.len() - 1
            });
            if chain >= CHAINS_MAX {
                let message =
                    format!("more than {CHAINS_MAX} different lists of transforms; use one of those before");
                return Err(blame("transforms", message));
            }
            if rule.rate.is_some() && rule.action != RuleAction::RateLimit {
                return Err(blame("rate", "only a rule whose action is `rate_limit` has a rate".into()));
            }
            let suspicion_only = rule.severity.is_suspicion() && !settings.block_suspicious;
            let action = match rule.effective_action() {
                // It stops nothing: neither monitor mode nor its severity keeps it from acting.
                Action::Allow => Action::Allow,
                _ if settings.monitor || suspicion_only => Action::Log,
                action => action,
            };
            compiled.push(Compiled {
                id: rule.id.as_str().into(),
                name: rule.name.as_str().into(),
                pattern: pattern(&rule.pattern).map_err(|message| blame("pattern", message))?,
                chain: 1 << chain,
                paths: Paths::new(&rule.paths).map_err(|message| blame("paths", message))?,
                action,
            });
        }
        let class = |looks: &dyn Fn(&Target) -> bool| Class::new(looking(rules, looks), &compiled);
        let mut names: Vec<&String> =
            rules.iter().flat_map(|rule| &rule.targets).filter_map(header_name).collect();
        names.sort_unstable();
        names.dedup();
        let named_headers = names.into_iter().map(|name| {
            let routine = request::is_routine_header(name.as_bytes());
            let looks = |target: &Target| match target {
                Target::EveryHeader => true,
                Target::Headers => !routine,
                Target::Header(wanted) => wanted == name,
                _ => false,
            };
            (name.clone(), class(&looks))
        });
        Ok(RuleSet {
            path: class(&|target| *target == Target::Path),
            query: class(&|target| *target == Target::Query),
            body: class(&|target| *target == Target::Body),
            cookies: class(&|target| *target == Target::Cookies),
            headers: class(&|target| matches!(target, Target::Headers | Target::EveryHeader)),
            routine_headers: class(&|target| *target == Target::EveryHeader),
            named_headers: named_headers.collect(),
            has_paths: compiled.iter().any(|rule| !rule.paths.is_empty()),
            may_allow: rules.iter().any(|rule| rule.enabled && rule.effective_action() == Action::Allow),
            sieve: Sieve::new(&compiled, &chains),
            rules: rules.to_vec(),
            compiled,
            chains,
            settings: *settings,
            seclang: None,
        })
    }

    /// This set without the filter before its rules: the reference that the fast way is held equal to.
    pub fn plain(self) -> RuleSet {
        RuleSet { sieve: None, ..self }
    }

    /// This set, with a program of rules in SecLang that each request runs through after those in JSON.
    pub fn with_seclang(self, program: Arc<Program>) -> RuleSet {
        RuleSet { seclang: Some(Attached::new(program)), ..self }
    }

    /// The rules in SecLang.
    pub fn seclang(&self) -> Option<&Arc<Program>> {
        self.seclang.as_ref().map(|attached| &attached.program)
    }

    /// The index of the first rule in SecLang, where rules of all kinds are numbered.
    pub(crate) fn seclang_first(&self) -> usize {
        self.compiled.len() + SYNTHETIC_IDS.len()
    }

    /// The rules, in order, as they are listed to an operator.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Begins to judge a request.
    pub fn transaction<'a>(&'a self, context: Context<'a>) -> Transaction<'a> {
        Transaction::new(self, context)
    }

    /// Judges a head alone; for tools and tests.
    pub fn judge_head(&self, request: &Request<'_>, context: Context<'_>) -> secbeat_types::Verdict {
        self.transaction(context).request_head(request)
    }

    /// The rate of a rule whose action is `rate_limit`; `None`: there is no such rule.
    pub fn rate_of(&self, rule_id: &str) -> Option<RuleRate> {
        let rule = self.rules.iter().find(|rule| rule.id == rule_id)?;
        (rule.action == RuleAction::RateLimit).then(|| rule.rate.unwrap_or_default())
    }

    /// The rules that look at the header `name`.
    pub(crate) fn header_class(&self, name: &[u8]) -> &Class {
        match self.named_headers.iter().find(|(named, _)| name.eq_ignore_ascii_case(named.as_bytes())) {
            Some((_, class)) => class,
            None if request::is_routine_header(name) => &self.routine_headers,
            None => &self.headers,
        }
    }
}

impl Class {
    fn new(rules: Vec<usize>, compiled: &[Compiled]) -> Class {
        let mut bits = RuleBits::new(compiled.len());
        rules.iter().filter_map(|&index| u16::try_from(index).ok()).for_each(|rule| bits.insert(rule));
        let key = NEXT_KEY.fetch_add(2, Ordering::Relaxed);
        let of_class = rules.iter().filter_map(|&index| compiled.get(index));
        Class { chains: of_class.fold(0, |chains, rule| chains | rule.chain), rules, bits, key }
    }
}

/// The rules, by index and ascending, that are switched on and look at one of these targets.
fn looking(rules: &[Rule], looks: &dyn Fn(&Target) -> bool) -> Vec<usize> {
    let looking = rules.iter().enumerate().filter(|(_, rule)| rule.enabled && rule.targets.iter().any(looks));
    looking.map(|(index, _)| index).collect()
}

fn header_name(target: &Target) -> Option<&String> {
    match target {
        Target::Header(name) => Some(name),
        _ => None,
    }
}

/// Compiles a pattern over bytes.
fn pattern(text: &str) -> Result<Regex, String> {
    if text.is_empty() {
        return Err("the pattern is empty and would match everything".into());
    }
    RegexBuilder::new(text)
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(PATTERN_SIZE_MAX)
        .build()
        .map_err(|error| explain(&error))
}

/// What is wrong with a pattern in one line: `regex` draws a caret under the place, on its own line.
fn explain(error: &regex::Error) -> String {
    let regex::Error::Syntax(drawing) = error else {
        return format!("the pattern is too large ({error}); shorten its repetitions");
    };
    let lines: Vec<&str> = drawing.lines().collect();
    let caret = lines.iter().find(|line| line.contains('^') && line.trim_matches([' ', '^']).is_empty());
    let what = lines.last().map_or(drawing.as_str(), |line| line.trim_start_matches("error: "));
    match caret.and_then(|line| line.find('^')) {
        // The drawing is indented by four spaces.
        Some(column) => format!("{what}, at character {} of the pattern", column.saturating_sub(3)),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_rules;

    fn compile(rules: &str) -> Result<RuleSet, RuleError> {
        RuleSet::compile(&parse_rules(&format!("{{\"rules\":[{rules}]}}"))?, &Settings::default())
    }

    #[test]
    fn a_bad_pattern_names_its_rule_and_its_place() {
        let error = compile(
            r#"{"id":"good","pattern":"a","action":"log"},{"id":"bad","pattern":"ab(c","action":"log"}"#,
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "rule bad (number 2), key pattern: unclosed group, at character 3 of the pattern"
        );
        let large = compile(r#"{"id":"large","pattern":"(?:a{1000}){1000}","action":"log"}"#).unwrap_err();
        assert!(large.message.contains("too large"), "{large}");
        for bad in [r#""pattern":"""#, r#""pattern":"a","targets":[]"#, r#""pattern":"a","paths":["admin"]"#]
        {
            assert!(compile(&format!(r#"{{"id":"x",{bad},"action":"log"}}"#)).is_err(), "{bad}");
        }
        assert_eq!(
            compile(r#"{"id":"a b","pattern":"a","action":"log"}"#).unwrap_err().key.as_deref(),
            Some("id")
        );
    }

    #[test]
    fn a_rule_that_is_switched_off_is_compiled_but_not_looked_at() {
        assert!(compile(r#"{"id":"x","pattern":"(","action":"log","enabled":false}"#).is_err());
        let set = compile(r#"{"id":"x","pattern":"a","action":"log","enabled":false}"#).unwrap();
        assert!(set.query.rules.is_empty());
    }
}
