//! Why a rule, an exception or a file of them was refused.

use std::fmt;

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Subject {
    /// A rule.
    #[default]
    Rule,
    /// An exception.
    Exception,
}

/// What is wrong with a rule or an exception, and where. Nothing of the text it came from is in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleError {
    /// What it is about.
    pub subject: Subject,
    /// Its `id`, where it could be read.
    pub id: Option<String>,
    /// Its place among them, from 0.
    pub index: Option<usize>,
    /// The key that is at fault.
    pub key: Option<String>,
    /// Line and column in the text, both from 1; the column counts characters.
    pub position: Option<(usize, usize)>,
    /// What was found, what was expected and what to do.
    pub message: String,
}

impl RuleError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        RuleError { message: message.into(), ..RuleError::default() }
    }
}

impl fmt::Display for RuleError {
    /// `rule sb-sqli-001 (number 3), key pattern, line 17, column 18: …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self.subject {
            Subject::Rule => "rule",
            Subject::Exception => "exception",
        };
        let mut place = Vec::new();
        match (&self.id, self.index) {
            (Some(id), Some(index)) => place.push(format!("{subject} {id} (number {})", index + 1)),
            (Some(id), None) => place.push(format!("{subject} {id}")),
            (None, Some(index)) => place.push(format!("{subject} number {}", index + 1)),
            (None, None) => {}
        }
        if let Some(key) = &self.key {
            place.push(format!("key {key}"));
        }
        if let Some((line, column)) = self.position {
            place.push(format!("line {line}, column {column}"));
        }
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for RuleError {}
