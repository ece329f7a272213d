//! Exceptions compiled. They are asked only when something matched, and found by its rule: a request in which nothing
//! matches pays nothing for them. What is asked is in `exception_lookup`.

use crate::exception_lookup::Circumstances;
use crate::glob::{Glob, Hosts, Paths};
use crate::rule_error::Subject;
use crate::{Exception, RuleError};
use secbeat_types::{Category, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// The longest id, in characters.
const ID_LEN_MAX: usize = 128;

/// A compiled, immutable set of exceptions. Shared between threads; a change is a new set.
#[derive(Debug, Default)]
pub struct ExceptionSet {
    pub(crate) compiled: Vec<Compiled>,
    /// Those that name rules, by rule.
    pub(crate) by_rule: BTreeMap<Box<str>, Vec<usize>>,
    /// Those that name categories and no rules, by category.
    pub(crate) by_category: BTreeMap<Category, Vec<usize>>,
    /// Those that name neither.
    pub(crate) general: Vec<usize>,
    has_paths: bool,
}

#[derive(Debug)]
pub(crate) struct Compiled {
    exception: Exception,
    paths: Paths,
    /// The variables it is for; none: all.
    pub(crate) parameters: Vec<Glob>,
    hosts: Hosts,
    pub(crate) counter: Arc<Counter>,
}

/// The matches that an exception kept from counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hits {
    /// How many there were.
    pub count: u64,
    /// When the last one was; `None`: there was none.
    pub last: Option<Timestamp>,
}

/// [`Hits`], counted by all threads.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    count: AtomicU64,
    last_ms: AtomicI64,
}

impl Counter {
    pub(crate) fn hit(&self, now: Timestamp) {
        self.last_ms.fetch_max(now.unix_ms(), Relaxed);
        self.count.fetch_add(1, Relaxed);
    }

    fn hits(&self) -> Hits {
        let count = self.count.load(Relaxed);
        Hits { count, last: (count > 0).then(|| Timestamp::from_unix_ms(self.last_ms.load(Relaxed))) }
    }
}

impl ExceptionSet {
    /// Compiles exceptions. The first that cannot be is named, with its key, and nothing is compiled.
    ///
    /// # Errors
    /// An id is taken twice, a pattern is none, or nothing narrows an exception.
    pub fn compile(exceptions: Vec<Exception>) -> Result<ExceptionSet, RuleError> {
        let mut set = ExceptionSet::empty();
        let mut ids = BTreeSet::new();
        for (index, exception) in exceptions.into_iter().enumerate() {
            let blame = |key: &str, message: String| RuleError {
                subject: Subject::Exception,
                id: Some(exception.id.clone()),
                index: Some(index),
                key: Some(key.into()),
                position: None,
                message,
            };
            let id = &exception.id;
            if id.is_empty() || id.len() > ID_LEN_MAX || !id.bytes().all(|b| b.is_ascii_graphic()) {
                let expected = format!("expected 1 to {ID_LEN_MAX} printable ASCII characters, no spaces");
                return Err(blame("id", expected));
            }
            if !ids.insert(id.clone()) {
                let message = "this id is taken by an exception before; give each its own";
                return Err(blame("id", message.into()));
            }
            let compiled = Compiled {
                paths: Paths::new(&exception.paths).map_err(|message| blame("paths", message))?,
                parameters: parameters(&exception.parameters)
                    .map_err(|message| blame("parameters", message))?,
                hosts: Hosts::new(&exception.hosts).map_err(|message| blame("hosts", message))?,
                counter: Arc::default(),
                exception: exception.clone(),
            };
            if !compiled.is_narrow() {
                let message = "it would except everything; name at least one of `rules`, `categories`, `paths`, \
                               `parameters`, `hosts` and `clients`, and in it nothing that is for all (`/`, `*`, \
                               0.0.0.0/0)";
                return Err(blame("rules", message.into()));
            }
            set.insert(compiled);
        }
        Ok(set)
    }

