//! A stretch of the buffer that a head was parsed from.

use std::ops::Range;

/// Where something stands in the buffer that was parsed, in bytes from its start. It outlives a move of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The bytes from `start` up to, not including, `end`. Heads are cut at a limit of 32 bits before they are read, so
    /// that no offset is cut here.
    #[inline]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Span { start: start as u32, end: end as u32 }
    }

    /// The bytes in `buf`, which must be the buffer that was parsed; empty where `buf` is too short.
    #[inline]
    pub fn of(self, buf: &[u8]) -> &[u8] {
        buf.get(self.range()).unwrap_or_default()
    }

    /// The offsets, for slicing.
    #[inline]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// How many bytes.
    #[inline]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The stretch `inner` of this one.
    pub(crate) fn sub(self, inner: Range<usize>) -> Self {
        let start = self.start as usize;
        Span::new(start + inner.start, (start + inner.end).min(self.end as usize))
    }
}
