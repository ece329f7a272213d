//! One request and its answer, as rules see them.

use crate::datum::Found;
use crate::fast::Course;
use crate::{Admission, Caches, Effective, Facts, Intervention, Match, Memory, Program};
use secbeat_seclang::{EngineMode, Phase, Variable};
use std::borrow::Cow;
use std::sync::Arc;

/// One request and its answer: filled with values, run phase by phase.
pub struct Transaction<'p> {
    pub(crate) program: &'p Program,
    pub(crate) memory: Memory,
    pub(crate) facts: Facts<'p>,
    pub(crate) settings: Effective,
    pub(crate) matches: Vec<Match>,
    /// Why it was stopped.
    pub(crate) stopped: Option<Intervention>,
    /// The last phase that `allow` lets it pass.
    pub(crate) allowed: Option<Phase>,
    /// What the audit log must not show.
    pub(crate) sanitised: Vec<(Variable, Option<Arc<str>>)>,
    /// The value that matched last, as it came.
    pub(crate) origin: Option<Found>,
    /// The work done so far.
    pub(crate) spent: u64,
    /// How phases were run so far.
    pub(crate) course: Course,
}

impl<'p> Transaction<'p> {
    pub(crate) fn new(program: &'p Program, mut memory: Memory, facts: Facts<'p>) -> Self {
        memory.clear(program.words.len(), program.rules.len());
        memory.state.now_ms = facts.now_ms;
        memory.state.seed = facts.seed;
        let settings = Effective::of(&program.directives);
        let mut transaction = Transaction {
            program,
            memory,
            facts,
            settings,
            matches: Vec::new(),
            stopped: None,
            allowed: None,
            sanitised: Vec::new(),
            origin: None,
            spent: 0,
            course: Course::Begun,
        };
        transaction.introduce();
        if !facts.plain {
            transaction.begin_fast();
        }
        transaction
    }

    /// Sets what follows from the facts, as far as a rule may ask for it.
    fn introduce(&mut self) {
        let facts = self.facts;
        let values = &mut self.memory.state.values;
        let mut digits = itoa::Buffer::new();
        for &variable in &self.program.introduced {
            let mut text = [0; 45];
            match variable {
                Variable::RemoteAddr | Variable::RemoteHost => {
                    values.set(variable, address(facts.client, &mut text));
                }
                Variable::ServerAddr => values.set(variable, address(facts.server, &mut text)),
                Variable::RemotePort => values.set(variable, digits.format(facts.client_port).as_bytes()),
                Variable::ServerPort => values.set(variable, digits.format(facts.server_port).as_bytes()),
                Variable::ServerName => values.set(variable, facts.server_name),
                Variable::UniqueId => values.set(variable, facts.unique_id.as_bytes()),
                Variable::WebappId => {
                    let id = self.program.directives.webapp_id.as_deref().unwrap_or("default");
                    values.set(variable, id.as_bytes());
                }
                _ => {}
            }
        }
    }

    /// Says whether rules act, whatever `SecRuleEngine` says: before the first phase.
    pub fn set_engine(&mut self, mode: EngineMode) {
        self.settings.engine = mode;
    }

    /// Gives a variable its one value: `REQUEST_LINE`, `REQUEST_BODY`, `MULTIPART_STRICT_ERROR`, `RESPONSE_STATUS`, ….
    pub fn set(&mut self, variable: Variable, value: &[u8]) {
        self.memory.state.values.set(variable, value);
    }

    /// Adds a value to a collection: `ARGS_GET`, `ARGS_POST`, `REQUEST_HEADERS`, `REQUEST_COOKIES`, `FILES`, `FILES_NAMES` (by
    /// field), `FILES_SIZES`, `MULTIPART_PART_HEADERS`, `XML` (named `/*` or `//@*`), `RESPONSE_HEADERS`, …. What follows from
    /// them (`ARGS`, `ARGS_NAMES`, `ARGS_COMBINED_SIZE`, counts) the engine knows by itself.
    pub fn add(&mut self, variable: Variable, name: &[u8], value: &[u8]) {
        self.memory.state.values.add(variable, name, value);
    }

