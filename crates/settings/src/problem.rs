//! Errors: place, key, cause and remedy in one line each.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave it: the built-in default.
    Default,
    /// The configuration file.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// `--set`.
    CommandLine,
}

impl Origin {
    /// The order of layers: a higher one wins.
    pub(crate) fn layer(&self) -> u8 {
        match self {
            Origin::Default => 0,
            Origin::File { .. } => 1,
            Origin::Environment(_) => 2,
            Origin::CommandLine => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::CommandLine => f.write_str("--set"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: `config/production.toml:12:3`, `environment WORKER_THREADS`, `--set`; `None`: in the whole.
    pub origin: Option<Origin>,
    /// The key, `server.worker_threads`; empty where it concerns no single key.
    pub key: String,
    /// What was expected, what was found, what to do.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(origin: Option<Origin>, key: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { origin, key: key.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong, a line each, in the order of the layers and of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors(pub Vec<Problem>);

impl Errors {
    /// `Ok` where nothing is wrong.
    pub(crate) fn unless_empty(mut problems: Vec<Problem>) -> Result<(), Errors> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by_key(|problem| match &problem.origin {
            Some(origin @ Origin::File { line, column, .. }) => (origin.layer(), *line, *column),
            Some(origin) => (origin.layer(), 0, 0),
            None => (u8::MAX, 0, 0),
        });
        Err(Errors(problems))
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
