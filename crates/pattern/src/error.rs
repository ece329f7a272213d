//! What is wrong with an expression.

use std::fmt;

/// Why an expression cannot be used: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The byte of the expression at which reading stopped; `None`: the whole of it is at fault.
    pub at: Option<usize>,
    /// What is wrong, what was expected and what to do, as one sentence without a final stop.
    pub message: String,
}

impl PatternError {
    pub(crate) fn at(at: usize, message: impl Into<String>) -> PatternError {
        PatternError { at: Some(at), message: message.into() }
    }

    pub(crate) fn whole(message: impl Into<String>) -> PatternError {
        PatternError { at: None, message: message.into() }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "at byte {at} of the expression: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for PatternError {}
