//! The SecLang rule language: text to rules, every error with its place.
//!
//! | step | module |
//! | --- | --- |
//! | what the text comes to | [`model`] |
//! | what a rule may look at, by name | [`variable`] |

pub mod model;
pub mod variable;

pub use model::*;
pub use variable::Variable;
