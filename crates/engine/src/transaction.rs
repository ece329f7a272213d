//! One request and its answer, as rules see them.

use crate::{Admission, Effective, Facts, Intervention, Match, Memory, Program};
use secbeat_seclang::{EngineMode, Phase, Variable};
use std::borrow::Cow;

/// One request and its answer: filled with values, run phase by phase.
pub struct Transaction<'p> {
    pub(crate) program: &'p Program,
    pub(crate) memory: Memory,
    pub(crate) facts: Facts<'p>,
    pub(crate) settings: Effective,
    pub(crate) matches: Vec<Match>,
    pub(crate) trail: Vec<u32>,
}

impl<'p> Transaction<'p> {
    pub(crate) fn new(program: &'p Program, memory: Memory, facts: Facts<'p>) -> Self {
        let settings = Effective::of(&program.directives);
        Transaction { program, memory, facts, settings, matches: Vec::new(), trail: Vec::new() }
    }

    /// Says whether rules act, whatever `SecRuleEngine` says: before the first phase.
    pub fn set_engine(&mut self, mode: EngineMode) {
        self.settings.engine = mode;
    }

    /// Gives a variable its one value: `REQUEST_LINE`, `REQUEST_BODY`, `MULTIPART_STRICT_ERROR`, `RESPONSE_STATUS`, ….
    pub fn set(&mut self, variable: Variable, value: &[u8]) {
        self.memory.values.set(variable, value);
    }

    /// Adds a value to a collection: `ARGS_GET`, `ARGS_POST`, `REQUEST_HEADERS`, `REQUEST_COOKIES`, `FILES`, `FILES_NAMES` (by
    /// field), `FILES_SIZES`, `MULTIPART_PART_HEADERS`, `XML` (named `/*` or `//@*`), `RESPONSE_HEADERS`, …. What follows from
    /// them (`ARGS`, `ARGS_NAMES`, `ARGS_COMBINED_SIZE`, counts) the engine knows by itself.
    pub fn add(&mut self, variable: Variable, name: &[u8], value: &[u8]) {
        self.memory.values.add(variable, name, value);
    }

    /// Runs a phase; phases are run in order. Once something stopped the request, later phases do nothing, but for logging,
    /// which always runs.
    pub fn run(&mut self, phase: Phase) -> Option<Intervention> {
        self.run_admitting(phase, None)
    }

    /// Runs a phase, in which `admission` may say no to a match before it counts.
    pub fn run_admitting(
        &mut self,
        _phase: Phase,
        _admission: Option<&dyn Admission>,
    ) -> Option<Intervention> {
        None
    }

    /// What holds for this transaction, `ctl` heeded.
    pub fn settings(&self) -> &Effective {
        &self.settings
    }

    /// What rules said so far that log, audit or stop, in order.
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// Every rule that matched so far as a whole, by number, in order.
    pub fn trail(&self) -> &[u32] {
        &self.trail
    }

    /// A variable of TX, by its name in any case.
    pub fn tx(&self, _name: &str) -> Option<Cow<'_, [u8]>> {
        None
    }

    /// A variable of TX as a number: a score.
    pub fn tx_number(&self, _name: &str) -> Option<i64> {
        None
    }

    /// Ends the transaction: what outlives it is stored; the memory comes back for the next one.
    pub fn finish(mut self) -> Memory {
        self.memory.values.clear();
        self.memory
    }
}
