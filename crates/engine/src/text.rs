//! Text with macros, compiled.

use crate::target::Selector;
use secbeat_seclang::Variable;

/// A part of a text.
#[derive(Debug)]
pub enum Part {
    /// Itself.
    Literal(Box<[u8]>),
    /// A variable of TX, by its word.
    Tx(u32),
    /// The first value of a variable.
    First(Variable, Selector),
}

/// Text with macros.
#[derive(Debug, Default)]
pub struct Text(pub Box<[Part]>);

impl Text {
    /// The whole of it, where no macro is in it.
    pub fn literal(&self) -> Option<&[u8]> {
        match &*self.0 {
            [] => Some(b""),
            [Part::Literal(bytes)] => Some(bytes),
            _ => None,
        }
    }
}

/// Text whose usual forms cost nothing.
#[derive(Debug)]
pub enum Operand {
    /// A number.
    Number(i64),
    /// A constant of the program, by its number.
    Constant(u32),
    /// What a variable of TX holds.
    Tx(u32),
    /// Anything else.
    Text(Text),
}
