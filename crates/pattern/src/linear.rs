//! An expression as automata: each search takes time linear in the value.
//!
//! A lazy DFA tells whether and where a match ends; only of a match are the groups asked for, by a bounded backtracker, or
//! where the match is long by a second DFA that goes backwards to its start, and a simulation of the NFA from there.

use crate::PatternError;
use crate::lower;
use crate::lower::FINAL_NEWLINE_GROUP;
use crate::match_cache::MatchCache;
use crate::matcher::{Captures, Expression, Language};
use crate::uncounted::uncounted;
use regex_automata::hybrid::dfa::{self, DFA, OverlappingState};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures, backtrack, pikevm};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// The largest NFA of one expression, bytes: the longest of the Core Rule Set takes less than an eighth of it.
const NFA_MAX: usize = 4 << 20;
/// What a lazy DFA may take of a worker's memory before it starts afresh, bytes; more only if a few states need more. Where it is
/// too little, making states over and over costs a hundred times the search: some of the Core Rule Set need 250 KB.
const DFA_CACHE_MAX: usize = 512 << 10;
/// What the bounded backtracker may mark, bytes.
const BACKTRACK_VISITED_MAX: usize = 128 << 10;
/// Places of groups: the whole match, nine groups, the final newline; start and end of each.
const SLOTS: usize = 2 * (FINAL_NEWLINE_GROUP as usize + 1);

/// Numbers matchers, so that a worker's memory knows them apart, over reloads too.
static NEXT_ID: AtomicU32 = AtomicU32::new(0);

#[derive(Debug, Clone)]
pub(crate) struct Linear {
    exact: Arc<Automata>,
    /// The same without counting long repetitions, and the length up to which a value cannot tell the difference; of longer
    /// ones it tells that they do not match.
    uncounted: Option<(Arc<Automata>, usize)>,
}

#[derive(Debug)]
struct Automata {
    id: u32,
    forward: DFA,
    /// Made when first it is asked for where matches start.
    backward: OnceLock<Option<DFA>>,
    backtracker: backtrack::BoundedBacktracker,
    simulation: pikevm::PikeVM,
    source: Source,
}

impl Linear {
    pub fn new(hir: &Hir, pattern: &str, language: Language) -> Result<Linear, PatternError> {
        let source = Source { pattern: pattern.into(), language, uncounted: false };
        let mut limit = None;
        let uncounted = uncounted(hir, &mut limit);
        let twin =
            |limit| Ok((Automata::new(&uncounted, Source { uncounted: true, ..source.clone() })?, limit));
        Ok(Linear { uncounted: limit.map(twin).transpose()?, exact: Automata::new(hir, source)? })
    }

    pub fn is_match(&self, cache: &mut MatchCache, haystack: &[u8]) -> bool {
        match &self.uncounted {
            Some((uncounted, _)) if !uncounted.is_match(cache, haystack) => false,
            Some((_, limit)) if haystack.len() <= *limit => true,
            _ => self.exact.is_match(cache, haystack),
        }
    }

    /// Finds the first match from `at` on.
    pub fn captures(&self, cache: &mut MatchCache, haystack: &[u8], at: usize, found: &mut Captures) -> bool {
        match &self.uncounted {
            Some((uncounted, limit)) if haystack.len() <= *limit => {
                uncounted.captures(cache, haystack, at, found)
            }
            _ => self.exact.captures(cache, haystack, at, found),
        }
    }

    /// Where matches may start, from `at` on, the last first: the first `least` at the least. None: that cannot be told.
    pub fn starts(
        &self,
        cache: &mut MatchCache,
        haystack: &[u8],
        at: usize,
        least: usize,
    ) -> Option<Vec<usize>> {
        let automata = self.uncounted.as_ref().map_or(&self.exact, |(uncounted, _)| uncounted);
        let backward = automata.backward()?;
        let input = Input::new(haystack).range(at.min(haystack.len())..);
        let mut state = OverlappingState::start();
        let mut starts = Vec::new();
        cache.dfa(automata.id + 1, backward, |dfa, memory| {
            loop {
                dfa.try_search_overlapping_rev(memory, &input, &mut state).ok()?;
                match state.get_match() {
                    Some(half) => {
                        if starts.len() >= 2 * least {
                            // Those that come now are before them.
                            starts.drain(..least);
                        }
                        starts.push(half.offset());
                    }
                    None => return Some(starts),
                }
            }
        })
    }
}

/// What automata were made of.
#[derive(Debug, Clone)]
struct Source {
    pattern: Box<str>,
    language: Language,
    uncounted: bool,
}

impl Source {
    fn hir(&self) -> Option<Hir> {
        let hir = match self.language.read(&self.pattern).ok()? {
            Expression::Regular(hir) => hir,
            Expression::Irregular(node) => lower::widened(&node),
        };
        Some(if self.uncounted { uncounted(&hir, &mut None) } else { hir })
    }
}

