//! What the tests of this crate share: rules from text, transactions from pairs.
#![allow(dead_code, clippy::panic)] // Each test uses its part; rules that do not load end it.

use secbeat_engine::{Facts, Intervention, Memory, Program, Transaction};
use secbeat_seclang::{Phase, Variable};

/// The phases in order.
pub const PHASES: [Phase; 5] =
    [Phase::RequestHeaders, Phase::RequestBody, Phase::ResponseHeaders, Phase::ResponseBody, Phase::Logging];

/// A program from text.
pub fn program(text: &str) -> Program {
    let rules = secbeat_seclang::load_text(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    Program::compile(&rules).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What came of a transaction.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The ids of the rules that matched, in order.
    pub ids: Vec<u64>,
    /// What stopped it first.
    pub stopped: Option<Intervention>,
    /// The matches that are told.
    pub matches: Vec<secbeat_engine::Match>,
    /// TX, sorted.
    pub tx: Vec<(String, String)>,
}

impl Outcome {
    /// A variable of TX.
    pub fn tx(&self, name: &str) -> Option<&str> {
        self.tx.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Runs all phases over values: variable, name (empty: a scalar is set), value.
pub fn run(program: &Program, facts: Facts<'_>, values: &[(Variable, &str, &str)]) -> Outcome {
    run_with(program, facts, |transaction| {
        for (variable, name, value) in values {
            if variable.is_collection() {
                transaction.add(*variable, name.as_bytes(), value.as_bytes());
            } else {
                transaction.set(*variable, value.as_bytes());
            }
        }
    })
}

/// Runs all phases over what `fill` sets.
pub fn run_with(program: &Program, facts: Facts<'_>, fill: impl Fn(&mut Transaction<'_>)) -> Outcome {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut transaction = program.transaction(Memory::default(), facts);
    fill(&mut transaction);
    let mut stopped = None;
    for phase in PHASES {
        stopped = stopped.or(transaction.run(phase));
    }
    let id = |number: &u32| program.rules()[*number as usize].id;
    let mut tx: Vec<_> = transaction.tx_all().map(|(name, value)| (text(name), text(&value))).collect();
    tx.sort();
    let outcome = Outcome {
        ids: transaction.trail().iter().map(id).collect(),
        stopped,
        matches: transaction.matches().to_vec(),
        tx,
    };
    transaction.finish();
    outcome
}
