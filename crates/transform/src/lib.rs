//! Transformations of SecLang: disguises taken off a value.
//!
//! | step | module |
//! | --- | --- |
//! | the transformations by name | [`transformation`] |

pub mod transformation;

pub use transformation::Transformation;
