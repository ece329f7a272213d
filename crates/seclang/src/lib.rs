//! The SecLang rule language: text to rules, every error with its place.
//!
//! | step | module |
//! | --- | --- |
//! | where texts come from | [`sources`] |
//! | files to rules | [`load`](mod@load) |
//! | what the text comes to | [`model`] |
//! | what a rule may look at, by name | [`variable`] |
//! | what is wrong, and where | [`error`] |

mod action;
mod action_list;
mod ctl;
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

pub use error::Error;
pub use load::{load, load_text};
pub use model::*;
pub use sources::{Entry, NoSources, Sources};
pub use variable::Variable;
