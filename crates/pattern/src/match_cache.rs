//! What a worker lends to its matchers: bounded, whatever they are made to look at.

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{backtrack, pikevm};
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// What the states of all lazy DFAs may take together, bytes.
const DFAS_MAX: usize = 8 << 20;
/// What the simulation may keep between two searches, bytes.
const SIMULATION_KEPT_MAX: usize = 256 << 10;

/// What a worker lends to its matchers: at most some 9 MB. The states that were not used for longest are forgotten first.
#[derive(Default)]
pub struct MatchCache {
    dfas: HashMap<u32, Entry, BuildHasherDefault<NumberHasher>>,
    /// Bytes that the entries take, as counted at their last use.
    bytes: usize,
    clock: u64,
    backtracker: Option<backtrack::Cache>,
    simulation: Option<pikevm::Cache>,
}

struct Entry {
    cache: Cache,
    bytes: usize,
    used: u64,
}

impl MatchCache {
    /// Bytes that it takes by now.
    pub fn memory_usage(&self) -> usize {
        self.bytes
            + self.backtracker.as_ref().map_or(0, backtrack::Cache::memory_usage)
            + self.simulation.as_ref().map_or(0, pikevm::Cache::memory_usage)
    }

    /// Searches with the states that the automaton `id` has by now.
    pub(crate) fn dfa<T>(&mut self, id: u32, dfa: &DFA, search: impl FnOnce(&DFA, &mut Cache) -> T) -> T {
        self.clock += 1;
        let entry =
            self.dfas.entry(id).or_insert_with(|| Entry { cache: dfa.create_cache(), bytes: 0, used: 0 });
        entry.used = self.clock;
        let result = search(dfa, &mut entry.cache);
        let bytes = entry.cache.memory_usage();
        if bytes != entry.bytes {
            self.bytes = self.bytes - entry.bytes + bytes;
            entry.bytes = bytes;
            if self.bytes > DFAS_MAX {
                self.forget();
            }
        }
        result
    }

    /// Lets go of what was not used for longest, down to half.
    fn forget(&mut self) {
        let mut ages: Vec<(u64, u32, usize)> =
            self.dfas.iter().map(|(id, entry)| (entry.used, *id, entry.bytes)).collect();
        ages.sort_unstable();
        for (_, id, bytes) in ages {
            if self.bytes <= DFAS_MAX / 2 {
                break;
            }
            self.dfas.remove(&id);
            self.bytes -= bytes;
        }
    }

    pub(crate) fn backtracker<T>(
        &mut self,
        backtracker: &backtrack::BoundedBacktracker,
        search: impl FnOnce(&backtrack::BoundedBacktracker, &mut backtrack::Cache) -> T,
    ) -> T {
        let cache = self.backtracker.get_or_insert_with(|| backtracker.create_cache());
        cache.reset(backtracker);
        search(backtracker, cache)
    }

    pub(crate) fn simulation<T>(
        &mut self,
        simulation: &pikevm::PikeVM,
        search: impl FnOnce(&pikevm::PikeVM, &mut pikevm::Cache) -> T,
    ) -> T {
        let cache = self.simulation.get_or_insert_with(|| simulation.create_cache());
        cache.reset(simulation);
        let result = search(simulation, cache);
        if cache.memory_usage() > SIMULATION_KEPT_MAX {
            self.simulation = None;
        }
        result
    }
}

impl fmt::Debug for MatchCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatchCache").field("automata", &self.dfas.len()).field("bytes", &self.bytes).finish()
    }
}

/// Spreads the numbers of matchers over a table; nobody outside chooses them.
#[derive(Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
