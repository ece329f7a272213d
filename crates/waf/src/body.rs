//! Bodies: which kinds are inspected, and how they are taken apart. Each parser is strict, bounded and total.

pub mod compressed;
mod content_type;
mod json;
mod multipart;
mod piece;
mod urlencoded;
mod xml;
mod xml_pieces;
mod xml_text;

pub use content_type::{BodyKind, ambiguity};
pub use json::walk_json;
pub(crate) use json::walk_json_arguments;
pub use multipart::walk_multipart;
pub use piece::{Piece, Sink, Spot, Text};
pub use urlencoded::walk_arguments;
pub(crate) use xml::walk as walk_xml_kinds;
pub(crate) use xml_pieces::Kind as XmlKind;
pub use xml_pieces::walk_xml;

use std::fmt;

/// Why a body could not be taken apart to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is not what its content type says; the byte at which that shows.
    Malformed {
        /// What was expected there.
        expected: &'static str,
        /// Bytes from the start of the body.
        offset: usize,
    },
    /// JSON or XML nests deeper than the settings allow.
    TooDeep,
    /// There are more arguments or values than the settings allow.
    TooManyArguments,
    /// There are more parts than the settings allow.
    TooManyParts,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::Malformed { expected, offset } => write!(f, "expected {expected} at byte {offset}"),
            BodyError::TooDeep => f.write_str("nested deeper than the limit"),
            BodyError::TooManyArguments => f.write_str("more arguments than the limit"),
            BodyError::TooManyParts => f.write_str("more parts than the limit"),
        }
    }
}
