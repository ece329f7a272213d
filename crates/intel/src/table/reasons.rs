//! The reasons of decisions, each text once: what a feed gives for a million addresses is one sentence.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::sync::Arc;

/// What all texts may take, in bytes.
pub const REASONS_BYTES_MAX: usize = 32 << 20;
/// The longest text, in bytes.
pub const REASON_BYTES_MAX: usize = 4096;
/// What a text takes beside its own bytes, about.
const OVERHEAD: usize = 64;

/// A text that decisions share. One pointer wide.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason(Arc<Box<str>>);

impl Reason {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Reason {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Every text that is in use, and some that were.
#[derive(Debug, Default)]
pub struct Reasons {
    held: HashSet<Reason>,
    bytes: usize,
    /// Whether some of them may have come out of use: looking for them takes long where there are many.
    is_released: bool,
}

/// There is no room for another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Reasons {
    /// The one copy of `text`; `None` for none.
    pub fn intern(&mut self, text: &str) -> Result<Option<Reason>, Full> {
        let is_new = !text.is_empty() && !self.held.contains(text);
        if is_new && self.has_no_room(text) && self.is_released {
            self.sweep();
        }
        if is_new && self.has_no_room(text) {
            return Err(Full);
        }
        Ok(self.intern_unbounded(text))
    }

    /// The same, whether there is room or not.
    pub fn intern_unbounded(&mut self, text: &str) -> Option<Reason> {
        if text.is_empty() {
            return None;
        }
        if let Some(held) = self.held.get(text) {
            return Some(held.clone());
        }
        let reason = Reason(Arc::new(text.into()));
        self.held.insert(reason.clone());
        self.bytes += cost(text);
        Some(reason)
    }

    /// Some texts may have come out of use.
    pub fn release(&mut self) {
        self.is_released = true;
    }

    /// Lets go of the texts that no decision has any more.
    pub fn sweep(&mut self) {
        self.is_released = false;
        self.held.retain(|reason| Arc::strong_count(&reason.0) > 1);
        self.bytes = self.held.iter().map(|reason| cost(reason.as_str())).sum();
    }

    fn has_no_room(&self, text: &str) -> bool {
        self.bytes + cost(text) > REASONS_BYTES_MAX
    }
}

fn cost(text: &str) -> usize {
    text.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_held_once() {
        let mut reasons = Reasons::default();
        let first = reasons.intern("scan").unwrap().unwrap();
        let second = reasons.intern("scan").unwrap().unwrap();
        assert!(Arc::ptr_eq(&first.0, &second.0));
        assert_eq!(reasons.intern(""), Ok(None));
    }

    #[test]
    fn texts_are_bounded_and_those_out_of_use_make_room() {
        let mut reasons = Reasons::default();
        let text = |number: usize| format!("{number:04000}");
        let mut in_use = Vec::new();
        let refused = (0..).find(|number| match reasons.intern(&text(*number)) {
            Ok(reason) => {
                in_use.push(reason);
                false
            }
            Err(Full) => true,
        });
        assert_eq!(refused, Some(REASONS_BYTES_MAX / (4000 + OVERHEAD)));
        in_use.truncate(10);
        assert!(reasons.intern(&text(9999)).is_err(), "nobody has looked yet");
        reasons.release();
        assert!(reasons.intern(&text(9999)).is_ok());
        assert_eq!(reasons.held.len(), 11);
    }
}
