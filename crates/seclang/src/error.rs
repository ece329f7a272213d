//! What is wrong with a configuration, and where.

use std::fmt;
use std::sync::Arc;

/// One mistake of a configuration. Printed as `file:line: rule 942100: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file, or the name of the text.
    pub file: Arc<str>,
    /// The line on which the directive begins, from 1; 0: the file as a whole.
    pub line: u32,
    /// The rule, where it has told its id by then.
    pub rule: Option<u64>,
    /// What is wrong, what was expected, what to do.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if let Some(id) = self.rule {
            write!(f, ": rule {id}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Error {}