    /// Runs a phase; phases are run in order. Once something stopped the request, later phases do nothing, but for logging,
    /// which always runs.
    pub fn run(&mut self, phase: Phase) -> Option<Intervention> {
        self.run_admitting(phase, None)
    }

    /// Runs a phase, in which `admission` may say no to a match before it counts.
    pub fn run_admitting(&mut self, phase: Phase, admission: Option<&dyn Admission>) -> Option<Intervention> {
        self.phase(phase, admission)
    }

    /// Runs a phase with the caches of a worker, which may serve any transaction of any program before and after, but do best
    /// with those of one ([`Program::number`]).
    pub fn run_lent(
        &mut self,
        caches: &mut Box<Caches>,
        phase: Phase,
        admission: Option<&dyn Admission>,
    ) -> Option<Intervention> {
        caches.tools.shrink();
        std::mem::swap(&mut self.memory.caches, caches);
        let intervention = self.phase(phase, admission);
        std::mem::swap(&mut self.memory.caches, caches);
        intervention
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
        &self.memory.trail
    }

    /// What rules say that the audit log must not show (`sanitiseArg`, …): the variable, and the name if it is not all of it.
    pub fn sanitised(&self) -> &[(Variable, Option<Arc<str>>)] {
        &self.sanitised
    }

    /// The work done so far, in the units of [`Facts::budget`].
    pub fn spent(&self) -> u64 {
        self.spent
    }

    /// The first value of a variable that was set or added, if there is one.
    pub fn value(&self, variable: Variable) -> Option<&[u8]> {
        let values = &self.memory.state.values;
        values.of(variable).next().map(|(_, value)| values.bytes(value.bytes))
    }

    /// A variable of TX, by its name in any case.
    pub fn tx(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let state = &self.memory.state;
        state.tx_named(self.program, name.as_bytes()).map(|datum| state.bytes(self.program, datum))
    }

    /// A variable of TX as a number: a score.
    pub fn tx_number(&self, name: &str) -> Option<i64> {
        let state = &self.memory.state;
        state.tx_named(self.program, name.as_bytes()).map(|datum| state.number(self.program, datum))
    }

    /// All variables of TX that have a value, by name, in no order; some that no rule asks for may have none
    /// ([`Program::leaves_unset`]).
    pub fn tx_all(&self) -> impl Iterator<Item = (&[u8], Cow<'_, [u8]>)> {
        let (program, state) = (self.program, &self.memory.state);
        state.tx.iter().map(move |(name, datum)| (state.name(program, name), state.bytes(program, datum)))
    }

    /// Loads persistent collections, a bit each, that are open and not loaded.
    #[inline]
    pub(crate) fn load(&mut self, collections: u8) {
        if collections != 0 {
            let state = &mut self.memory.state;
            state.kept.load(collections, self.facts.collections, &mut state.values, state.now_ms);
        }
    }

    /// Ends the transaction: what outlives it is stored; the memory comes back for the next one.
    pub fn finish(mut self) -> Memory {
        if let Some(collections) = self.facts.collections {
            let state = &self.memory.state;
            let bytes = |datum| state.bytes(self.program, datum).into_owned();
            state.kept.store(collections, state.now_ms, &state.values, bytes);
        }
        self.memory.trim();
        self.memory
    }
}

/// An address as text, without an allocation.
fn address(address: std::net::IpAddr, text: &mut [u8; 45]) -> &[u8] {
    use std::io::Write;
    let mut rest = &mut text[..];
    // 45 bytes hold the longest address of version 6.
    let written = write!(rest, "{address}").map_or(0, |()| 45 - rest.len());
    text.get(..written).unwrap_or_default()
}
