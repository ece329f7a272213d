//! SecLang rules compiled to one program, run over a transaction.
//!
//! Pure: no sockets, no clock; the time is a fact of the transaction. What happens, in order:
//!
//! | step | module |
//! | --- | --- |
//! | rules are compiled to flat vectors, everything known before a request settled | [`program`], `compile`, [`error`] |
//! | each to links, targets, an operator, steps | `rule`, `target`, `operator` (with `encoding`, `identity`), `text`, `step` |
//! | names become numbers | `words`, by `hash` |
//! | a transaction begins with what is known of the connection | [`facts`], in [`memory`] that is lent from one to the next: `state`, `tools` |
//! | is filled with values, and run phase by phase | [`transaction`], [`values`], `phase` |
//! | a rule finds what it looks at, and looks at it | `resolve`, `datum`, `clock`, `evaluate` |
//! | and what it finds changes things | `act`: `tx`, `kept`, [`effective`]; texts are filled in by `render` |
//! | what rules say of it, and what stops it | [`matches`](mod@matches), by `report`; [`intervention`] |
//! | rules that cannot match are passed over: one pass over each value says which may | `fast`, `scan` |
//! | rules whose outcome no request changes are run once, before any; chains that hang on one value are foreseen | `fold`, `foresee` |
//! | what outlives it: the collections `IP`, `GLOBAL`, `SESSION`, `USER`, `RESOURCE` | [`persistent`], in memory: [`store`] |

mod act;
mod clock;
mod compile;
mod datum;
pub mod effective;
mod encoding;
pub mod error;
mod evaluate;
pub mod facts;
mod fast;
mod fold;
mod foresee;
mod hash;
mod identity;
pub mod intervention;
mod kept;
pub mod matches;
pub mod memory;
mod operator;
pub mod persistent;
mod phase;
pub mod program;
mod render;
mod report;
mod resolve;
mod rule;
mod scan;
mod state;
mod step;
pub mod store;
mod target;
mod text;
mod tools;
pub mod transaction;
mod tx;
pub mod values;
mod words;

pub use effective::Effective;
pub use error::CompileError;
pub use facts::{Admission, Facts};
pub use intervention::{Intervention, Kind};
pub use matches::Match;
pub use memory::{Caches, Memory};
pub use persistent::Collections;
pub use program::{Program, RuleInfo};
pub use store::Store;
pub use transaction::Transaction;
