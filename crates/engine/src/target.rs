//! What a rule looks at, compiled.

use secbeat_pattern::Matcher;
use secbeat_seclang::Variable;

/// One target.
#[derive(Debug)]
pub struct Target {
    /// What is looked at.
    pub variable: Variable,
    /// Which part of it.
    pub selector: Selector,
    /// Whether it is the number of values (`&`).
    pub count: bool,
}

/// Which part of a collection.
#[derive(Debug)]
pub enum Selector {
    /// All of it.
    All,
    /// What has this name, a word of the program.
    Word(u32),
    /// What has a name that this finds.
    Pattern(Box<Matcher>),
}
