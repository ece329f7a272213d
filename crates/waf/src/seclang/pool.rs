//! What a thread lends to the transactions on it: memory for the whole of one, and caches for each phase.
//!
//! A request keeps its memory while the site's answer is waited for, so there is one for each that is on its way. Caches are
//! large and do best with all that was seen, so all requests share them, one phase after another.

use secbeat_engine::{Caches, Intervention, Memory, Program};
use std::cell::RefCell;

/// The most that a thread keeps: as many requests as are on their way at the same time, as a rule.
const MEMORIES_MAX: usize = 64;
/// Programs whose caches a thread keeps: that in force, and the one before it, which answers what it began.
const PROGRAMS_MAX: usize = 2;

/// What a thread keeps.
struct Spare {
    memories: Vec<Memory>,
    /// Caches by the number of their program, those used last at the end.
    caches: Vec<(u64, Box<Caches>)>,
}

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { memories: Vec::new(), caches: Vec::new() }) };
}

/// Memory to work in.
pub fn borrow() -> Memory {
    SPARE.with_borrow_mut(|spare| spare.memories.pop()).unwrap_or_default()
}

/// Takes memory back.
pub fn give_back(memory: Memory) {
    SPARE.with_borrow_mut(|spare| {
        if spare.memories.len() < MEMORIES_MAX {
            spare.memories.push(memory);
        }
    });
}

/// Runs a phase with the caches of a program. Those of a phase that panics are lost.
pub fn with_caches(
    program: &Program,
    phase: impl FnOnce(&mut Box<Caches>) -> Option<Intervention>,
) -> Option<Intervention> {
    let number = program.number();
    let known = SPARE.with_borrow_mut(|spare| {
        let at = spare.caches.iter().rposition(|(of, _)| *of == number)?;
        Some(spare.caches.remove(at).1)
    });
    let mut caches = known.unwrap_or_default();
    let intervention = phase(&mut caches);
    SPARE.with_borrow_mut(|spare| {
        if spare.caches.len() >= PROGRAMS_MAX {
            spare.caches.remove(0);
        }
        spare.caches.push((number, caches));
    });
    intervention
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Request, RuleSet, Settings};
    use secbeat_types::Timestamp;
    use std::net::Ipv4Addr;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    fn program() -> Program {
        Program::compile(&secbeat_seclang::RuleSet::default()).unwrap()
    }

    /// Where the caches of a program are.
    fn place(program: &Program) -> usize {
        let mut place = 0;
        with_caches(program, |caches| {
            place = std::ptr::from_ref::<Caches>(caches).addr();
            None
        });
        place
    }

    #[test]
    fn phases_of_a_program_share_caches_however_many_requests_are_on_their_way() {
        let [one, two] = [program(), program()];
        let [first, second] = [place(&one), place(&two)];
        assert_ne!(first, second);
        let on_their_way: Vec<Memory> = (0..200).map(|_| borrow()).collect();
        assert_eq!([place(&one), place(&two), place(&one)], [first, second, first]);
        on_their_way.into_iter().for_each(give_back);
        assert_eq!([place(&two), place(&one)], [second, first]);
        SPARE.with_borrow(|spare| assert_eq!(spare.memories.len(), MEMORIES_MAX));
    }

    #[test]
    fn the_memory_of_a_request_that_panicked_is_not_used_again() {
        let rules = RuleSet::compile(&[], &Settings::default()).unwrap().with_seclang(Arc::new(program()));
        let kept_after = |fails: bool| {
            let request = || {
                let context = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0));
                let mut transaction = rules.transaction(context);
                transaction.request_head(&Request::default());
                assert!(!fails, "a fault");
            };
            let ended = catch_unwind(AssertUnwindSafe(request));
            assert_eq!(ended.is_err(), fails);
            SPARE.with_borrow(|spare| spare.memories.len())
        };
        assert_eq!([kept_after(true), kept_after(false)], [0, 1]);
    }

    #[test]
    fn the_caches_of_a_program_that_is_gone_go_after_it() {
        for _ in 0..10 {
            place(&program());
        }
        SPARE.with_borrow(|spare| assert_eq!(spare.caches.len(), PROGRAMS_MAX));
    }
}
