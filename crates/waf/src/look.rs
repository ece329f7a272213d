//! One value before the rules of its class.

use crate::body::Spot;
use crate::clean::Clean;
use crate::findings::{Findings, excerpt};
use crate::forms::Forms;
use crate::request::{self, Variable};
use crate::rule_set::Class;
use crate::sanitize::{self, Edit, Place};
use crate::sieve::{self, Bench, Sieve};
use crate::{Transaction, transform};
use secbeat_transform::ByteSet;
use secbeat_types::{Action, RuleMatch};
use std::ops::Range;

/// A value that is looked at.
pub(crate) struct Value<'a> {
    pub variable: Variable<'a>,
    pub raw: &'a [u8],
    /// Whether `+` is a space.
    pub plus: bool,
    /// Where it stands, if it can be replaced there.
    pub spot: Option<(Place, Spot<'a>)>,
}

impl Transaction<'_> {
    /// Looks at one value: as it is, and in each form that the rules of its class lead to.
    pub(crate) fn look(&self, class: &Class, value: &Value<'_>, found: &mut Findings) {
        if class.rules.is_empty() || found.is_settled(self.set.may_allow) {
            return;
        }
        let Some(sieve) = &self.set.sieve else { return self.look_plainly(class, value, found) };
        let key = class.key | u32::from(value.plus);
        let place = Clean::place(key, value.raw);
        sieve::lend(|bench| {
            if place.is_some_and(|at| bench.clean.knows(at, key, value.raw)) {
                return;
            }
            let is_clean = self.look_at_forms(sieve, bench, class, value, found);
            if let Some(at) = place.filter(|_| is_clean) {
                bench.clean.remember(at, key, value.raw);
            }
        });
    }

    /// Whether no rule of the class matches any form, whatever the circumstances.
    fn look_at_forms(
        &self,
        sieve: &Sieve,
        bench: &mut Bench,
        class: &Class,
        value: &Value<'_>,
        found: &mut Findings,
    ) -> bool {
        let present = ByteSet::of_value(value.raw);
        let candidates = sieve.of_value(bench, &class.bits, value.raw, &present);
        let seen = self.confirm(candidates.iter().map(usize::from), value, value.raw, u64::MAX, found);
        let mut is_clean = seen.is_clean;
        let mut is_edited = seen.edit(value, value.raw, false, found);
        let active = transform::active(&present, value.plus);
        let wanted = sieve.leading(class.chains, active);
        if wanted == 0 {
            return is_clean;
        }
        for form in Forms::new(value.raw, value.plus, &self.set.chains, wanted, active).iter() {
            let candidates = sieve.of_form(bench, &class.bits, &form.bytes, form.chains);
            let candidates = candidates.iter().map(usize::from);
            let seen = self.confirm(candidates, value, &form.bytes, form.chains, found);
            is_clean &= seen.is_clean;
            is_edited = seen.edit(value, &form.bytes, is_edited, found);
        }
        is_clean
    }

    /// The same without a filter before: each rule on each form.
    fn look_plainly(&self, class: &Class, value: &Value<'_>, found: &mut Findings) {
        let seen = self.confirm(class.rules.iter().copied(), value, value.raw, u64::MAX, found);
        let mut is_edited = seen.edit(value, value.raw, false, found);
        for form in transform::forms(value.raw, value.plus, &self.set.chains, class.chains) {
            let seen = self.confirm(class.rules.iter().copied(), value, &form.bytes, form.chains, found);
            is_edited = seen.edit(value, &form.bytes, is_edited, found);
        }
    }

    /// Tries each of `rules` whose chain is among `chains` on a form of a value.
    fn confirm(
        &self,
        rules: impl Iterator<Item = usize>,
        value: &Value<'_>,
        form: &[u8],
        chains: u64,
        found: &mut Findings,
    ) -> Seen {
        let mut seen = Seen { is_clean: true, cuts: Vec::new() };
        for index in rules {
            let (Some(rule), Some(compiled)) = (self.set.rules().get(index), self.set.compiled.get(index))
            else {
                continue;
            };
            if compiled.chain & chains == 0 {
                continue;
            }
            if !rule.is_in_force(self.context.now) {
                // At another time it may match.
                seen.is_clean = false;
                continue;
            }
            let Some(hit) = compiled.pattern.find(form) else { continue };
            seen.is_clean = false;
            if !self.is_in_scope(compiled) {
                continue;
            }
            let matched = RuleMatch {
                rule_id: compiled.id.clone(),
                name: compiled.name.clone(),
                category: rule.category,
                severity: rule.severity,
                action: compiled.action,
                variable: value.variable.to_string(),
                matched: excerpt(hit.as_bytes()),
                transformations: Vec::new(),
            };
            if self.admit(matched, index, found) == Some(Action::Sanitize) {
                let hits = compiled.pattern.find_iter(form).take(sanitize::CUTS_MAX);
                seen.cuts.extend(hits.map(|hit| hit.range()));
            }
        }
        seen
    }
}

/// What the rules said to one form of a value.
struct Seen {
    /// Whether none matched, nor would at another time.
    is_clean: bool,
    /// What is to be taken out of it.
    cuts: Vec<Range<usize>>,
}

impl Seen {
    /// Edits the value, unless that was done: one edit at a time, the next round sees what is left. Whether it is done now.
    fn edit(self, value: &Value<'_>, form: &[u8], is_edited: bool, found: &mut Findings) -> bool {
        if !is_edited && !self.cuts.is_empty() {
            edit(value, form, self.cuts, found);
            return true;
        }
        is_edited
    }
}

/// Takes `cuts` out of one form of a value, where that can be written back; where not, what matched there blocks.
fn edit(value: &Value<'_>, form: &[u8], cuts: Vec<Range<usize>>, found: &mut Findings) {
    let is_fixed = matches!(value.variable, Variable::Header(name) if request::is_structural_header(name));
    let spot = value.spot.as_ref().filter(|_| !is_fixed);
    let written = spot.and_then(|(place, spot)| {
        let with = sanitize::rewrite(form, cuts, std::ptr::eq(form, value.raw), &spot.text)?;
        Some(Edit { place: *place, range: spot.range.clone(), with })
    });
    match written {
        Some(edit) => found.add_edit(edit),
        None => found.refuse_edit(&value.variable.to_string()),
    }
}
