//! What rules see and change while they run.

use crate::datum::{Datum, Found, Name, number};
use crate::kept::Kept;
use crate::memory::trim;
use crate::program::Program;
use crate::tx::Tx;
use crate::values::Values;
use std::borrow::Cow;

/// The state of a transaction.
#[derive(Debug, Default)]
pub struct State {
    /// What was added and set, and the arena of all bytes.
    pub values: Values,
    /// TX.
    pub tx: Tx,
    /// IP, GLOBAL, RESOURCE, SESSION, USER.
    pub kept: Kept,
    /// `MATCHED_VARS`: what matched in this chain so far, as it matched.
    pub matched: Vec<Found>,
    /// The rule that runs, by its number.
    pub rule: u32,
    /// `HIGHEST_SEVERITY`: the lowest number of a rule that matched; 255: none did.
    pub severity: u8,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
    /// Chance.
    pub seed: u64,
}

impl State {
    /// Forgets the transaction before.
    pub fn clear(&mut self, words: usize) {
        self.values.clear();
        self.tx.clear(words);
        self.kept.clear();
        self.matched.clear();
        self.severity = u8::MAX;
    }

    /// Gives back what grew large: the transaction has ended.
    pub fn trim(&mut self) {
        self.values.trim();
        self.tx.trim();
        self.kept.clear();
        trim(&mut self.matched);
    }

    /// What matched last (`MATCHED_VAR`), as it matched.
    pub fn last(&self) -> Option<&Found> {
        self.matched.last()
    }

    /// The bytes of a value.
    pub fn bytes<'s>(&'s self, program: &'s Program, datum: Datum) -> Cow<'s, [u8]> {
        match datum {
            Datum::Number(number) => itoa::Buffer::new().format(number).as_bytes().to_vec().into(),
            Datum::Bytes(span) => self.values.bytes(span).into(),
            Datum::Constant(number) => program.constant(number).into(),
        }
    }

    /// Appends the bytes of a value.
    pub fn append(&self, program: &Program, datum: Datum, out: &mut Vec<u8>) {
        match datum {
            Datum::Number(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            Datum::Bytes(span) => out.extend_from_slice(self.values.bytes(span)),
            Datum::Constant(number) => out.extend_from_slice(program.constant(number)),
        }
    }

    /// A value as a number.
    pub fn number(&self, program: &Program, datum: Datum) -> i64 {
        match datum {
            Datum::Number(number) => number,
            Datum::Bytes(span) => number(self.values.bytes(span)),
            Datum::Constant(constant) => number(program.constant(constant)),
        }
    }

    /// The bytes of a name.
    pub fn name<'s>(&'s self, program: &'s Program, name: Name) -> &'s [u8] {
        match name {
            Name::None => b"",
            Name::Word(word) => program.words.shown(word),
            Name::Bytes(span) => self.values.bytes(span),
        }
    }

    /// Appends what a value is called: `ARGS:foo`, `&ARGS`, `REQUEST_LINE`.
    pub fn append_called(&self, program: &Program, found: &Found, out: &mut Vec<u8>) {
        if found.counted {
            out.push(b'&');
        }
        out.extend_from_slice(found.variable.name().as_bytes());
        if found.name != Name::None {
            out.push(b':');
            out.extend_from_slice(self.name(program, found.name));
        }
    }

    /// The value of a variable of TX, by its name in any case.
    pub fn tx_named(&self, program: &Program, name: &[u8]) -> Option<Datum> {
        let lower = name.to_ascii_lowercase();
        match program.words.number(&lower) {
            Some(word) => self.tx.get(word),
            None => self.tx.get_made(&lower, &self.values),
        }
    }
}
