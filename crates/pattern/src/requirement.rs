//! What every match of an expression must hold.

/// A literal requirement of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// It may match anything.
    Any,
    /// Each match holds one of these bytes (a bit each), letters in lower case.
    Bytes([u64; 4]),
    /// Each match holds one of these, letters in either case; they are in lower case here.
    Literals(Vec<Box<[u8]>>),
}

/// What each match of `pattern` (as of [`crate::Matcher::new`]) must hold; of one that cannot be read, nothing is known.
pub fn requirement(_pattern: &str) -> Requirement {
    Requirement::Any
}
