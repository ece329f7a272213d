//! XML (1.0, fifth edition), read as a stream.

use super::{BodyError, Sink};

/// Skeleton.
pub fn walk_xml(
    _body: &[u8],
    _complete: bool,
    _depth_max: usize,
    _values_max: usize,
    _sink: &mut Sink<'_>,
) -> Result<(), BodyError> {
    Err(BodyError::Malformed { expected: "no XML", offset: 0 })
}
