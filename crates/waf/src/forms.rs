//! The forms of a value, each worked out once, however many chains lead to it.
//!
//! [`transform::forms`](crate::transform::forms) says what they are; these are the same, in the same order.

use crate::Transform;
use crate::transform::{Form, ROUNDS_MAX};

/// The forms of one value.
#[derive(Debug)]
pub(crate) struct Forms<'v> {
    raw: &'v [u8],
    plus: bool,
    /// What each transformation makes of the value itself.
    first: Steps,
    /// The forms, and what each transformation makes of them.
    found: Vec<(Form, Steps)>,
}

/// By transformation: what it makes of a form, if that is known. 0 is the value itself, the forms count from 1.
type Steps = [Option<usize>; Transform::ALL.len()];

impl<'v> Forms<'v> {
    /// The forms that the chains in `wanted` lead to; `active` has a bit for each transformation that may change `raw`.
    pub fn new(raw: &'v [u8], plus: bool, chains: &[Vec<Transform>], wanted: u64, active: u8) -> Forms<'v> {
        let first = Transform::ALL.map(|transform| (active & transform.bit() == 0).then_some(0));
        let mut forms = Forms { raw, plus, first, found: Vec::new() };
        for (index, chain) in chains.iter().enumerate() {
            let bit = 1u64.checked_shl(index as u32).unwrap_or(0);
            if wanted & bit != 0 {
                forms.follow(chain, bit);
            }
        }
        forms
    }

    /// The forms, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Form> {
        self.found.iter().map(|(form, _)| form)
    }

    fn follow(&mut self, chain: &[Transform], bit: u64) {
        let mut at = 0;
        for _ in 0..ROUNDS_MAX {
            let mut changes = false;
            for &transform in chain {
                let next = self.step(at, transform);
                if next == at {
                    continue;
                }
                (at, changes) = (next, true);
                if let Some((form, _)) = self.found_mut(at) {
                    form.chains |= bit;
                }
            }
            if !changes {
                return;
            }
        }
    }

    /// What `transform` makes of the form `at`.
    fn step(&mut self, at: usize, transform: Transform) -> usize {
        let (input, steps) = match at.checked_sub(1).and_then(|index| self.found.get(index)) {
            Some((form, steps)) => (form.bytes.as_slice(), steps),
            None => (self.raw, &self.first),
        };
        let place = transform as usize;
        if let Some(next) = steps.get(place).copied().flatten() {
            return next;
        }
        let next = transform.apply(input, self.plus).map_or(at, |bytes| self.number(bytes));
        let steps = match at.checked_sub(1).and_then(|index| self.found.get_mut(index)) {
            Some((_, steps)) => steps,
            None => &mut self.first,
        };
        if let Some(known) = steps.get_mut(place) {
            *known = Some(next);
        }
        next
    }

    fn number(&mut self, bytes: Vec<u8>) -> usize {
        if bytes == self.raw {
            return 0;
        }
        let known = self.found.iter().position(|(form, _)| form.bytes == bytes);
        known.map_or_else(
            || {
                self.found.push((Form { bytes, chains: 0 }, Steps::default()));
                self.found.len()
            },
            |index| index + 1,
        )
    }

    fn found_mut(&mut self, at: usize) -> Option<&mut (Form, Steps)> {
        at.checked_sub(1).and_then(|index| self.found.get_mut(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform;
    use proptest::{collection::vec, prelude::*, sample::select};
    use secbeat_transform::ByteSet;

    /// Values that the transformations change, in more than one round.
    fn disguised() -> impl Strategy<Value = Vec<u8>> {
        let pieces = [
            "%25", "%26lt;", "%2", "%3C", "+", "&lt;", "&amp;", "&#37;", "\\x25", "\\", "/*", "*/", "--",
            "\n", "#", "/", "..", ".", "'", "$IFS", "A", "b", "\0", "%00", "é",
        ];
        vec(select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn they_are_those_of_the_plain_way_in_the_same_order(
            raw in disguised(),
            plus: bool,
            chains in vec(vec(select(Transform::ALL.to_vec()), 0..6), 0..5),
            wanted: u64,
        ) {
            let active = transform::active(&ByteSet::of_value(&raw), plus);
            let forms = Forms::new(&raw, plus, &chains, wanted, active);
            let forms: Vec<Form> = forms.iter().cloned().collect();
            prop_assert_eq!(forms, transform::forms(&raw, plus, &chains, wanted));
        }
    }
}