    /// No exceptions.
    pub const fn empty() -> ExceptionSet {
        ExceptionSet {
            compiled: Vec::new(),
            by_rule: BTreeMap::new(),
            by_category: BTreeMap::new(),
            general: Vec::new(),
            has_paths: false,
        }
    }

    /// This set, its exceptions counting on where those of the same id in `before` are.
    pub fn counting_on(mut self, before: &ExceptionSet) -> ExceptionSet {
        let counts: BTreeMap<&str, &Arc<Counter>> =
            before.compiled.iter().map(|known| (known.exception.id.as_str(), &known.counter)).collect();
        for compiled in &mut self.compiled {
            if let Some(counter) = counts.get(compiled.exception.id.as_str()) {
                compiled.counter = Arc::clone(counter);
            }
        }
        self
    }

    /// The exceptions, in order, each with the matches that it kept from counting.
    pub fn hits(&self) -> impl Iterator<Item = (&Exception, Hits)> {
        self.compiled.iter().map(|compiled| (&compiled.exception, compiled.counter.hits()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.compiled.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.compiled.is_empty()
    }

    /// Whether any of them is for certain paths only.
    pub(crate) fn has_paths(&self) -> bool {
        self.has_paths
    }

    fn insert(&mut self, compiled: Compiled) {
        let (index, exception) = (self.compiled.len(), &compiled.exception);
        for rule in &exception.rules {
            self.by_rule.entry(rule.as_str().into()).or_default().push(index);
        }
        if exception.rules.is_empty() {
            for category in &exception.categories {
                self.by_category.entry(*category).or_default().push(index);
            }
            if exception.categories.is_empty() {
                self.general.push(index);
            }
        }
        self.has_paths |= !compiled.paths.is_empty();
        self.compiled.push(compiled);
    }
}

impl Compiled {
    /// Whether a list narrows it: one that is not empty, and of which nothing is for all.
    fn is_narrow(&self) -> bool {
        let Exception { rules, categories, clients, .. } = &self.exception;
        !rules.is_empty()
            || !categories.is_empty()
            || !self.hosts.is_empty()
            || !(self.paths.is_empty() || self.paths.is_for_all())
            || !(self.parameters.is_empty() || self.parameters.iter().any(Glob::is_for_all))
            || !(clients.is_empty() || clients.iter().any(|prefix| prefix.prefix_len() == 0))
    }

    /// Whether it is for matches of this category in this request. The rule was looked up; the variable is not asked.
    pub(crate) fn is_for(&self, category: Category, circumstances: &Circumstances<'_>) -> bool {
        let Exception { categories, clients, .. } = &self.exception;
        let client = circumstances.client.to_canonical();
        (categories.is_empty() || categories.contains(&category))
            && (clients.is_empty() || clients.iter().any(|prefix| prefix.contains(&client)))
            && (self.hosts.is_empty() || self.hosts.is_match(circumstances.host))
            && self.exception.is_in_force(circumstances.now)
            && (self.paths.is_empty() || (circumstances.paths)().iter().all(|path| self.paths.is_match(path)))
    }
}

/// Patterns of variables; names of headers in any case.
fn parameters(patterns: &[String]) -> Result<Vec<Glob>, String> {
    let read = |pattern: &String| match pattern.split_once(':') {
        Some(("header", name)) => Ok(Glob::new(&format!("header:{}", name.to_ascii_lowercase()))),
        Some(("query" | "body" | "cookie", _)) => Ok(Glob::new(pattern)),
        None if matches!(pattern.as_str(), "path" | "body" | "*") => Ok(Glob::new(pattern)),
        parts if secbeat_seclang::Variable::from_name(parts.map_or(pattern, |(name, _)| name)).is_some() => {
            Ok(Glob::new(pattern))
        }
        _ => Err(format!(
            "expected `query:<name>`, `body:<name>`, `body`, `header:<name>`, `cookie:<name>`, `path` or a variable of \
             SecLang such as `ARGS:<name>`, with `*` for any characters, found `{pattern}`"
        )),
    };
    patterns.iter().map(read).collect()
}

#[cfg(test)]
#[path = "exception_tests.rs"]
mod tests;
