//! Rules, compiled: immutable, shared by all workers.

use crate::{CompileError, Facts, Memory, Transaction};
use secbeat_seclang::{Directives, Phase, RuleSet};
use std::sync::Arc;

/// Rules, compiled.
#[derive(Debug)]
pub struct Program {
    pub(crate) infos: Vec<RuleInfo>,
    pub(crate) directives: Directives,
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
    /// Compiles rules; all that is wrong is told at once.
    pub fn compile(rules: &RuleSet) -> Result<Program, Vec<CompileError>> {
        Ok(Program { infos: Vec::new(), directives: rules.directives.clone() })
    }

    /// Begins a transaction.
    pub fn transaction<'p>(&'p self, memory: Memory, facts: Facts<'p>) -> Transaction<'p> {
        Transaction::new(self, memory, facts)
    }

    /// The rules in file order; a [`crate::Match`] names them by their place here.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.infos
    }

    /// What the directives say that are no rules.
    pub fn directives(&self) -> &Directives {
        &self.directives
    }
}
