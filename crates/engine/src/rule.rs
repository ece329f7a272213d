//! A rule, compiled.

use crate::operator::{Operator, compare};
use crate::step::{SetVar, Step};
use crate::target::Target;
use crate::text::{Operand, Text};
use secbeat_seclang::{AllowScope, Comparison};
use secbeat_transform::Transformation;

/// One rule with its chain.
#[derive(Debug)]
pub struct Rule {
    /// Its links: one, or the whole chain.
    pub links: Box<[Link]>,
    /// What becomes of the request.
    pub disruptive: Disruptive,
    /// The status of the answer.
    pub status: u16,
    /// Whether a match is told.
    pub log: bool,
    /// Whether a match is audited.
    pub audit: bool,
    /// Whether all that it does is to compare variables of TX and set some or pass over other rules: it tells nothing and stops
    /// nothing, and no exception concerns it.
    pub steers: bool,
    /// `severity`.
    pub severity: Option<u8>,
    /// The rule to go on with after a match, by number: `skip`, `skipAfter`.
    pub go_on: Option<u32>,
    /// The persistent collections that it speaks of, a bit each: [`crate::kept::bit`].
    pub collections: u8,
}

/// What becomes of the request.
#[derive(Debug)]
pub enum Disruptive {
    /// It goes on.
    Pass,
    /// It is answered with the status.
    Deny,
    /// The connection is closed.
    Drop,
    /// No further rules.
    Allow(AllowScope),
    /// It is sent elsewhere.
    Redirect(Text),
}

/// One link of a chain.
#[derive(Debug)]
pub struct Link {
    /// What it looks at and how; `None`: it always holds.
    pub test: Option<Test>,
    /// `capture`.
    pub capture: bool,
    /// `multiMatch`.
    pub multi_match: bool,
    /// `setvar`, carried out at each value that matches.
    pub setvars: Box<[SetVar]>,
    /// All else that it does, once the whole chain holds.
    pub steps: Box<[Step]>,
    /// `msg`.
    pub msg: Option<Text>,
    /// `logdata`.
    pub logdata: Option<Text>,
}

/// What a link looks at and how.
#[derive(Debug)]
pub struct Test {
    /// What it looks at, in order.
    pub targets: Box<[Target]>,
    /// What it does not look at.
    pub exclusions: Box<[Target]>,
    /// What is done to each value first.
    pub transformations: Box<[Transformation]>,
    /// Whether a transformation may change the digits of a number.
    pub touches_numbers: bool,
    /// Whether `!` stands before the operator.
    pub negated: bool,
    /// The operator.
    pub operator: Operator,
    /// The persistent collections that its argument speaks of, a bit each: [`crate::kept::bit`].
    pub collections: u8,
    /// The same, target by target, in a form that costs a few nanoseconds, where there is one: asked first.
    pub quick: Option<Box<[Quick]>>,
}

/// A comparison of one variable of TX, or of its presence, with a number.
#[derive(Debug)]
pub struct Quick {
    /// The variable, by its word.
    pub word: u32,
    /// Whether it is the number of values, 0 or 1.
    pub count: bool,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what: a number or another variable of TX.
    pub than: Operand,
    /// Whether `!` stands before the operator.
    pub negated: bool,
}

impl Quick {
    /// Whether it holds of a value.
    #[inline]
    pub fn holds(&self, value: i64, than: i64) -> bool {
        compare(self.comparison, value, than) != self.negated
    }
}
