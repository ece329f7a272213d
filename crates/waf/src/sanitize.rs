//! Taking what matched out of a request. A [`Transaction`](crate::Transaction) says what to change; its caller changes it,
//! has the request judged again, and blocks it where that does not end within [`ROUNDS_MAX`] rounds.

use crate::body::Text;
use std::ops::Range;

/// How often a request is changed and judged again. What is nested deeper than this was nested on purpose: it is blocked.
pub const ROUNDS_MAX: usize = 8;

/// How often one rule is taken out of one form of a value in a round. Each search may go to the end of the value: without a
/// bound the time would grow with the square of its length.
pub const CUTS_MAX: usize = 512;

/// Which bytes of a request an [`Edit`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// [`Request::target`](crate::Request::target).
    Target,
    /// The value of the field of this index in [`Request::fields`](crate::Request::fields).
    Field(usize),
    /// The body, as it was given to the transaction.
    Body,
}

/// One change. The edits of a phase do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is changed.
    pub place: Place,
    /// The bytes of it that go.
    pub range: Range<usize>,
    /// What stands there instead.
    pub with: Vec<u8>,
}

/// `bytes` after these edits, which must all be of one place. What reaches beyond the end or overlaps is left out.
pub fn apply<'e>(bytes: &[u8], edits: impl Iterator<Item = &'e Edit>) -> Vec<u8> {
    let mut edits: Vec<&Edit> = edits.collect();
    edits.sort_unstable_by_key(|edit| edit.range.start);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for edit in edits {
        let (Some(kept), true) = (bytes.get(at..edit.range.start), edit.range.end <= bytes.len()) else {
            continue;
        };
        out.extend_from_slice(kept);
        out.extend_from_slice(&edit.with);
        at = edit.range.end.max(edit.range.start);
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}

/// `form` without the bytes in `cuts`, written as `text` has it. `None` where nothing would change or where it cannot be
/// written there: then the request is blocked. `is_raw`: `form` is the value as the walker gave it.
pub(crate) fn rewrite(
    form: &[u8],
    mut cuts: Vec<Range<usize>>,
    is_raw: bool,
    text: &Text<'_>,
) -> Option<Vec<u8>> {
    cuts.sort_unstable_by_key(|cut| cut.start);
    let mut left = Vec::with_capacity(form.len());
    let mut at = 0;
    for cut in cuts {
        left.extend_from_slice(form.get(at..cut.start).unwrap_or_default());
        at = at.max(cut.end);
    }
    left.extend_from_slice(form.get(at..).unwrap_or_default());
    if left.len() == form.len() {
        return None;
    }
    text.write(left, is_raw)
}

#[cfg(test)]
#[path = "sanitize_tests.rs"]
mod tests;
