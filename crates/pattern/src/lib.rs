//! Pattern matching: regular expressions and phrases, one literal filter before all of them.
//!
//! Pure. From the text of a rule to a hit:
//!
//! | step | module |
//! | --- | --- |
//! | the text of an expression is read as PCRE reads it | `parse`, `parse_escape`, into `syntax` |
//! | and made one for automata where it means the same, or for the backtracking matcher | `lower`; `fancy` |
//! | an expression is one matcher, to which a worker lends its memory | [`matcher`]: `linear`, `uncounted`, `backtracking`; [`match_cache`] |
//! | many phrases are one set | [`phrase_set`] |
//! | what every match must hold, for the whole or for each alternative | [`requirement`](mod@requirement), `needs`, `branches`, `frequency` |
//! | one filter tells which rules may match a value | [`prefilter`]: `literal_filter`, `gates`, `weak` |
//! | one pass over a long value tells which of those do | [`joint`](Joint) |
//! | in sets of rules | [`rule_bits`] |
//! | what is wrong with an expression | [`error`] |

mod backtracking;
mod branches;
mod byte_class;
pub mod error;
mod fancy;
mod frequency;
mod gates;
mod joint;
mod linear;
mod literal_filter;
mod lower;
pub mod match_cache;
pub mod matcher;
mod needs;
mod parse;
mod parse_escape;
pub mod phrase_set;
mod possessive;
mod prefilter;
pub mod requirement;
pub mod rule_bits;
mod syntax;
mod uncounted;
mod weak;

pub use error::PatternError;
pub use joint::{Joint, JointMemory};
pub use match_cache::MatchCache;
pub use matcher::{Captures, Matcher, Outcome};
pub use phrase_set::PhraseSet;
pub use prefilter::{Prefilter, PrefilterBuilder, PrefilterCache};
pub use requirement::{Requirement, requirement};
pub use rule_bits::RuleBits;
