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
}

/// There is no room for another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Reasons {
    /// The one copy of `text`; `None` for none.
    pub fn intern(&mut self, text: &str) -> Result<Option<Reason>, Full> {
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(held) = self.held.get(text) {
            return Ok(Some(held.clone()));
        }
        let cost = text.len() + OVERHEAD;
        if self.bytes + cost > REASONS_BYTES_MAX {
            self.sweep();
        }
        if self.bytes + cost > REASONS_BYTES_MAX {
            return Err(Full);
        }
        let reason = Reason(Arc::new(text.into()));
        self.held.insert(reason.clone());
        self.bytes += cost;
        Ok(Some(reason))
    }

    /// Lets go of the texts that no decision has any more.
    fn sweep(&mut self) {
        self.held.retain(|reason| Arc::strong_count(&reason.0) > 1);
        self.bytes = self.held.iter().map(|reason| reason.as_str().len() + OVERHEAD).sum();
    }
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
        assert!(reasons.intern(&text(9999)).is_ok());
        assert_eq!(reasons.held.len(), 11);
    }
}
