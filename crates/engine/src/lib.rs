//! SecLang rules compiled to one program, run over a transaction.
//!
//! Pure: no sockets, no clock; the time is a fact of the transaction. What happens, in order:
//!
//! | step | module |
//! | --- | --- |
//! | rules are compiled to flat vectors, everything known before a request settled | [`program`], [`error`] |
//! | a transaction begins with what is known of the connection | [`facts`], in [`memory`] that is lent from one to the next |
//! | and is filled with values, and run phase by phase | [`transaction`], [`values`] |
//! | what stops it | [`intervention`] |
//! | what rules say of it | [`matches`], and what `ctl` changed: [`effective`] |
//! | what outlives it: the collections `IP`, `GLOBAL`, `SESSION`, `USER`, `RESOURCE` | [`persistent`] |

pub mod effective;
pub mod error;
pub mod facts;
pub mod intervention;
pub mod matches;
pub mod memory;
pub mod persistent;
pub mod program;
pub mod transaction;
pub mod values;

pub use effective::Effective;
pub use error::CompileError;
pub use facts::{Admission, Facts};
pub use intervention::{Intervention, Kind};
pub use matches::Match;
pub use memory::Memory;
pub use persistent::Collections;
pub use program::{Program, RuleInfo};
pub use transaction::Transaction;
