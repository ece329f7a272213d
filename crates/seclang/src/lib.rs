//! The SecLang rule language: text to rules, every error with its place. Reference: the manual of ModSecurity 3; where it and
//! version 2 differ and a rule set needs the latter, the code says so.
//!
//! | step | module |
//! | --- | --- |
//! | where texts come from, within bounds | [`sources`], `reader` |
//! | files, sections and includes | [`load`](mod@load) |
//! | a file in directives, a directive in words | `lines`, `words` |
//! | directives that are no rules | `settings` |
//! | rules, chains, defaults; changes to rules read before | `rule`, `edit` |
//! | what a rule looks at | [`variable`], `variable_names`, `target` |
//! | and how | `operator` with `phrases`, `network` |
//! | what it does | `action_list`, `action`, `draft`; `step`, `ctl` |
//! | texts with macros | `text` |
//! | what it all comes to | [`model`], [`directives`] |
//! | what is wrong, and where; what was meant | [`error`], `suggest` |

mod action;
mod action_list;
mod ctl;
pub mod directives;
mod draft;
mod edit;
pub mod error;
mod lines;
pub mod load;
pub mod model;
mod network;
mod operator;
mod phrases;
mod reader;
mod rule;
mod settings;
pub mod sources;
mod step;
mod suggest;
mod target;
mod text;
pub mod variable;
mod variable_names;
mod words;

pub use directives::{Directives, EngineMode};
pub use error::Error;
pub use load::{load, load_text};
pub use model::*;
pub use sources::{Entry, NoSources, Sources};
pub use variable::Variable;
