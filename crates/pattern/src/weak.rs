//! The rules that no literal tells: all of their expressions in one lazy DFA.

use crate::PatternError;
use crate::rule_bits::RuleBits;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Input, MatchKind};
use regex_syntax::hir::Hir;

/// The largest NFA of all expressions together, bytes.
const NFA_MAX: usize = 8 << 20;
/// What the states may take of a worker's memory, bytes.
const CACHE_MAX: usize = 1 << 20;
/// How many bytes each state must have served for when the memory is full, or the automaton rests.
const BYTES_PER_STATE: usize = 16;
/// For how many bytes it rests: making states costs far more than asking each rule by itself.
const REST: usize = 64 << 10;

/// One automaton for many expressions: exact, but for those that were widened.
#[derive(Debug)]
pub(crate) struct Weak {
    dfa: DFA,
    /// Of each expression: whose it is, and whether it is exact.
    owners: Box<[(u16, bool)]>,
}

/// The states that a worker has made so far.
#[derive(Debug)]
pub(crate) struct WeakMemory {
    cache: Cache,
    /// The bytes for which the automaton rests.
    rest: usize,
}

impl WeakMemory {
    /// Bytes that it takes by now.
    pub fn memory_usage(&self) -> usize {
        self.cache.memory_usage()
    }
}

impl Weak {
    /// The automaton of these expressions, each with its rule and whether it is exact.
    pub fn new(expressions: &[(u16, bool, Hir)]) -> Result<Weak, PatternError> {
        let failed = |error: &dyn std::fmt::Display| PatternError::whole(error.to_string());
        let config = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(NFA_MAX))
            .which_captures(WhichCaptures::None)
            .shrink(false);
        let hirs: Vec<&Hir> = expressions.iter().map(|(_, _, hir)| hir).collect();
        let nfa = thompson::Compiler::new().configure(config).build_many_from_hir(&hirs);
        let config = Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(CACHE_MAX)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(1))
            .minimum_bytes_per_state(Some(BYTES_PER_STATE));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa.map_err(|error| failed(&error))?);
        let owners = expressions.iter().map(|(rule, exact, _)| (*rule, *exact)).collect();
        Ok(Weak { dfa: dfa.map_err(|error| failed(&error))?, owners })
    }

    /// Bytes that it takes.
    pub fn memory_usage(&self) -> usize {
        self.dfa.get_nfa().memory_usage() + self.dfa.memory_usage()
    }

    /// Calls `found` for each rule of `asked` of which an expression matches; of all of `asked` where the worker's
    /// memory does not suffice to tell.
    pub fn scan(
        &self,
        memory: &mut Option<WeakMemory>,
        view: &[u8],
        asked: &mut RuleBits,
        found: &mut impl FnMut(u16, bool),
    ) {
        let memory = memory.get_or_insert_with(|| WeakMemory { cache: self.dfa.create_cache(), rest: 0 });
        if memory.rest == 0 {
            if self.run(&mut memory.cache, view, asked, found).is_some() {
                return;
            }
            self.dfa.reset_cache(&mut memory.cache);
            memory.rest = REST;
        }
        memory.rest = memory.rest.saturating_sub(view.len());
        asked.iter().for_each(|rule| found(rule, false));
    }

    /// None where the memory does not suffice.
    fn run(
        &self,
        cache: &mut Cache,
        view: &[u8],
        asked: &mut RuleBits,
        found: &mut impl FnMut(u16, bool),
    ) -> Option<()> {
        let mut state = self.dfa.start_state_forward(cache, &Input::new(view)).ok()?;
        let mut told = state;
        cache.search_start(0);
        for (at, byte) in view.iter().enumerate() {
            if at & 63 == 63 {
                cache.search_update(at);
            }
            state = self.dfa.next_state(cache, state, *byte).ok()?;
            if state.is_tagged() && state != told {
                told = state;
                if state.is_dead() || self.tell(cache, state, asked, found) {
                    cache.search_finish(at);
                    return Some(());
                }
            }
        }
        cache.search_finish(view.len());
        let end = self.dfa.next_eoi_state(cache, state).ok()?;
        self.tell(cache, end, asked, found);
        Some(())
    }

    /// Tells what matches in `state`; whether nothing is asked for any more.
    fn tell(
        &self,
        cache: &Cache,
        state: LazyStateID,
        asked: &mut RuleBits,
        found: &mut impl FnMut(u16, bool),
    ) -> bool {
        if !state.is_match() {
            return false;
        }
        for index in 0..self.dfa.match_len(cache, state) {
            let pattern = self.dfa.match_pattern(cache, state, index);
            if let Some((rule, exact)) = self.owners.get(pattern.as_usize())
                && asked.contains(*rule)
            {
                found(*rule, *exact);
                asked.remove(*rule);
            }
        }
        asked.is_empty()
    }
}