impl Automata {
    fn new(hir: &Hir, source: Source) -> Result<Arc<Automata>, PatternError> {
        let nfa = nfa(hir, false)?;
        let backtracker = backtrack::BoundedBacktracker::builder()
            .configure(backtrack::Config::new().visited_capacity(BACKTRACK_VISITED_MAX))
            .build_from_nfa(nfa.clone())
            .map_err(too_large)?;
        let simulation = pikevm::PikeVM::builder().build_from_nfa(nfa.clone()).map_err(too_large)?;
        Ok(Arc::new(Automata {
            id: NEXT_ID.fetch_add(2, Ordering::Relaxed),
            forward: dfa(nfa, MatchKind::LeftmostFirst)?,
            backward: OnceLock::new(),
            backtracker,
            simulation,
            source,
        }))
    }

    fn is_match(&self, cache: &mut MatchCache, haystack: &[u8]) -> bool {
        let input = Input::new(haystack).earliest(true);
        self.end(cache, &input).is_some()
    }

    fn captures(&self, cache: &mut MatchCache, haystack: &[u8], at: usize, found: &mut Captures) -> bool {
        if at > haystack.len() {
            return false;
        }
        let Some(end) = self.end(cache, &Input::new(haystack).range(at..)) else { return false };
        let mut input = Input::new(haystack).range(at..end);
        if end - at > self.backtracker.max_haystack_len()
            && let Some(start) = self.start(cache, &input)
        {
            input = Input::new(haystack).range(start..end).anchored(Anchored::Yes);
        }
        let mut slots = [None; SLOTS];
        self.groups(cache, &input, &mut slots);
        write(&slots, self.source.language, found);
        found.get(0).is_some()
    }

    /// Where the first match ends.
    fn end(&self, cache: &mut MatchCache, input: &Input<'_>) -> Option<usize> {
        let found = cache.dfa(self.id, &self.forward, |dfa, memory| dfa.try_search_fwd(memory, input));
        match found {
            Ok(found) => found.map(|half| half.offset()),
            // A lazy DFA without quit bytes that starts afresh as often as it must does not fail.
            Err(_) => cache.simulation(&self.simulation, |simulation, memory| {
                let mut slots = [None; 2];
                simulation.search_slots(memory, input, &mut slots);
                slots[1].map(NonMaxUsize::get)
            }),
        }
    }

    /// Where the match starts that ends where `input` does.
    fn start(&self, cache: &mut MatchCache, input: &Input<'_>) -> Option<usize> {
        let input = input.clone().anchored(Anchored::Yes);
        let backward = self.backward()?;
        let found = cache.dfa(self.id + 1, backward, |dfa, memory| dfa.try_search_rev(memory, &input));
        found.ok().flatten().map(|half| half.offset())
    }

    /// The automaton that goes from the end of a match to its start.
    fn backward(&self) -> Option<&DFA> {
        let backward = || dfa(nfa(&self.source.hir()?, true).ok()?, MatchKind::All).ok();
        self.backward.get_or_init(backward).as_ref()
    }

    fn groups(&self, cache: &mut MatchCache, input: &Input<'_>, slots: &mut [Option<NonMaxUsize>]) {
        let length = input.get_range().len();
        if length <= self.backtracker.max_haystack_len() {
            let found = cache.backtracker(&self.backtracker, |backtracker, memory| {
                backtracker.try_search_slots(memory, input, slots)
            });
            if found.is_ok() {
                return;
            }
        }
        cache
            .simulation(&self.simulation, |simulation, memory| simulation.search_slots(memory, input, slots));
    }
}

/// The final newline before which `$` stood is no part of anything.
fn write(slots: &[Option<NonMaxUsize>; SLOTS], language: Language, found: &mut Captures) {
    let at = |slot: usize| slots.get(slot).copied().flatten().map(NonMaxUsize::get);
    let newline = if language == Language::Plain { None } else { at(2 * FINAL_NEWLINE_GROUP as usize) };
    let newline = newline.unwrap_or(usize::MAX);
    for (group, range) in found.ranges.iter_mut().enumerate() {
        *range =
            at(2 * group).zip(at(2 * group + 1)).map(|(start, end)| start.min(newline)..end.min(newline));
    }
}

fn nfa(hir: &Hir, reverse: bool) -> Result<NFA, PatternError> {
    let captures = if reverse { WhichCaptures::None } else { WhichCaptures::All };
    let config = thompson::Config::new()
        .utf8(false)
        .reverse(reverse)
        .nfa_size_limit(Some(NFA_MAX))
        .which_captures(captures)
        .shrink(false);
    thompson::Compiler::new().configure(config).build_from_hir(hir).map_err(too_large)
}

/// A lazy DFA that starts afresh as often as it must.
fn dfa(nfa: NFA, kind: MatchKind) -> Result<DFA, PatternError> {
    let config = dfa::Config::new()
        .match_kind(kind)
        .cache_capacity(DFA_CACHE_MAX)
        .skip_cache_capacity_check(true)
        .minimum_cache_clear_count(None);
    DFA::builder().configure(config).build_from_nfa(nfa).map_err(too_large)
}

fn too_large(error: impl std::fmt::Display) -> PatternError {
    PatternError::whole(format!("the expression is too large ({error}): shorten its repetitions"))
}
