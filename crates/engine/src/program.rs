//! Rules, compiled: immutable, shared by all workers.

use crate::compile;
use crate::fast::Fast;
use crate::rule::Rule;
use crate::step::Exclusion;
use crate::words::Words;
use crate::{CompileError, Facts, Memory, Transaction};
use secbeat_seclang::{Directives, Phase, RuleSet, Variable};
use std::sync::Arc;

/// Rules, compiled. Rules are numbered in file order, those of all phases together.
#[derive(Debug)]
pub struct Program {
    pub(crate) rules: Vec<Rule>,
    pub(crate) infos: Vec<RuleInfo>,
    /// The rules of phases 1 to 5.
    pub(crate) phases: [Vec<u32>; 5],
    pub(crate) words: Words,
    pub(crate) constants: Vec<Box<[u8]>>,
    pub(crate) exclusions: Vec<Exclusion>,
    /// The variables that follow from the facts of a transaction and that a rule asks for.
    pub(crate) introduced: Vec<Variable>,
    pub(crate) directives: Directives,
    /// Whether a rule asks for all of TX.
    pub(crate) asks_for_all: bool,
    pub(crate) fast: Fast,
}

/// What people are told of a rule.
#[derive(Debug, Clone)]
pub struct RuleInfo {
    /// `id`.
    pub id: u64,
    /// The file.
    pub file: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// When it runs.
    pub phase: Phase,
    /// `severity`: 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// `msg`, macros as written.
    pub message: String,
    /// `tag`, macros as written.
    pub tags: Vec<String>,
    /// What the tag `paranoia-level/N` says.
    pub paranoia_level: Option<u8>,
    /// `ver`.
    pub ver: Option<Arc<str>>,
    /// `rev`.
    pub rev: Option<Arc<str>>,
    /// `maturity`.
    pub maturity: Option<u8>,
    /// `accuracy`.
    pub accuracy: Option<u8>,
}

impl Program {
    /// Compiles rules.
    ///
    /// # Errors
    /// All that is wrong, at most fifty mistakes of it.
    pub fn compile(rules: &RuleSet) -> Result<Program, Vec<CompileError>> {
        compile::compile(rules)
    }

    /// Begins a transaction.
    pub fn transaction<'p>(&'p self, memory: Memory, facts: Facts<'p>) -> Transaction<'p> {
        Transaction::new(self, memory, facts)
    }

    /// The rules in file order; a [`crate::Match`] names them by their place here.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.infos
    }

    /// Whether all that a rule does, by its number, is to compare variables of TX and set some or pass over other rules: it tells
    /// nothing and stops nothing, and no exception concerns it.
    pub fn steers(&self, rule: u32) -> bool {
        self.rules.get(rule as usize).is_some_and(|rule| rule.steers)
    }

    /// Whether a variable of TX of this name, in lower case, may be unset where the plain way sets it: no rule asks for it.
    pub fn leaves_unset(&self, name: &[u8]) -> bool {
        self.fast.foreseen.iter().any(|foreseen| foreseen.leaves_unset(self, name))
    }

    /// What the directives say that are no rules.
    pub fn directives(&self) -> &Directives {
        &self.directives
    }

    /// A number that no other program of this process has.
    pub fn number(&self) -> u64 {
        self.fast.scan.stamp()
    }

    /// The rules of a phase, by number, in file order.
    pub(crate) fn phase(&self, phase: Phase) -> &[u32] {
        self.phases.get(phase as usize - 1).map_or(&[], |rules| rules)
    }

    /// A constant, by its number.
    pub(crate) fn constant(&self, number: u32) -> &[u8] {
        self.constants.get(number as usize).map_or(b"", |constant| constant)
    }
}
