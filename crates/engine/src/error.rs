//! Why rules could not be compiled.

use std::fmt;

/// One thing that is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// The file of the rule.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// Its id.
    pub id: u64,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: rule {}: {}", self.file, self.line, self.id, self.message)
    }
}

impl std::error::Error for CompileError {}
