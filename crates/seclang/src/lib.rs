//! The SecLang rule language: text to rules, every error with its place.
//!
//! | step | module |
//! | --- | --- |
//! | where texts come from | [`sources`] |
//! | files to rules | [`load`](mod@load) |
//! | what the text comes to | [`model`] |
//! | what a rule may look at, by name | [`variable`] |
//! | what is wrong, and where | [`error`] |

pub mod error;
pub mod load;
pub mod model;
pub mod sources;
pub mod variable;

pub use error::Error;
pub use load::{load, load_text};
pub use model::*;
pub use sources::{Entry, NoSources, Sources};
pub use variable::Variable;
